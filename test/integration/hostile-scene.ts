/**
 * A real node under attack on loopback: what it charges to whom is recorded, an honest node hands it transactions and
 * blocks, and a listener hears what it passes on. Attackers are libp2p peers that say a proper hello and send anything.
 */
import assert from 'node:assert/strict';
import type { NetStatus } from '#net';
import { loadNetwork, type NodeStatus, type StarlingNode } from '#node';
import type { BlockHash, Transaction, Wtxid } from '#primitives';
import {
  buildCompactBlock,
  type Decoded,
  type OffenceName,
  offences,
  streams,
  type TopicName,
  topics,
  txMessageFor,
} from '#protocol';
import { type Logger, nullLogger } from '#util';
import { type ChainBuilder, createChainBuilder } from '../support/chain-builder.ts';
import { startServingPeer, type Twist } from '../support/serving-peer.ts';
import { addressesOf, createTestNodes, gossipFlows, statusWhen, tipOf } from '../support/test-nodes.ts';
import { buildTx, outputOf, pay, type TestCoin } from '../support/tx-builder.ts';

/** What `Scene.coin` gives. */
const COIN_VALUE = 100_000n;
const COINS = 3_000;
const COINS_PER_TX = 500;
const POLL_MS = 20;
const GIVE_UP_MS = 200_000;
/** What `net` does about one offence after the other. What comes behind a disconnect may be too late to be heard. */
const JUDGEMENTS: Readonly<Record<(typeof offences)[OffenceName]['severity'], readonly string[]>> = {
  fatal: ['ban'],
  serious: ['noted', 'disconnect'],
  minor: ['noted', 'noted', 'noted'],
  incompatible: ['disconnect'],
};
/** Peers that discovery would bring together hear each other, not the victim. */
const ALONE = { maxPeers: 1 };

export type Charge = { readonly peer: string; readonly offence: string; readonly judgement: string };
export type Standing = NetStatus['peers'][number];

export type Attacker = AsyncDisposable & {
  readonly id: string;
  /** Hands bytes to gossip; they reach the node if the peer is still welcome there. */
  readonly send: (topic: TopicName, data: Uint8Array) => Promise<void>;
  /** A transaction as gossip brings it; `entry`: only the word that there is one. */
  readonly sendTx: (tx: Transaction, form?: 'whole' | 'entry') => Promise<void>;
  /** Sends a good transaction and waits until the node has passed it on: it has judged all that was sent before. */
  readonly drained: () => Promise<void>;
};

export type Scene = AsyncDisposable & {
  readonly victim: StarlingNode;
  readonly builder: ChainBuilder;
  readonly charges: readonly Charge[];
  /** What the victim passed on. */
  readonly passedOn: ReadonlySet<Wtxid>;
  /** The same of blocks, once for each message. */
  readonly passedOnBlocks: readonly BlockHash[];
  /** A confirmed coin of 100,000 sat that no other call gives. */
  readonly coin: () => TestCoin;
  readonly attacker: (twist?: Twist) => Promise<Attacker>;
  readonly chargesOf: (peer: string) => readonly Charge[];
  /** Whether the peer has done enough to be disconnected. */
  readonly isThrownOut: (attacker: Attacker) => boolean;
  /** It was, for this alone and after as many times as the offence is worth; others get through. */
  readonly assertThrownOut: (attacker: Attacker, offence: OffenceName) => Promise<void>;
  /** How the victim thinks of a peer; undefined for who is not connected. */
  readonly standing: (peer: string) => Promise<Standing | undefined>;
  /** Polls the victim for what gives no event; the runner's timeout bounds it. */
  readonly until: (condition: (status: NodeStatus) => boolean) => Promise<void>;
  /** A transaction and a block of the honest node get to the victim, and to others. */
  readonly honestGetThrough: () => Promise<void>;
  /** The same while the attack goes on: `attack` is called again and again, with the number of the call. */
  readonly honestGetThroughDuring: (attack: (at: number) => Promise<void>) => Promise<void>;
};

export async function openScene(): Promise<Scene> {
  const params = await loadNetwork('regtest');
  await using stack = new AsyncDisposableStack();
  const nodes = stack.use(await createTestNodes(params));
  const charges: Charge[] = [];
  const victim = await nodes.start('victim', { targetOutbound: 0 }, recordCharges(charges));
  const connect = await addressesOf(victim);
  const honest = await nodes.start('honest', { targetOutbound: 0, maxPeers: 1, connect });
  const { builder, coins } = await fundedChain(honest);
  const passedOn = new Set<Wtxid>();
  const passedOnBlocks: BlockHash[] = [];
  const listener = stack.use(
    await startServingPeer(victim.chain, {
      ...ALONE,
      connect,
      gossip: async ({ topic, data }) => {
        if (topic === 'block') passedOnBlocks.push(topics.block.codec.decode(data).header.hash);
        else passedOn.add(wtxidOf(topics.tx.codec.decode(data)));
        return 'ignore';
      },
    }),
  );
  await statusWhen(victim, ({ net }) => net.peers.some(({ id }) => id === listener.id));
  await gossipFlows(honest, [victim], builder);
  const coin = (): TestCoin => {
    const next = coins.pop();
    assert.ok(next, 'the scene has no coin left');
    return next;
  };
  const honestGetThrough = async (): Promise<void> => {
    const tx = payment(coin());
    assert.equal((await honest.submitTransaction(tx.raw)).kind, 'accepted');
    await until(() => passedOn.has(tx.wtxid));
    const block = builder.mine({ transactions: [tx] });
    assert.equal((await honest.submitBlock(block.raw)).kind, 'accepted');
    await tipOf(victim, ({ hash }) => hash === block.hash);
  };
  const resources = stack.move();
  const base = { victim, builder, charges, passedOn, passedOnBlocks, coin, honestGetThrough };
  const chargesOf = (peer: string): readonly Charge[] => charges.filter((charge) => charge.peer === peer);
  const scene: Scene = {
    ...base,
    attacker: (twist) => startAttacker({ ...base, connect }, twist),
    chargesOf,
    isThrownOut: ({ id }) => chargesOf(id).some(({ judgement }) => judgement !== 'noted'),
    assertThrownOut: async (attacker, offence) => {
      await until(() => scene.isThrownOut(attacker));
      await until(async () => (await scene.standing(attacker.id)) === undefined);
      const found = chargesOf(attacker.id);
      assert.deepEqual([...new Set(found.map((charge) => charge.offence))], [offence]);
      const expected = JUDGEMENTS[offences[offence].severity];
      assert.deepEqual(
        found.slice(0, expected.length).map(({ judgement }) => judgement),
        expected,
      );
      await honestGetThrough();
    },
    until: async (condition) => void (await statusWhen(victim, condition)),
    standing: async (peer) => (await victim.status()).net.peers.find(({ id }) => id === peer),
    honestGetThroughDuring: (attack) => during(attack, honestGetThrough),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
  // Until the listener is in the mesh, what is passed on does not reach it.
  await using prober = await scene.attacker();
  await until(async () => {
    await prober.sendTx(payment(coin()));
    return passedOn.size > 0;
  });
  return scene;
}

/** A fee of 1,000 sat unless told otherwise. */
export function payment(coin: TestCoin, fee = 1_000n): Transaction {
  return buildTx([coin], [pay(coin.output.value - fee)]);
}

/** An attacker that has these transactions to give; `served` hears of each answer. */
export function servingTxs(txs: readonly Transaction[], served: string[] = []): Twist {
  const byId = new Map(txs.flatMap((tx) => [[tx.txid as string, tx] as const, [tx.wtxid as string, tx] as const]));
  return (honest) =>
    async function* (name, from, request, signal) {
      if (name !== 'txs') {
        yield* honest(name, from, request, signal);
        return;
      }
      for (const { id } of streams.txs.request.decode(request)) {
        const tx = byId.get(id);
        if (tx !== undefined) served.push(tx.wtxid);
        yield tx === undefined ? { status: 3, payload: new Uint8Array(0) } : { status: 0, payload: tx.raw };
      }
    };
}

/** Polls for what gives no event. It gives up before the runner does, and so lets the scene be taken down. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + GIVE_UP_MS;
  while (!(await condition())) {
    assert.ok(performance.now() < deadline, `not seen in ${GIVE_UP_MS / 1000} s: ${condition}`);
    await pause();
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, POLL_MS));
}

function wtxidOf(message: Decoded<(typeof topics)['tx']['codec']>): Wtxid {
  return message.kind === 'whole' ? message.tx.wtxid : message.wtxid;
}

function recordCharges(charges: Charge[]): Logger {
  const log: Logger = {
    ...nullLogger,
    debug: (message, fields) => {
      if (message !== 'offence') return;
      const text = (name: string): string => String(fields?.[name]);
      charges.push({ peer: text('peer'), offence: text('offence'), judgement: text('judgement') });
    },
    child: () => log,
  };
  return log;
}

/** Coins for all tests of a scene, in one block. */
async function fundedChain(node: StarlingNode): Promise<{ builder: ChainBuilder; coins: TestCoin[] }> {
  const builder = createChainBuilder(node.chain.params);
  builder.mineMany(110);
  const transactions = Array.from({ length: COINS / COINS_PER_TX }, (_, at) =>
    buildTx(
      [builder.coin(at + 1)],
      Array.from({ length: COINS_PER_TX }, () => pay(COIN_VALUE)),
    ),
  );
  builder.mine({ transactions });
  for (const block of builder.blocks) assert.equal((await node.submitBlock(block.raw)).kind, 'accepted');
  const coins = transactions.flatMap((tx) => tx.outputs.map((_, index) => outputOf(tx, index)));
  return { builder, coins };
}

type AttackerDeps = Pick<Scene, 'victim' | 'builder' | 'coin' | 'charges' | 'passedOn'> & {
  readonly connect: readonly string[];
};

async function startAttacker(deps: AttackerDeps, twist: Twist | undefined): Promise<Attacker> {
  const { victim, builder, charges, passedOn, connect, coin } = deps;
  const peer = await startServingPeer(victim.chain, { ...ALONE, connect, ...(twist && { twist }) });
  const { id, net } = peer;
  await statusWhen(victim, ({ net: { peers } }) => peers.some((each) => each.id === id));
  const sendTx: Attacker['sendTx'] = async (tx, form = 'whole') => {
    await net.publish('tx', topics.tx.codec.encode(txMessageFor(tx, 1_000n, form)));
  };
  // What is published before gossip runs goes to nobody. News of what everybody has is no offence, and new each time.
  const [coinbase] = builder.tip.block.transactions;
  assert.ok(coinbase);
  const oldBlock = (at: bigint) => topics.block.codec.encode(buildCompactBlock(builder.tip.block, at));
  const oldTx = (at: bigint) => topics.tx.codec.encode(txMessageFor(coinbase, at, 'entry'));
  for (let at = 0n; (await net.publish('block', oldBlock(at))) === 0; at++) await pause();
  for (let at = 0n; (await net.publish('tx', oldTx(at))) === 0; at++) await pause();
  return {
    id,
    send: async (topic, data) => {
      await net.publish(topic, data);
    },
    sendTx,
    drained: async () => {
      const tx = payment(coin());
      await sendTx(tx);
      await until(() => {
        // Who is charged may not be heard any more.
        assert.deepEqual(
          charges.filter(({ peer }) => peer === id),
          [],
        );
        return passedOn.has(tx.wtxid);
      });
    },
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  };
}

async function during(attack: (at: number) => Promise<void>, honest: () => Promise<void>): Promise<void> {
  let isOver = false;
  const attacking = (async () => {
    for (let at = 0; !isOver; at++) {
      await attack(at);
      // All of them share one thread here.
      await pause();
    }
  })();
  try {
    await Promise.race([honest(), attacking]);
  } finally {
    isOver = true;
  }
  await attacking;
}
