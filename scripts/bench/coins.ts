/** The coins cache alone: what each input and output of a block costs before scripts and disk. */

import { sha256 } from '#crypto';
import { blockHashFromBytes } from '#primitives';
import { createMemoryStore } from '#store';
import { assert, systemRandom } from '#util';
import { encodeCoinView } from '../../src/chain/coin-codec.ts';
import { CoinsCache } from '../../src/chain/coins-cache.ts';
import type { OutPoint } from '../../src/chain/port.ts';
import { type Benchmark, memoryInUse, type Sample, timed } from './benchmark.ts';

const SCRIPT_BYTES = 25;
const MAX_BYTES = 1 << 30;

export const coins: Benchmark = {
  name: 'coins',
  what: 'the cache of unspent outputs over a store in memory: 25-byte scripts added, spent and flushed',
  run: async ({ isLong, measure }) => {
    const outpoints = makeOutpoints(isLong ? 1_000_000 : 200_000);
    const cases = [
      { name: 'add', unit: 'coins', measure: () => measureAdd(outpoints) },
      { name: 'spend', unit: 'coins', measure: () => measureSpend(outpoints) },
      { name: 'flush', unit: 'coins', measure: () => measureFlush(outpoints) },
    ];
    return { results: await measure(cases, isLong ? 9 : 5) };
  },
};

function makeOutpoints(count: number): OutPoint[] {
  const seed = new Uint8Array(4);
  return Array.from({ length: count }, (_, i) => {
    new DataView(seed.buffer).setUint32(0, i);
    return { txid: sha256(seed), index: i & 3 };
  });
}

function newCache(): CoinsCache {
  return new CoinsCache(createMemoryStore(), systemRandom, { maxBytes: MAX_BYTES });
}

function fill(cache: CoinsCache, outpoints: readonly OutPoint[]): void {
  const scriptPubKey = new Uint8Array(SCRIPT_BYTES).fill(0x76);
  outpoints.forEach(({ txid, index }, i) => {
    const coin = encodeCoinView({ output: { value: BigInt(i), scriptPubKey }, height: i >>> 8, isCoinbase: false });
    cache.add(txid, index, coin, false);
  });
}

async function measureAdd(outpoints: readonly OutPoint[]): Promise<Sample> {
  const before = await memoryInUse();
  const cache = newCache();
  const times = await timed(() => fill(cache, outpoints));
  const extra = { 'B memory/coin': ((await memoryInUse()) - before) / outpoints.length };
  assert(cache.bytes > 0, 'the cache holds the coins');
  return { ...times, amount: outpoints.length, extra };
}

async function measureSpend(outpoints: readonly OutPoint[]): Promise<Sample> {
  const cache = newCache();
  fill(cache, outpoints);
  const times = await timed(() => {
    for (const { txid, index } of outpoints) assert(cache.spend(txid, index) !== undefined, 'the coin is there');
  });
  return { ...times, amount: outpoints.length };
}

async function measureFlush(outpoints: readonly OutPoint[]): Promise<Sample> {
  const cache = newCache();
  fill(cache, outpoints);
  const times = await timed(() => cache.flush(blockHashFromBytes(new Uint8Array(32))));
  return { ...times, amount: outpoints.length };
}
