/** One node feeds many at the same time, against bare libp2p in the same processes. */
import { join } from 'node:path';
import { assert } from '#util';
import type { Benchmark, Case, Sample } from './benchmark.ts';
import { FULL_BLOCK_BYTES } from './full-blocks.ts';
import type { LoopDelays } from './loop-delay.ts';
import { type PeerProcess, startPeer } from './peer-process.ts';
import { peakMemory } from './process-usage.ts';
import type { Fetched, Work } from './serve-askers.ts';
import type { TransportName } from './stream-transports.ts';

const ASKERS = 8;
/** Sync's maxBatchesPerPeer. */
const REQUESTS_IN_FLIGHT = 2;
/** Of the one that takes what it can: all that the protocol admits. */
const GREEDY_REQUESTS = 4;
const BARE = `bare libp2p, ${ASKERS} askers`;
const BARE_FILE = `bare libp2p that reads a file, ${ASKERS} askers`;

const file = (name: string): URL => new URL(`./${name}.ts`, import.meta.url);

type Pair = { readonly server: PeerProcess; readonly askers: PeerProcess };

export const serve: Benchmark = {
  name: 'serve',
  what: `one node feeds ${ASKERS} others with blocks of 1 MB at the same time; one process for the node, one for all that ask`,
  run: async ({ scratch, isLong, execArgv, measure }) => {
    await using stack = new AsyncDisposableStack();
    const blocks = isLong ? 192 : 64;
    const even = Array.from({ length: ASKERS }, () => REQUESTS_IN_FLIGHT);
    const work: Work = { blocks, blockBytes: FULL_BLOCK_BYTES, inFlight: even };
    const watched = [...execArgv, '--import', file('loop-delay').href];
    const start = (name: string, args: readonly string[]): PeerProcess => stack.use(startPeer(file(name), args));

    const startBare = async (transport: TransportName): Promise<Pair> => {
      const pair = { server: start('stream-peer', execArgv), askers: start('serve-askers', execArgv) };
      const address = await pair.server.call<string>('listen', transport);
      await pair.askers.call('connect', { to: 'libp2p', address, count: ASKERS });
      return pair;
    };
    const bare = await startBare('libp2p');
    const bareFile = await startBare('libp2p-file');

    const node: Pair = { server: start('serve-node', watched), askers: start('serve-askers', execArgv) };
    const address = await node.server.call<string>('listen', { datadir: join(scratch, 'served'), blocks });
    await node.askers.call('connect', { to: 'node', address, count: ASKERS });

    const greedy: Work = { ...work, inFlight: [GREEDY_REQUESTS, ...Array.from({ length: ASKERS - 1 }, () => 1)] };
    const cases: Case[] = [
      { name: BARE, unit: 'MB', measure: () => feed(bare, work) },
      { name: BARE_FILE, unit: 'MB', against: BARE, measure: () => feed(bareFile, work) },
      { name: `node, ${ASKERS} askers`, unit: 'MB', against: BARE, measure: () => feedByNode(node, work) },
      { name: 'node, one asks fourfold', unit: 'MB', against: BARE, measure: () => feedByNode(node, greedy) },
    ];
    return { results: await measure(cases, isLong ? 7 : 5) };
  },
};

async function feed({ server, askers }: Pair, work: Work): Promise<Sample> {
  const [servedBefore, askedBefore] = [await server.call<number>('cpuMs'), await askers.call<number>('cpuMs')];
  const { bytes, wallMs, eachMs } = await askers.call<Fetched>('fetch', work);
  const servedMs = (await server.call<number>('cpuMs')) - servedBefore;
  const askedMs = (await askers.call<number>('cpuMs')) - askedBefore;
  const amount = bytes / 1e6;
  assert(bytes >= ASKERS * work.blocks * work.blockBytes, 'every byte arrived');
  return {
    amount,
    wallMs,
    cpuMs: servedMs + askedMs,
    extra: {
      'ms CPU/MB served': servedMs / amount,
      'ms CPU/MB asked': askedMs / amount,
      // The same amount each: the times say how it was shared.
      'fastest : slowest': Math.min(...eachMs) / Math.max(...eachMs),
      'first : median': (eachMs[0] ?? 0) / ([...eachMs].sort((a, b) => a - b)[ASKERS / 2] ?? 1),
    },
  };
}

async function feedByNode(pair: Pair, work: Work): Promise<Sample> {
  await pair.server.call('resetLoopDelays');
  const sample = await feed(pair, work);
  const delays = await pair.server.call<LoopDelays>('loopDelays');
  const memory = peakMemory(await pair.server.call<number | undefined>('peakMemoryMb'));
  const late = Object.entries(delays).flatMap(([thread, { p99Ms, maxMs }]) => [
    [`ms p99 ${thread}`, p99Ms],
    [`ms max ${thread}`, maxMs],
  ]);
  return { ...sample, extra: { ...sample.extra, ...Object.fromEntries(late), ...memory } };
}
