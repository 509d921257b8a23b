/** Headers through all their checks into the tree: in memory, to the disk, and from there again. */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Chain } from '#chain';
import { blockProof, type NetworkParams } from '#consensus';
import { BLOCK_HEADER_BYTES, type BlockHeader } from '#primitives';
import { streams } from '#protocol';
import { syncDefaults } from '#sync';
import { assert, seededRandom, systemClock } from '#util';
import { HeaderRun } from '../../src/sync/header-run.ts';
import { type Benchmark, type Case, memoryInUse, type Sample, timed } from './benchmark.ts';
import { buildHeaders, memoryChain, messagesOf, RETARGETING_NETWORK, retargetingParams } from './header-chain.ts';
import type { HeaderOrder, HeadersTaken } from './header-peer.ts';
import { startPeer } from './peer-process.ts';
import { memoryGrowth } from './process-usage.ts';
import { type Ended, runProgram } from './program.ts';

const PEER_FILE = new URL('./header-peer.ts', import.meta.url);

export const headers: Benchmark = {
  name: 'headers',
  what: 'synthetic headers, retargeted every 2016, checked and added to the tree, 2000 at a time',
  run: async ({ isLong, scratch, execArgv, measure }) => {
    await using stack = new AsyncDisposableStack();
    const params = retargetingParams();
    const raw = buildHeaders(params, isLong ? 800_000 : 100_000);
    const messages = messagesOf(raw);
    const file = join(scratch, 'headers.bin');
    await writeFile(file, raw);
    const cases = [
      {
        name: 'submit',
        unit: 'headers',
        measure: () =>
          run(
            params,
            () => messages.map(decode),
            (batch) => batch,
          ),
      },
      { name: 'decode and submit', unit: 'headers', measure: () => run(params, () => messages, decode) },
      { name: 'decode, presync and submit', unit: 'headers', measure: () => runPresync(params, messages) },
      ...diskCases(scratch, file, execArgv),
      await peerCase(scratch, file, raw.length / BLOCK_HEADER_BYTES, execArgv, stack),
    ];
    return { results: await measure(cases, isLong ? 3 : 5) };
  },
};

/** `make` is not timed: a header object remembers its hash, so each run needs new ones. */
async function run<Batch>(
  params: NetworkParams,
  make: () => readonly Batch[],
  toHeaders: (batch: Batch) => readonly BlockHeader[],
): Promise<Sample> {
  await using chain = await memoryChain(params);
  const before = await memoryInUse();
  const times = await submitAll(chain, make(), toHeaders);
  // By now only what the chain keeps of the headers is left.
  const added = chain.bestHeader().height;
  return { ...times, amount: added, extra: { 'B memory/header': ((await memoryInUse()) - before) / added } };
}

/** As from a peer whose last header only has the minimum work: all are decoded, hashed and checked twice. */
async function runPresync(params: NetworkParams, messages: readonly Uint8Array[]): Promise<Sample> {
  const bits = messages.flatMap((message) => decode(message).map((header) => header.bits));
  const minimumChainWork = [params.genesis.header.bits, ...bits].reduce((sum, each) => sum + blockProof(each), 0n);
  await using chain = await memoryChain({ ...params, minimumChainWork });
  const deps = { chain, clock: systemClock, random: seededRandom(1), shown: () => undefined };
  const run = new HeaderRun(deps, syncDefaults.headers);
  const times = await timed(() => {
    for (const message of [...messages, ...messages]) {
      let outcome = run.take(decode(message));
      while (outcome.kind === 'releasing') outcome = run.release();
    }
  });
  const amount = chain.bestHeader().height;
  assert(amount === bits.length, 'all headers are stored in the end');
  return { ...times, amount };
}

function submitAll<Batch>(
  chain: Chain,
  batches: readonly Batch[],
  toHeaders: (batch: Batch) => readonly BlockHeader[],
): Promise<{ wallMs: number; cpuMs: number }> {
  return timed(() => {
    for (const batch of batches) {
      const verdict = chain.submitHeaders(toHeaders(batch));
      assert(verdict.kind === 'accepted', 'the headers are valid');
    }
  });
}

/** Each in a process of its own, so that its peak memory is that of the work; all threads' CPU time, LevelDB's too. */
function diskCases(scratch: string, file: string, execArgv: readonly string[]): Case[] {
  let datadir = '';
  const measureIn = async (name: 'take' | 'open'): Promise<Sample> => {
    await using peer = startPeer(PEER_FILE, execArgv);
    const taken = await peer.call<HeadersTaken>(name, { datadir, file } satisfies HeaderOrder);
    return { ...taken, amount: taken.height, extra: taken.memory };
  };
  const take = async (): Promise<Sample> => {
    datadir = await mkdtemp(join(scratch, 'chain-'));
    return measureIn('take');
  };
  return [
    { name: 'to the disk', unit: 'headers', isAlwaysCold: true, measure: take },
    {
      name: 'open again',
      unit: 'headers',
      isAlwaysCold: true,
      measure: async () => {
        // Also when this case runs alone.
        if (datadir === '') await take();
        return measureIn('open');
      },
    },
  ];
}

/**
 * The program asks another process for all of them, one answer after the other, and writes them: from the peer's hello
 * to the end of the headers, as its log tells (to half a second). Its memory is compared with that of one without peers.
 */
async function peerCase(
  scratch: string,
  file: string,
  count: number,
  execArgv: readonly string[],
  stack: AsyncDisposableStack,
): Promise<Case> {
  const network = join(scratch, 'network.json');
  await writeFile(network, JSON.stringify(RETARGETING_NETWORK));
  const address = await stack.use(startPeer(PEER_FILE, execArgv)).call<string>('serve', file);
  const flags = ['--network', network, '--listen', 'none'];
  const log = ['--log-format', 'json', '--log-level', 'debug'];
  const program = async (stopAt: string, ...more: string[]): Promise<Ended> => {
    const datadir = await mkdtemp(join(scratch, 'node-'));
    return runProgram(['node', ...flags, ...more, '--datadir', datadir, ...log], execArgv, stopAt);
  };
  const idle = await program('"msg":"node is running"');
  return {
    name: 'from a peer, to the disk',
    unit: 'headers',
    isAlwaysCold: true,
    measure: async () => {
      const ended = await program(`"headers":${count}`, '--connect', address);
      const wallMs = timeOf(ended.output, `"headers":${count}`) - timeOf(ended.output, '"msg":"peer ready"');
      return { amount: count, wallMs, cpuMs: ended.cpuMs, extra: memoryGrowth(idle, ended) };
    },
  };
}

/** When the first line that holds `text` was logged, ms. */
function timeOf(log: string, text: string): number {
  const line = log.split('\n').find((each) => each.includes(text)) ?? '{}';
  return Date.parse((JSON.parse(line) as { readonly time: string }).time);
}

const { decode } = streams.headers.response;
