import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseBlockHash } from '#primitives';
import { createMemoryStore } from '#store';
import { CoinsCache, coinKey } from '../../../src/chain/coins-cache.ts';
import { CoinsView } from '../../../src/chain/coins-view.ts';
import type { Coin } from '../../../src/chain/port.ts';

const BLOCK = parseBlockHash('11'.repeat(32));

const keyOf = (n: number) => coinKey({ txid: new Uint8Array(32).fill(n % 8), index: n >> 3 });
const coinOf = (n: number): Coin => ({
  output: { value: BigInt(n) * 1000n, scriptPubKey: Uint8Array.of(0x51, n & 0xff) },
  height: n,
  isCoinbase: n % 2 === 1,
});

type Step =
  | { readonly kind: 'add' | 'spend' | 'get' | 'prefetch'; readonly key: number; readonly value: number }
  | { readonly kind: 'flush' | 'reopen' | 'commit' | 'drop' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constantFrom('add', 'spend', 'get', 'prefetch'),
      key: fc.nat(15),
      value: fc.nat(500),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('flush', 'reopen', 'commit', 'drop') }) },
);

describe('CoinsCache and CoinsView', () => {
  it('agree with a plain map through flushes, evictions, reopenings and dropped views', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 120 }), fc.nat(2000), async (steps, keepBytes) => {
        const store = createMemoryStore();
        let cache = new CoinsCache(store);
        let view = new CoinsView(cache);
        let committed = new Map<number, Coin>();
        let current = new Map<number, Coin>();
        const commit = (): void => {
          view.commit();
          committed = new Map(current);
        };
        for (const each of steps) {
          switch (each.kind) {
            case 'add':
              // A coin may be replaced only where BIP30 allows it, which the caller says.
              view.add(keyOf(each.key), coinOf(each.value), current.has(each.key) || each.value % 3 === 0);
              current.set(each.key, coinOf(each.value));
              break;
            case 'spend':
              assert.deepEqual(plain(view.spend(keyOf(each.key))), plain(current.get(each.key)));
              current.delete(each.key);
              break;
            case 'get':
              assert.deepEqual(plain(view.get(keyOf(each.key))), plain(current.get(each.key)));
              break;
            case 'prefetch':
              await cache.prefetch([keyOf(each.key)]);
              break;
            case 'commit':
              commit();
              break;
            case 'drop':
              view = new CoinsView(cache);
              current = new Map(committed);
              break;
            case 'flush':
            case 'reopen':
              commit();
              await cache.flush(BLOCK, keepBytes);
              assert.equal(cache.dirtyBytes, 0);
              assert.equal(cache.storedBestBlock(), BLOCK);
              if (each.kind === 'reopen') cache = new CoinsCache(store);
              view = new CoinsView(cache);
              break;
          }
        }
        commit();
        await cache.flush(BLOCK, 0);
        assert.equal(cache.bytes, 0);
        const fresh = new CoinsCache(store);
        for (let key = 0; key < 16; key++) assert.deepEqual(plain(fresh.get(keyOf(key))), plain(committed.get(key)));
      }),
      { numRuns: 300 },
    );
  });

  it('never writes a coin that was born and spent between two flushes', async () => {
    const store = createMemoryStore();
    const cache = new CoinsCache(store);
    cache.add(keyOf(1), coinOf(1), false);
    cache.spend(keyOf(1));
    assert.equal(cache.bytes, 0);
    await cache.flush(BLOCK, 0);
    let records = 0;
    for await (const _ of store.entries()) records++;
    assert.equal(records, 1, 'only the name of the best block');
  });

  it('keeps what a failed flush did not write', async () => {
    const store = createMemoryStore();
    let full = true;
    const cache = new CoinsCache({
      ...store,
      write: async (ops, options) => {
        if (full) throw new Error('disk full');
        await store.write(ops, options);
      },
    });
    cache.add(keyOf(1), coinOf(1), false);
    await assert.rejects(cache.flush(BLOCK, 0), /disk full/);
    assert.deepEqual(plain(cache.get(keyOf(1))), plain(coinOf(1)));
    full = false;
    await cache.flush(BLOCK, 0);
    assert.deepEqual(plain(new CoinsCache(store).get(keyOf(1))), plain(coinOf(1)));
  });
});

/** Buffers and Uint8Arrays of one content are equal here. */
function plain(coin: Coin | undefined) {
  return coin && { ...coin, output: { ...coin.output, scriptPubKey: [...coin.output.scriptPubKey] } };
}
