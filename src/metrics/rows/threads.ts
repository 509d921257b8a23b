/** The threads: main, network, and those that verify scripts. Lag and collections of the main one are prom-client's. */
import type { DelayFigures } from '#meter';
import type { Figures } from '../figures.ts';
import type { ByLabel, MetricRow } from '../row.ts';
import { seconds } from '../row.ts';

export const THREAD_ROWS: readonly MetricRow[] = [
  {
    name: 'starling_thread_busy_seconds_total',
    help: 'Time that the event loop of a thread was busy; those that verify are added up',
    type: 'counter',
    unit: 'seconds',
    labels: ['thread'],
    read: (figures) => ofLoops(figures, ({ activeMs }) => seconds(activeMs)),
  },
  {
    name: 'starling_thread_idle_seconds_total',
    help: 'Time that the event loop of a thread had nothing to do',
    type: 'counter',
    unit: 'seconds',
    labels: ['thread'],
    read: (figures) => ofLoops(figures, ({ idleMs }) => seconds(idleMs)),
  },
  {
    name: 'starling_net_thread_delay_seconds',
    help: 'By how much turns of the event loop of the network thread were late, since the last scrape',
    type: 'gauge',
    unit: 'seconds',
    labels: ['stat'],
    read: ({ counted }) => delays(counted.net.thread?.use.delay),
  },
  {
    name: 'starling_net_thread_gc_seconds_total',
    help: 'What collecting garbage took in the network thread, since the first scrape',
    type: 'counter',
    unit: 'seconds',
    read: ({ counted }) => secondsOf(counted.net.thread?.use.gcMs),
  },
  {
    name: 'starling_net_thread_heap_bytes',
    help: 'Heap that the network thread uses',
    type: 'gauge',
    unit: 'bytes',
    read: ({ counted }) => counted.net.thread?.use.heapBytes,
  },
  {
    name: 'starling_net_thread_answer_seconds',
    help: 'From asking the network thread for its figures to the answer',
    type: 'gauge',
    unit: 'seconds',
    read: ({ counted }) => secondsOf(counted.net.thread?.answerMs),
  },
  {
    name: 'starling_net_thread_messages_total',
    help: 'Messages between main and network thread',
    type: 'counter',
    unit: 'count',
    labels: ['direction'],
    read: ({ counted }) => ({ in: counted.net.thread?.messages.fromNet, out: counted.net.thread?.messages.toNet }),
  },
  {
    name: 'starling_net_thread_waiting',
    help: 'What waits in the network thread for the node: gossip, requests of ours, requests of others',
    type: 'gauge',
    unit: 'count',
    labels: ['what'],
    read: ({ counted: { net } }) => {
      return { gossip: net.thread?.judging, asked: net.thread?.asking, served: net.thread?.serving };
    },
  },
  {
    name: 'starling_net_thread_window_bytes',
    help: 'Blocks that came from peers and that the main thread has not taken yet',
    type: 'gauge',
    unit: 'bytes',
    read: ({ counted }) => counted.net.thread?.windowBytes,
  },
];

export const VERIFIER_ROWS: readonly MetricRow[] = [
  {
    name: 'starling_verifier_workers',
    help: 'Threads that verify scripts; 0 until the first script that is worth one',
    type: 'gauge',
    unit: 'count',
    read: ({ counted }) => counted.verifier.workers,
  },
  {
    name: 'starling_verifier_batches_total',
    help: 'Batches of scripts that were given to the verifier',
    type: 'counter',
    unit: 'count',
    read: ({ counted }) => counted.verifier.batches,
  },
  {
    name: 'starling_verifier_inputs_total',
    help: 'Inputs whose scripts were given to the verifier',
    type: 'counter',
    unit: 'count',
    read: ({ counted }) => counted.verifier.inputs,
  },
  {
    name: 'starling_verifier_failures_total',
    help: 'Batches of which a script failed',
    type: 'counter',
    unit: 'count',
    read: ({ counted }) => counted.verifier.failed,
  },
  {
    name: 'starling_verifier_waiting_inputs',
    help: 'Inputs of batches that are not decided yet',
    type: 'gauge',
    unit: 'count',
    read: ({ counted }) => counted.verifier.waitingInputs,
  },
  {
    name: 'starling_verifier_batch_seconds',
    help: 'From giving a batch to the verifier to its verdict',
    type: 'histogram',
    unit: 'seconds',
    read: ({ counted }) => counted.verifier.seconds,
  },
  {
    name: 'starling_verifier_cache_lookups_total',
    help: 'Transactions that were looked for among those whose scripts have passed',
    type: 'counter',
    unit: 'count',
    labels: ['result'],
    read: ({ counted: { verifier } }) => ({ hit: verifier.cache.hits, miss: verifier.cache.misses }),
  },
  {
    name: 'starling_verifier_cache_entries',
    help: 'Transactions whose scripts are known to pass',
    type: 'gauge',
    unit: 'count',
    read: ({ counted }) => counted.verifier.cache.entries,
  },
];

type Loop = { readonly activeMs: number; readonly idleMs: number };

function ofLoops<T>({ loop, counted }: Figures, read: (loop: Loop) => T): ByLabel<T | undefined> {
  const { net, verifier } = counted;
  return { main: read(loop), net: net.thread === undefined ? undefined : read(net.thread.use), verify: read(verifier) };
}

function delays(delay: DelayFigures | undefined): ByLabel<number> {
  if (delay === undefined) return {};
  return { p50: seconds(delay.p50Ms), p99: seconds(delay.p99Ms), max: seconds(delay.maxMs) };
}

function secondsOf(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : seconds(ms);
}
