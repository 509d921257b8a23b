/** Gossip's control messages and frames as a weapon against a real node: each bounded, each charged as the list of offences says. */
import { after, before, describe, it } from 'node:test';
import type { RPC } from '@libp2p/gossipsub/message';
import type { Wtxid } from '#primitives';
import { networkId, type OffenceName, topicId, topics } from '#protocol';
import { systemRandom } from '#util';
import { floodUntilOut } from './abuse-flood.ts';
import { type AbusePeer, framed, startAbusePeer } from './abuse-peer.ts';
import { openScene, type Scene, until } from './hostile-scene.ts';

const timeout = 300_000;
const ID_BYTES = 20;
/** That there is a transaction: good enough to be no offence. */
const ANNOUNCEMENT = topics.tx.codec.encode({
  kind: 'entry',
  wtxid: 'ab'.repeat(32) as Wtxid,
  vsize: 100,
  fee: 1_000n,
});

let scene: Scene;
let tx: string;
let block: string;
before(async () => {
  scene = await openScene();
  const network = networkId(scene.victim.chain.params.genesis.hash);
  [tx, block] = [topicId(network, 'tx'), topicId(network, 'block')];
});
after(() => scene[Symbol.asyncDispose]());

const ids = (count: number, bytes = ID_BYTES): Uint8Array[] =>
  Array.from({ length: count }, () => systemRandom.bytes(bytes));

/** The control part of an RPC. */
const control = (part: Partial<RPC.ControlMessage>): Partial<RPC> => ({
  control: { ihave: [], iwant: [], graft: [], prune: [], idontwant: [], ...part },
});

async function subscribe(peer: AbusePeer): Promise<void> {
  await peer.gossip({ subscriptions: [tx, block].map((topic) => ({ topic, subscribe: true })) });
  await until(() => peer.heard.some(({ subscriptions }) => subscriptions.length > 0));
}

/** What is sent again and again, and what the node says to that. */
const FLOODS: readonly (readonly [string, OffenceName, (at: number) => Promise<Partial<RPC> | Uint8Array>])[] = [
  [
    'ids that nobody has, told of by the thousand (IHAVE)',
    'quota-exceeded',
    async () => control({ ihave: Array.from({ length: 3 }, () => ({ topicID: tx, messageIDs: ids(4_900) })) }),
  ],
  [
    'ids asked for by the thousand (IWANT)',
    'quota-exceeded',
    async () => control({ iwant: Array.from({ length: 3 }, () => ({ messageIDs: ids(4_900) })) }),
  ],
  [
    'ids not wanted (IDONTWANT)',
    'quota-exceeded',
    async () => control({ idontwant: Array.from({ length: 30 }, () => ({ messageIDs: ids(500) })) }),
  ],
  [
    'ids of 8 KiB each, kept for ten heartbeats',
    'protocol-violation',
    async () => control({ idontwant: [{ messageIDs: ids(60, 8 * 1024) }] }),
  ],
  [
    'grafts of topics that nobody has',
    'quota-exceeded',
    async () => control({ graft: Array.from({ length: 5_000 }, (_, at) => ({ topicID: `nothing ${at}` })) }),
  ],
  [
    'subscriptions to thousands of unknown topics',
    'quota-exceeded',
    async (round) => ({
      subscriptions: Array.from({ length: 5_000 }, (_, at) => ({ topic: `${round} ${at}`, subscribe: true })),
    }),
  ],
  [
    'subscribing and unsubscribing',
    'quota-exceeded',
    async () => ({ subscriptions: Array.from({ length: 5_000 }, (_, at) => ({ topic: tx, subscribe: at % 2 === 0 })) }),
  ],
  [
    'a prune that names a thousand peers',
    'undecodable-message',
    async () =>
      control({
        prune: [{ topicID: tx, peers: Array.from({ length: 1_000 }, () => ({ peerID: systemRandom.bytes(38) })) }],
      }),
  ],
  [
    'prunes by the thousand, with as many peers as an RPC may name',
    'quota-exceeded',
    async () =>
      control({
        prune: Array.from({ length: 1_000 }, () => ({
          topicID: tx,
          peers: Array.from({ length: 16 }, () => ({ peerID: systemRandom.bytes(38) })),
          backoff: 2 ** 40,
        })),
      }),
  ],
  [
    'messages of topics that nobody has',
    'quota-exceeded',
    async (round) => ({
      messages: Array.from({ length: 4_900 }, (_, at) => ({ topic: `${round} ${at}`, data: systemRandom.bytes(64) })),
    }),
  ],
  [
    'one message again and again',
    'quota-exceeded',
    async () => ({ messages: Array.from({ length: 4_900 }, () => ({ topic: tx, data: ANNOUNCEMENT })) }),
  ],
  [
    'frames of the greatest size with nothing in them',
    'quota-exceeded',
    // A field of bytes that no RPC has.
    async () => framed(new Uint8Array([...[0xfa, 0x01, 0xf0, 0xff, 0x3f], ...new Uint8Array(0xffff0)])),
  ],
  ['frames that are no RPC', 'undecodable-message', async () => framed(systemRandom.bytes(1_000).fill(0xff))],
  ['a frame above the bound', 'oversized-frame', async () => framed(new Uint8Array(2 << 20))],
];

describe('floods of gossip', { timeout }, () => {
  for (const [what, offence, make] of FLOODS) {
    it(`${what}: ${offence}, and the peer is out`, async (t) => {
      await using peer = await startAbusePeer(scene.victim);
      await subscribe(peer);
      await floodUntilOut(t, scene, peer, offence, async (at) => {
        const made = await make(at);
        await (made instanceof Uint8Array ? peer.gossipBytes(made) : peer.gossip(made));
      });
    });
  }
});
