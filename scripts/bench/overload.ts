/** More transactions than a node can use, from eight peers, and a block among them. */
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { assert } from '#util';
import { type Benchmark, type BenchmarkContext, type Case, nowMs, type Sample } from './benchmark.ts';
import type { LoopDelays } from './loop-delay.ts';
import type { NodeOrder, NodeState } from './overload-node.ts';
import type { Announced, Form, Offered, OfferOrder, PeersOrder } from './overload-peers.ts';
import { type PeerProcess, startPeer } from './peer-process.ts';
import { peakMemory } from './process-usage.ts';
import { PAYMENT } from './relay-chain.ts';

const PER_SECOND = 2_000;
const PEER_PROCESSES = 2;
const PEERS_PER_PROCESS = 4;
const PEERS = PEER_PROCESSES * PEERS_PER_PROCESS;
/** Of both blocks: the one without load, and the one in the middle of it. */
const BLOCK_TRANSACTIONS = 2_000;
/** At which the first block's transactions are offered, and the last of the first, which find cold code. */
const CALM_PER_SECOND = 200;
const LEAD_MS = 300;
const POLL_MS = 100;
const PATIENCE_MS = 120_000;
/** When nothing has entered the mempool for so long, what is still out will not come. */
const QUIET_MS = 5_000;
/** What was offered in a minute takes longer to look at where processors are slow. */
const QUIET_PATIENCE_MS = 600_000;

export const overload: Benchmark = {
  name: 'overload',
  what: `${PER_SECOND} valid tx/s from ${PEERS} peers (${PEER_PROCESSES} processes) at one node, a block of ${BLOCK_TRANSACTIONS} in the middle: announced to connected`,
  isHeavy: true,
  run: async (context) => {
    const cases = [overloadBy(context, 'whole transactions', 'whole'), overloadBy(context, 'entries', 'entry')];
    return { results: await context.measure(cases, 1) };
  },
};

function overloadBy(context: BenchmarkContext, what: string, form: Form): Case {
  return {
    name: `block among ${what}`,
    unit: 'ms',
    isAlwaysCold: true,
    measure: async () => {
      await using stack = new AsyncDisposableStack();
      const seconds = context.isLong ? 60 : 10;
      return await measure(await startAll(context, stack, seconds), seconds, form);
    },
  };
}

type World = { readonly node: PeerProcess; readonly peers: readonly PeerProcess[] };

async function startAll(context: BenchmarkContext, stack: AsyncDisposableStack, seconds: number): Promise<World> {
  const scratch = await mkdtemp(join(context.scratch, 'world-'));
  const file = (name: string): URL => new URL(`./${name}.ts`, import.meta.url);
  const peers = Array.from({ length: PEER_PROCESSES }, () =>
    stack.use(startPeer(file('overload-peers'), context.execArgv)),
  );
  const payments = BLOCK_TRANSACTIONS + (PER_SECOND * seconds) / PEER_PROCESSES;
  const coinsEach = payments * PAYMENT.inputs;
  const coins = coinsEach * PEER_PROCESSES;
  const addresses = await Promise.all(
    peers.map((each, at) => {
      const datadir = join(scratch, `peers-${at}`);
      const order = { datadir, coins, skippedCoins: at * coinsEach, payments, peers: PEERS_PER_PROCESS };
      return each.call<string[]>('start', order satisfies PeersOrder);
    }),
  );
  const watched = [...context.execArgv, '--import', file('loop-delay').href];
  const order: NodeOrder = { datadir: join(scratch, 'node'), coins, peers: addresses.flat() };
  {
    await using maker = startPeer(file('overload-node'), context.execArgv);
    await maker.call('fill', order);
  }
  const node = stack.use(startPeer(file('overload-node'), watched));
  await node.call('start', order);
  await until(node, `${PEERS} peers and the tip`, ({ isAtTip, peersSince }) => isAtTip && peersSince.length === PEERS);
  return { node, peers };
}

async function measure({ node, peers }: World, seconds: number, form: Form): Promise<Sample> {
  const offer = async (perSecond: number, from: number, to: number): Promise<Offered[]> => {
    const order: OfferOrder = { startMs: nowMs() + LEAD_MS, perSecond: perSecond / peers.length, from, to, form };
    return Promise.all(peers.map((each) => each.call<Offered>('offer', order)));
  };
  // Calm: the block of what is in the mempool.
  await offer(CALM_PER_SECOND, 0, BLOCK_TRANSACTIONS);
  await untilQuiet(node);
  const { ms: calm } = await untilConnected(node, peers, 0);
  // Load.
  const before = await node.call<NodeState>('state');
  const cpuBefore = await node.call<number>('cpuMs');
  await node.call('resetLoopDelays');
  const offering = offer(PER_SECOND, BLOCK_TRANSACTIONS, BLOCK_TRANSACTIONS + (PER_SECOND * seconds) / peers.length);
  await new Promise((resolve) => setTimeout(resolve, LEAD_MS + (1000 * seconds) / 2));
  const { ms: blockMs, neverTaken } = await untilConnected(node, peers, BLOCK_TRANSACTIONS);
  const offered = await offering;
  const delays = await node.call<LoopDelays>('loopDelays');
  const cpuMs = (await node.call<number>('cpuMs')) - cpuBefore;
  const offeredAtMs = nowMs();
  const { state: after, sinceMs } = await untilQuiet(node);
  const spanMs = Math.max(...offered.map((each) => each.spanMs));
  return {
    amount: 1,
    wallMs: blockMs,
    cpuMs: undefined,
    extra: {
      'ms without load': calm,
      ...lateness(delays),
      ...peakMemory(await node.call<number | undefined>('peakMemoryMb')),
      'peers at the end': after.peersSince.length,
      'of them since before': after.peersSince.filter((since) => before.peersSince.includes(since)).length,
      'tx/s offered': (PER_SECOND * seconds * 1000) / spanMs,
      ...accounts(before, after, { total: PER_SECOND * seconds, peers: offered, neverTaken }),
      'cores used': cpuMs / spanMs,
      's more until all was looked at': Math.max(0, sinceMs - offeredAtMs) / 1000,
    },
  };
}

/** What became of the transactions. Those offered are the sum of the rest, or something unknown takes them. */
function accounts(
  before: NodeState,
  after: NodeState,
  offered: { readonly total: number; readonly peers: readonly Offered[]; readonly neverTaken: number },
): Record<string, number> {
  const since = (key: 'taken' | 'gossipDropped' | 'refusedBusy' | 'gossipFresh' | 'whole' | 'withRoundTrip'): number =>
    after[key] - before[key];
  const [taken, dropped, refused] = [since('taken'), since('gossipDropped'), since('refusedBusy')];
  const { total, neverTaken } = offered;
  const unsent = offered.peers.reduce((sum, { sentToNobody }) => sum + sentToNobody, 0);
  return {
    offered: total,
    taken,
    'came with the block': neverTaken,
    'dropped by the full gossip queue': dropped,
    'refused by the full mempool queue': refused,
    'not sent by the peer': unsent,
    'otherwise not taken': total - taken - neverTaken - dropped - refused - unsent,
    'gossip messages heard': since('gossipFresh'),
    'blocks by a round trip': since('withRoundTrip'),
    'blocks fetched whole': since('whole'),
  };
}

function lateness(delays: LoopDelays): Record<string, number> {
  return Object.fromEntries(
    Object.entries(delays).flatMap(([thread, { p99Ms, maxMs }]) => [
      [`ms p99 ${thread}`, p99Ms],
      [`ms max ${thread}`, maxMs],
    ]),
  );
}

/**
 * The first peer makes and announces a block of a run of its payments. Gives the time until the node has connected it, and
 * how many of the payments were not in the mempool before.
 */
async function untilConnected(
  node: PeerProcess,
  [first]: readonly PeerProcess[],
  from: number,
): Promise<{ readonly ms: number; readonly neverTaken: number }> {
  assert(first !== undefined, 'there are peers');
  const { height } = await node.call<NodeState>('state');
  await node.call('expect', height + 1);
  const run = { from, to: from + BLOCK_TRANSACTIONS };
  const { atMs, txids } = await first.call<Announced>('announceBlock', run);
  await until(node, 'the block', (state) => state.height > height);
  const ms = (await node.call<number>('connectedAt')) - atMs;
  return { ms, neverTaken: await node.call<number>('neverTaken', txids) };
}

async function until(node: PeerProcess, what: string, isTrue: (state: NodeState) => boolean): Promise<void> {
  const endMs = nowMs() + PATIENCE_MS;
  while (!isTrue(await node.call<NodeState>('state'))) {
    assert(nowMs() < endMs, `not within ${PATIENCE_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Waits until nothing enters the mempool any more, for a while at most; and says since when. */
async function untilQuiet(node: PeerProcess): Promise<{ readonly state: NodeState; readonly sinceMs: number }> {
  const endMs = nowMs() + QUIET_PATIENCE_MS;
  let state = await node.call<NodeState>('state');
  let sinceMs = nowMs();
  while (nowMs() - sinceMs < QUIET_MS && nowMs() < endMs) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    const next = await node.call<NodeState>('state');
    if (next.taken !== state.taken) sinceMs = nowMs();
    state = next;
  }
  return { state, sinceMs };
}
