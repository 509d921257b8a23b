/** The coins cache alone: what each input and output of a block costs before scripts and disk. */

import { sha256 } from '#crypto';
import { blockHashFromBytes } from '#primitives';
import { createMemoryStore } from '#store';
import { assert } from '#util';
import { type CoinKey, CoinsCache, coinKey } from '../../src/chain/coins-cache.ts';
import { type Benchmark, memoryInUse, type Sample, timed } from './benchmark.ts';

const SCRIPT_BYTES = 25;

export const coins: Benchmark = {
  name: 'coins',
  what: 'the cache of unspent outputs over a store in memory: P2PKH coins added, looked up, spent and flushed',
  run: async ({ isLong, measure }) => {
    const keys = makeKeys(isLong ? 1_000_000 : 200_000);
    const cases = [
      { name: 'add', unit: 'coins', measure: () => measureAdd(keys) },
      { name: 'look up and spend', unit: 'coins', measure: () => measureSpend(keys) },
      { name: 'flush', unit: 'coins', measure: () => measureFlush(keys) },
    ];
    return { results: await measure(cases, isLong ? 9 : 5) };
  },
};

function makeKeys(count: number): CoinKey[] {
  const seed = new Uint8Array(4);
  return Array.from({ length: count }, (_, i) => {
    new DataView(seed.buffer).setUint32(0, i);
    return coinKey({ txid: sha256(seed), index: i & 3 });
  });
}

function fill(cache: CoinsCache, keys: readonly CoinKey[]): void {
  const scriptPubKey = new Uint8Array(SCRIPT_BYTES).fill(0x76);
  keys.forEach((key, i) => {
    cache.add(key, { output: { value: BigInt(i), scriptPubKey }, height: i >>> 8, isCoinbase: false }, false);
  });
}

async function measureAdd(keys: readonly CoinKey[]): Promise<Sample> {
  const before = await memoryInUse();
  const cache = new CoinsCache(createMemoryStore());
  const times = await timed(() => fill(cache, keys));
  // The keys are there already, so this is without their 56 bytes.
  const extra = { 'B memory/coin': ((await memoryInUse()) - before) / keys.length };
  assert(cache.bytes > 0, 'the cache holds the coins');
  return { ...times, amount: keys.length, extra };
}

async function measureSpend(keys: readonly CoinKey[]): Promise<Sample> {
  const cache = new CoinsCache(createMemoryStore());
  fill(cache, keys);
  const times = await timed(() => {
    for (const key of keys) {
      assert(cache.get(key) !== undefined, 'the coin is there');
      cache.spend(key);
    }
  });
  return { ...times, amount: keys.length };
}

async function measureFlush(keys: readonly CoinKey[]): Promise<Sample> {
  const cache = new CoinsCache(createMemoryStore());
  fill(cache, keys);
  const times = await timed(() => cache.flush(blockHashFromBytes(new Uint8Array(32)), 0));
  return { ...times, amount: keys.length };
}
