import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseBlockHash } from '#primitives';
import { createMemoryStore, type KeyValueStore } from '#store';
import { seededRandom } from '#util';
import { encodeCoin } from '../../../src/chain/coin-codec.ts';
import { CoinsCache } from '../../../src/chain/coins-cache.ts';
import type { Coin, OutPoint } from '../../../src/chain/port.ts';

const BLOCK = parseBlockHash('11'.repeat(32));
const NEXT = parseBlockHash('22'.repeat(32));
const SMALL = 600_000;

type Write = KeyValueStore['write'];

function withWrite(store: KeyValueStore, write: Write): KeyValueStore {
  return {
    get: (key) => store.get(key),
    getMany: (keys) => store.getMany(keys),
    clear: (range) => store.clear(range),
    entries: (range) => store.entries(range),
    sizeOnDisk: () => store.sizeOnDisk(),
    trim: () => store.trim(),
    write,
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

const open = (store: KeyValueStore, maxBytes = SMALL): CoinsCache =>
  new CoinsCache(store, seededRandom(1), { maxBytes });
const outpointOf = (n: number): OutPoint => ({ txid: new Uint8Array(32).fill(n % 8), index: n >> 3 });
const coinOf = (n: number): Coin => ({
  output: { value: BigInt(n) * 1000n, scriptPubKey: new Uint8Array(n % 60).fill(n & 0xff) },
  height: n,
  isCoinbase: n % 2 === 1,
});

function add(cache: CoinsCache, key: number, value: number, mayExist = false): Uint8Array | undefined {
  const { txid, index } = outpointOf(key);
  return cache.add(txid, index, encodeCoin(coinOf(value)), mayExist);
}

function spend(cache: CoinsCache, key: number): Uint8Array | undefined {
  const { txid, index } = outpointOf(key);
  return cache.spend(txid, index);
}

/** Buffers and Uint8Arrays of one content are equal here. */
function plain(coin: Coin | undefined) {
  return coin && { ...coin, output: { ...coin.output, scriptPubKey: [...coin.output.scriptPubKey] } };
}

const bytes = (value: number | undefined): number[] | undefined =>
  value === undefined ? undefined : [...encodeCoin(coinOf(value))];

type Step =
  | { readonly kind: 'add' | 'spend' | 'get' | 'prefetch'; readonly key: number; readonly value: number }
  | { readonly kind: 'flush' | 'reopen' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constantFrom('add', 'spend', 'get', 'prefetch'),
      key: fc.nat(15),
      value: fc.nat(500),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('flush', 'reopen') }) },
);

async function take(each: Step, cache: CoinsCache, model: Map<number, number>): Promise<void> {
  if (!('key' in each)) {
    await cache.flush(BLOCK);
    assert.equal(cache.dirtyCount, 0);
    assert.equal(cache.storedBestBlock(), BLOCK);
    return;
  }
  const { key, value } = each;
  if (each.kind === 'add') {
    // A coin may be replaced only where BIP30 allows it, which the caller says.
    const replaced = add(cache, key, value, model.has(key) || value % 3 === 0);
    if (replaced !== undefined) assert.deepEqual([...replaced], bytes(model.get(key)));
    model.set(key, value);
  } else if (each.kind === 'spend') {
    const spent = spend(cache, key);
    assert.deepEqual(spent && [...spent], bytes(model.get(key)));
    model.delete(key);
  } else if (each.kind === 'get') {
    const known = model.get(key);
    assert.deepEqual(plain(cache.get(outpointOf(key))), plain(known === undefined ? undefined : coinOf(known)));
  } else {
    const { txid, index } = outpointOf(key);
    await cache.prefetch([{ prevTxid: txid, prevIndex: index }]);
  }
}

describe('CoinsCache', () => {
  it('agrees with a plain map through flushes and reopenings, whatever its size', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 120 }), fc.constantFrom(0, SMALL), async (steps, maxBytes) => {
        const store = createMemoryStore();
        let cache = open(store, maxBytes);
        const model = new Map<number, number>();
        for (const each of steps) {
          await take(each, cache, model);
          if (each.kind === 'reopen') cache = open(store, maxBytes);
        }
        await cache.flush(BLOCK);
        const fresh = open(store);
        for (let key = 0; key < 16; key++) await take({ kind: 'get', key, value: 0 }, fresh, model);
      }),
      { numRuns: 300 },
    );
  });

  it('keeps thousands of coins apart, grows, and takes freed memory again', async () => {
    const cache = open(createMemoryStore(), 1 << 30);
    const model = new Map<number, number>();
    const random = seededRandom(5);
    for (let round = 0; round < 60_000; round++) {
      const key = random.below(16_000);
      if (model.has(key)) await take({ kind: 'spend', key, value: 0 }, cache, model);
      else await take({ kind: 'add', key, value: 1 + 60 * random.below(8) }, cache, model);
    }
    for (let key = 0; key < 16_000; key++) await take({ kind: 'get', key, value: 0 }, cache, model);
    const before = cache.bytes;
    for (const key of [...model.keys()]) await take({ kind: 'spend', key, value: 0 }, cache, model);
    assert.equal(cache.dirtyCount, 0, 'all were born and spent here');
    for (let key = 0; key < 8_000; key++) await take({ kind: 'add', key, value: 61 }, cache, model);
    assert.equal(cache.bytes, before);
  });

  it('drops the older half when it is full, and finds those coins in the store', async () => {
    const store = createMemoryStore();
    const cache = open(store, 2 << 20);
    const model = new Map<number, number>();
    let flushes = 0;
    for (let key = 0; key < 60_000; key++) {
      await take({ kind: 'add', key, value: 40 }, cache, model);
      if (!cache.isFull) continue;
      await cache.flush(BLOCK);
      flushes++;
      assert(!cache.isFull);
      assert(cache.bytes > 600_000, 'the newest coins stay');
    }
    assert(flushes > 1);
    for (let key = 0; key < 60_000; key += 7) await take({ kind: 'spend', key, value: 0 }, cache, model);
    for (let key = 0; key < 60_000; key += 5) await take({ kind: 'get', key, value: 0 }, cache, model);
  });

  it('never writes a coin that was born and spent between two flushes', async () => {
    const store = createMemoryStore();
    const cache = open(store);
    add(cache, 1, 1);
    spend(cache, 1);
    assert.equal(cache.dirtyCount, 0);
    await cache.flush(BLOCK);
    let records = 0;
    for await (const _ of store.entries()) records++;
    assert.equal(records, 1, 'only the name of the best block');
  });

  it('keeps what a failed flush did not write', async () => {
    const store = createMemoryStore();
    let full = true;
    const cache = open(
      withWrite(store, async (ops, options) => {
        if (full) throw new Error('disk full');
        await store.write(ops, options);
      }),
    );
    add(cache, 1, 1);
    await assert.rejects(cache.flush(BLOCK), /disk full/);
    assert.deepEqual(plain(cache.get(outpointOf(1))), plain(coinOf(1)));
    full = false;
    await cache.flush(BLOCK);
    assert.deepEqual(plain(open(store).get(outpointOf(1))), plain(coinOf(1)));
  });

  it('says between which blocks the coins are while a flush of many batches is under way', async () => {
    const store = createMemoryStore();
    let batches = 0;
    const cache = open(
      withWrite(store, async (ops, options) => {
        batches++;
        await store.write(ops, options);
        const seen = open(store);
        if (options?.sync) assert.equal(seen.storedHeadBlocks(), undefined);
        else assert.deepEqual(seen.storedHeadBlocks(), { to: NEXT, from: BLOCK });
        assert.equal(seen.storedBestBlock(), options?.sync ? (batches === 1 ? BLOCK : NEXT) : undefined);
      }),
      1 << 30,
    );
    await cache.flush(BLOCK);
    for (let key = 0; key < 60_000; key++) add(cache, key, 50);
    await cache.flush(NEXT);
    assert(batches > 2, `${batches} batches`);
  });
});
