/** Headers through all their checks into the tree, stores in memory. */
import type { Chain } from '#chain';
import type { NetworkParams } from '#consensus';
import { BLOCK_HEADER_BYTES, BlockHeader } from '#primitives';
import { streams } from '#protocol';
import { createMemoryAppendFiles, createMemoryStore } from '#store';
import { assert, nullLogger, seededRandom, systemClock } from '#util';
import { createInlineVerifier } from '#verify';
import { createBlockStorage } from '../../src/chain/block-storage.ts';
import { createChain } from '../../src/chain/chain.ts';
import { type Benchmark, memoryInUse, type Sample, timed } from './benchmark.ts';
import { buildHeaders, retargetingParams } from './header-chain.ts';

/** Core's MAX_HEADERS_RESULTS. */
const PER_MESSAGE = 2000;

export const headers: Benchmark = {
  name: 'headers',
  what: 'synthetic headers, retargeted every 2016, checked and added to the tree, 2000 at a time',
  run: async ({ isLong, measure }) => {
    const params = retargetingParams();
    const raw = buildHeaders(params, isLong ? 400_000 : 100_000);
    const messages = batchesOf(raw).map((batch) => streams.headers.response.encode(batch));
    const cases = [
      { name: 'submit', unit: 'headers', measure: () => run(params, () => batchesOf(raw)) },
      {
        name: 'decode and submit',
        unit: 'headers',
        measure: () => run(params, () => messages, streams.headers.response.decode),
      },
    ];
    return { results: await measure(cases, isLong ? 9 : 5) };
  },
};

/** `make` is not timed: a header object remembers its hash, so each run needs new ones. */
async function run<Batch extends readonly BlockHeader[] | Uint8Array>(
  params: NetworkParams,
  make: () => readonly Batch[],
  decode?: (batch: Uint8Array) => readonly BlockHeader[],
): Promise<Sample> {
  await using chain = await memoryChain(params);
  const before = await memoryInUse();
  const times = await submitAll(chain, make(), decode);
  // By now only what the chain keeps of the headers is left.
  const added = chain.bestHeader().height;
  return { ...times, amount: added, extra: { 'B memory/header': ((await memoryInUse()) - before) / added } };
}

function submitAll(
  chain: Chain,
  batches: readonly (readonly BlockHeader[] | Uint8Array)[],
  decode: (batch: Uint8Array) => readonly BlockHeader[] = () => [],
): Promise<{ wallMs: number; cpuMs: number }> {
  return timed(() => {
    for (const batch of batches) {
      const verdict = chain.submitHeaders(batch instanceof Uint8Array ? decode(batch) : batch);
      assert(verdict.kind === 'accepted', 'the headers are valid');
    }
  });
}

function batchesOf(raw: Uint8Array): BlockHeader[][] {
  const all = Array.from({ length: raw.length / BLOCK_HEADER_BYTES }, (_, i) => {
    return new BlockHeader(raw.subarray(i * BLOCK_HEADER_BYTES, (i + 1) * BLOCK_HEADER_BYTES));
  });
  const batches: BlockHeader[][] = [];
  for (let at = 0; at < all.length; at += PER_MESSAGE) batches.push(all.slice(at, at + PER_MESSAGE));
  return batches;
}

async function memoryChain(params: NetworkParams): Promise<Chain> {
  const files = { maxFileBytes: 1 << 27 };
  return createChain(
    {
      params,
      indexStore: createMemoryStore(),
      coinsStore: createMemoryStore(),
      storage: createBlockStorage(createMemoryAppendFiles(files), createMemoryAppendFiles(files), params.magic),
      verifier: await createInlineVerifier(),
      clock: systemClock,
      random: seededRandom(1),
      log: nullLogger,
    },
    { dbCacheBytes: 1 << 24 },
  );
}
