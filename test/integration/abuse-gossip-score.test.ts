/**
 * Peers that break gossip's rules, each message being fine for itself: gossipsub's score falls, the node charges them and
 * ends the connection. All attack one real node at once, and honest blocks and transactions get through.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { RPC } from '@libp2p/gossipsub/message';
import { networkId, topicId } from '#protocol';
import { systemRandom } from '#util';
import { topicIds } from '../../src/net/gossip.ts';
import { messageId } from '../../src/net/gossip-settings.ts';
import { measured } from './abuse-flood.ts';
import { type AbusePeer, startAbusePeer } from './abuse-peer.ts';
import { openScene, payment, type Scene, until } from './hostile-scene.ts';

const timeout = 300_000;
/** gossipsub's: how often it gives a peer the same message. */
const RETRANSMISSIONS = 3;

let scene: Scene;
let tx: string;
let idOf: (message: RPC.Message) => string;
before(async () => {
  scene = await openScene();
  const network = networkId(scene.victim.chain.params.genesis.hash);
  tx = topicId(network, 'tx');
  idOf = ({ topic, data = new Uint8Array() }) =>
    Buffer.from(messageId({ topic, data } as never, topicIds(network))).toString('hex');
});
after(() => scene[Symbol.asyncDispose]());

const control = (part: Partial<RPC.ControlMessage>): Partial<RPC> => ({
  control: { ihave: [], iwant: [], graft: [], prune: [], idontwant: [], ...part },
});

async function subscribed(stack: AsyncDisposableStack): Promise<AbusePeer> {
  const peer = stack.use(await startAbusePeer(scene.victim));
  await peer.gossip({ subscriptions: [{ topic: tx, subscribe: true }] });
  await until(() => peer.heard.some(({ subscriptions }) => subscriptions.length > 0));
  return peer;
}

/** What breaks which rule, to be done again and again. */
const BREACHES: Readonly<Record<string, (peer: AbusePeer) => Promise<void>>> = {
  'tells of what it never gives': (peer) =>
    peer.gossip(control({ ihave: [{ topicID: tx, messageIDs: [systemRandom.bytes(20)] }] })),
  'grafts within the back-off': async (peer) => {
    await peer.gossip(control({ prune: [{ topicID: tx, peers: [] }] }));
    await peer.gossip(control({ graft: [{ topicID: tx }] }));
  },
  'sends messages with a signature': (peer) =>
    peer.gossip({
      messages: [
        { topic: tx, data: systemRandom.bytes(40), seqno: systemRandom.bytes(8), signature: systemRandom.bytes(64) },
      ],
    }),
};

describe('rules of gossip', { timeout }, () => {
  it('who breaks them is charged for its score, and out', async (t) => {
    await using stack = new AsyncDisposableStack();
    const breakers = new Map<string, AbusePeer>();
    for (const what of Object.keys(BREACHES)) breakers.set(what, await subscribed(stack));
    const attack = async (): Promise<void> => {
      for (const [what, peer] of breakers) if (!peer.isOut()) await BREACHES[what]?.(peer);
    };
    await measured(t, async () => {
      while (![...breakers.values()].every((peer) => peer.isOut())) await scene.honestGetThroughDuring(attack);
    });
    for (const [what, { id }] of breakers) {
      const charges = scene.chargesOf(id);
      t.diagnostic(`who ${what}: ${charges.map(({ offence, judgement }) => `${offence} ${judgement}`).join(', ')}`);
      assert.deepEqual(
        charges.map(({ offence, judgement }) => `${offence} ${judgement}`),
        ['protocol-violation noted', 'protocol-violation disconnect'],
        what,
      );
    }
  });

  it('a message is given to who asks for it a few times, however often that is', async () => {
    await using stack = new AsyncDisposableStack();
    const peer = await subscribed(stack);
    await using friend = await scene.attacker();
    const copies = (): RPC.Message[] => peer.heard.flatMap(({ messages }) => messages);
    const count = (id: string): number => copies().filter((message) => idOf(message) === id).length;
    const askFor = (id: string): Promise<void> =>
      peer.gossip(control({ iwant: Array.from({ length: 50 }, () => ({ messageIDs: [Buffer.from(id, 'hex')] })) }));
    // What is sent before the peer is in the mesh does not reach it: new ones, until one came and was given once more.
    const given = (): string | undefined =>
      copies()
        .map(idOf)
        .find((id) => count(id) > 1);
    await until(async () => {
      assert.ok(!peer.isOut(), 'the node ended the connection');
      await friend.sendTx(payment(scene.coin()));
      const last = copies().at(-1);
      if (last !== undefined) await askFor(idOf(last));
      return given() !== undefined;
    });
    const id = given() ?? '';
    for (let more = 0; more < 20; more++) await askFor(id);
    await scene.honestGetThrough();
    assert.ok(count(id) <= 1 + RETRANSMISSIONS, `given ${count(id)} times`);
  });
});
