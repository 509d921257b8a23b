/**
 * The first sync among bad peers: the chain of `ibd` from four good peers, and from one good one beside three that are
 * slow, silent and lying. The lying one must be banned, and nobody else.
 */
import { constants } from 'node:fs';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { assert } from '#util';
import { startThrottledProxy } from '../../test/support/throttled-proxy.ts';
import type { Benchmark, BenchmarkContext, Case, Sample } from './benchmark.ts';
import { cachedChain } from './chain-cache.ts';
import type { Address, PeerKind, PeersOrder } from './hostile-peer.ts';
import { importByProgram } from './import-program.ts';
import { startPeer } from './peer-process.ts';
import { peakMemory } from './process-usage.ts';
import { SIGNED_CHAIN } from './signed-chain.ts';
import { startServer } from './sync.ts';
import { syncByProgram } from './sync-program.ts';

const PEER_FILE = new URL('./hostile-peer.ts', import.meta.url);
const SERVERS = 4;
const CROWD = 20;
const THROTTLED_BYTES_PER_SECOND = 50_000;
const GOOD = `${SERVERS} good peers`;

export const hostile: Benchmark = {
  name: 'hostile',
  what: 'the program syncs the chain of ibd from good peers, from bad company, and from many: to the last block',
  isHeavy: true,
  run: async (context) => {
    await using stack = new AsyncDisposableStack();
    const { good, throttled, silent, corrupter, crowd } = await startAll(context, stack);
    const [first = ''] = good;
    let runs = 0;
    const measured = (name: string, flags: readonly string[], banned: readonly string[], against?: string): Case => ({
      name,
      unit: 'ms',
      ...(against === undefined ? {} : { against }),
      isAlwaysCold: true,
      measure: async () => {
        const before = throttled.bytes();
        const sample = await syncOnce(context, `client-${runs++}`, flags, banned);
        return { ...sample, extra: { ...sample.extra, 'kB by the slow line': (throttled.bytes() - before) / 1e3 } };
      },
    });
    const mixed = [first, throttled.address, silent.address, corrupter.address];
    // Peers of --connect are never banned; these are found.
    const cases = [
      measured(GOOD, repeated('--bootstrap', good), []),
      measured('1 good, 1 at 50 kB/s, 1 silent, 1 corrupter', repeated('--bootstrap', mixed), [corrupter.id], GOOD),
      measured(`${CROWD} good peers`, repeated('--connect', crowd), [], GOOD),
    ];
    return { results: await context.measure(cases, context.isLong ? 5 : 3) };
  },
};

/** Seven processes: four nodes, one of them behind the slow line too; the silent one; the corrupter; the crowd. */
async function startAll(context: BenchmarkContext, stack: AsyncDisposableStack) {
  const { scratch, execArgv } = context;
  const file = await cachedChain(SIGNED_CHAIN);
  const original = join(scratch, 'chain');
  await importByProgram({ file, tip: SIGNED_CHAIN.tip, datadir: original }, execArgv);
  const copy = async (name: string): Promise<string> => {
    const datadir = join(scratch, name);
    await cp(original, datadir, { recursive: true, mode: constants.COPYFILE_FICLONE });
    return datadir;
  };
  const start = async (kind: PeerKind, count: number): Promise<Address[]> => {
    const order: PeersOrder = { datadir: await copy(kind), kind, count };
    return stack.use(startPeer(PEER_FILE, execArgv)).call<Address[]>('start', order);
  };
  const good: string[] = [];
  for (let i = 0; i < SERVERS; i++) {
    good.push((await startServer('regtest', await copy(`node-${i}`), execArgv, stack)).address);
  }
  const throttled = stack.use(await startThrottledProxy(good[1] ?? '', THROTTLED_BYTES_PER_SECOND));
  const [silent] = await start('silent', 1);
  const [corrupter] = await start('corrupter', 1);
  assert(silent !== undefined && corrupter !== undefined, 'each process tells of its peers');
  const crowd = (await start('good', CROWD)).map(({ address }) => address);
  return { good, throttled, silent, corrupter, crowd };
}

function repeated(flag: string, values: readonly string[]): string[] {
  return values.flatMap((value) => [flag, value]);
}

async function syncOnce(
  { scratch, execArgv }: BenchmarkContext,
  name: string,
  flags: readonly string[],
  expected: readonly string[],
): Promise<Sample> {
  const datadir = join(scratch, name);
  const ended = await syncByProgram({ tip: SIGNED_CHAIN.tip, datadir, flags }, execArgv);
  const { reachedMs, cpuMs, peakMemoryMb, banned } = ended;
  assert(banned.join() === expected.join(), `banned were "${banned.join()}", not "${expected.join()}"`);
  await rm(datadir, { recursive: true });
  return { amount: 1, wallMs: reachedMs, cpuMs, extra: { ...peakMemory(peakMemoryMb), banned: banned.length } };
}
