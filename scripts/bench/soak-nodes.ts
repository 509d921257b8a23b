/** A process of the soak: several whole nodes, and what is alive in it. It keeps nothing of the load itself. */
import { EventEmitter } from 'node:events';
import { queryObjects, writeHeapSnapshot } from 'node:v8';
import type { Block } from '#primitives';
import { assert } from '#util';
import { nowMs } from './benchmark.ts';
import { servePeer } from './peer-process.ts';
import { buildRelayChain } from './relay-chain.ts';
import { RelayGroup } from './relay-group.ts';

export type TxOrder = { readonly node: number; readonly raw: string };
/** After a full collection. */
export type Census = {
  readonly heapBytes: number;
  /** Outside of V8's heap: buffers, the coins cache. */
  readonly externalBytes: number;
  /** By what they are. */
  readonly counts: Readonly<Record<string, number>>;
};

/** `OP_1` and 32 bytes: nobody spends it. */
const COINBASE_SCRIPT = Uint8Array.from([0x51, 0x20, ...new Uint8Array(32).fill(1)]);
const COLLECTIONS = 3;

let blocks: readonly Block[] = [];
const group = new RelayGroup(() => blocks);

servePeer(
  {
    ...group.functions,
    build: (coins: number) => {
      blocks = buildRelayChain(coins).blocks;
    },
    /** The nodes have the blocks on their disks. */
    forgetBlocks: () => {
      blocks = [];
    },
    submit: async ({ node, raw }: TxOrder) => {
      const verdict = await group.nodes[node]?.submitTransaction(Buffer.from(raw, 'base64'));
      assert(verdict?.kind === 'accepted', JSON.stringify(verdict));
    },
    /** To all nodes: one that lacks all of a block's transactions would take long to fetch it. */
    submitBlock: async (raw: string) => {
      const submitted = group.nodes.map((node) => node.submitBlock(Buffer.from(raw, 'base64')));
      for (const { kind } of await Promise.all(submitted)) assert(kind !== 'rejected', 'the block is valid');
    },
    /** The first node mines what it knows. */
    mine: async (): Promise<{ readonly atMs: number }> => {
      const atMs = nowMs();
      const verdict = await group.nodes[0]?.mineBlock(COINBASE_SCRIPT);
      assert(verdict?.kind === 'accepted', JSON.stringify(verdict));
      return { atMs };
    },
    census,
    snapshot: (file: string) => writeHeapSnapshot(file),
  },
  () => group.end(),
);

async function census(): Promise<Census> {
  assert(globalThis.gc !== undefined, 'the process was started with --expose-gc');
  // What finished calls still hold goes only a turn later.
  for (let i = 0; i < COLLECTIONS; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    globalThis.gc();
  }
  const { heapUsed: heapBytes, external: externalBytes } = process.memoryUsage();
  return { heapBytes, externalBytes, counts: { ...(await nodeCounts()), ...resourceCounts(), ...objectCounts() } };
}

/** What the nodes know of themselves, all of this process together. */
async function nodeCounts(): Promise<Record<string, number>> {
  const all = await Promise.all(group.nodes.map((node) => node.status()));
  const sum = (of: (status: (typeof all)[number]) => number): number =>
    all.reduce((total, each) => total + of(each), 0);
  return {
    peers: sum(({ net }) => net.peers.length),
    connections: sum(({ net }) => net.connections),
    'open streams': sum(({ net }) => net.streams),
    'known addresses': sum(({ net }) => net.knownAddresses),
    'in mempools': sum(({ mempool }) => mempool.count),
    height: Math.max(...all.map(({ tip }) => tip.height)),
  };
}

/** Timers, sockets and other things that keep a loop turning; those that were told not to are not in it. */
function resourceCounts(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) counts[`active ${name}`] = (counts[`active ${name}`] ?? 0) + 1;
  return counts;
}

/** Objects that are alive, by their class with all below it: a closed stream that somebody holds is found here. */
function objectCounts(): Record<string, number> {
  const timer = setTimeout(() => {}, 0);
  clearTimeout(timer);
  const classes: Readonly<Record<string, unknown>> = {
    'event targets (streams, connections, signals …)': EventTarget,
    'listeners on event targets': listenerClass(),
    'abort signals': AbortSignal,
    'event emitters (sockets …)': EventEmitter,
    'timers, unreferenced ones too': timer.constructor,
    promises: Promise,
    maps: Map,
    sets: Set,
  };
  return Object.fromEntries(
    Object.entries(classes).flatMap(([name, each]) =>
      typeof each === 'function' ? [[name, queryObjects(each, { format: 'count' })]] : [],
    ),
  );
}

/** Node.js's own, one for each listener on an EventTarget; undefined if it is hidden better one day. */
function listenerClass(): unknown {
  const target = new EventTarget();
  target.addEventListener('any', () => {});
  for (const symbol of Object.getOwnPropertySymbols(target)) {
    // A map of Node.js's own kind, which is no instance of anything.
    const listeners: unknown = Reflect.get(target, symbol);
    if (typeof listeners !== 'object' || listeners === null || !('get' in listeners)) continue;
    const { get } = listeners;
    const first: unknown = typeof get === 'function' ? get.call(listeners, 'any')?.next : undefined;
    if (typeof first === 'object' && first !== null) return first.constructor;
  }
  return undefined;
}
