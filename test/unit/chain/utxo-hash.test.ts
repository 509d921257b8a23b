import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { hash256, MuHash3072 } from '#crypto';
import { type BatchOp, createMemoryStore } from '#store';
import { concatBytes, fromHex, toHex, toReversedHex } from '#util';
import { readBlockFile } from '../../../src/chain/block-scan.ts';
import { COIN_KEYS, decodeCoin, decodeCoinKey, encodeCoin, encodeCoinKey } from '../../../src/chain/coin-codec.ts';
import type { Coin, OutPoint } from '../../../src/chain/port.ts';
import { computeUtxoFigures, serializeUtxo } from '../../../src/chain/utxo-hash.ts';
import { sharedPath } from '../../support/shared.ts';

type Entry = readonly [OutPoint, Coin];

async function* inKeyOrder(entries: readonly Entry[]): AsyncGenerator<Entry> {
  await using store = createMemoryStore();
  const ops = entries.map(([at, coin]): BatchOp => ({ kind: 'put', key: encodeCoinKey(at), value: encodeCoin(coin) }));
  await store.write(ops);
  for await (const [key, value] of store.entries(COIN_KEYS)) yield [decodeCoinKey(key), decodeCoin(value)];
}

const entry = (txidByte: number, index: number, coin: Partial<Coin> = {}): Entry => [
  { txid: new Uint8Array(32).fill(txidByte), index },
  {
    output: { value: 1000n + BigInt(index), scriptPubKey: Uint8Array.of(0x51) },
    height: 5,
    isCoinbase: false,
    ...coin,
  },
];

test('an element is outpoint, height and coinbase, amount, script', () => {
  const [at, coin] = entry(0xab, 258, { height: 100, isCoinbase: true });
  const expected = `${'ab'.repeat(32)}02010000c9000000ea0400000000000001${'51'}`;
  assert.equal(toHex(serializeUtxo(at, coin)), expected);
});

test('an empty set has the hashes of nothing', async () => {
  const figures = await computeUtxoFigures(inKeyOrder([]));
  assert.equal(figures.txouts, 0);
  assert.equal(figures.transactions, 0);
  assert.equal(figures.hashSerialized3, toReversedHex(hash256(new Uint8Array(0))));
  assert.equal(figures.muhash, toReversedHex(new MuHash3072().digest()));
});

test('outputs of a transaction are hashed by index, also where the keys sort otherwise', async () => {
  const indexes = [0, 127, 128, 255, 256, 16_511, 16_512, 40_000];
  const entries = indexes.map((index) => entry(7, index));
  const keys = entries.map(([at]) => toHex(encodeCoinKey(at)));
  assert.notDeepEqual([...keys].sort(), keys, 'the sample must contain keys out of numeric order');
  const serialized = concatBytes(...entries.map(([at, coin]) => serializeUtxo(at, coin)));
  const figures = await computeUtxoFigures(inKeyOrder(entries.toReversed()));
  assert.equal(figures.hashSerialized3, toReversedHex(hash256(serialized)));
  assert.equal(figures.transactions, 1);
  assert.equal(figures.txouts, indexes.length);
});

test('long scripts and many coins pass the internal buffer unharmed', async () => {
  const big = { output: { value: 1n, scriptPubKey: new Uint8Array(10_000).fill(0x52) }, height: 1, isCoinbase: false };
  const entries = Array.from({ length: 20 }, (_, i) => entry(i, i, i % 2 === 0 ? big : {}));
  const hash = createHash('sha256');
  for (const [at, coin] of entries) hash.update(serializeUtxo(at, coin));
  const figures = await computeUtxoFigures(inKeyOrder(entries));
  assert.equal(figures.hashSerialized3, toReversedHex(createHash('sha256').update(hash.digest()).digest()));
  assert.equal(figures.transactions, 20);
  assert.equal(figures.bogoSize, 20 * 50 + 10 * 10_000 + 10);
});

test('an abort stops the walk', async () => {
  const stop = new AbortController();
  stop.abort(new Error('enough'));
  await assert.rejects(computeUtxoFigures(inKeyOrder([entry(1, 1)]), { signal: stop.signal }), /enough/);
});

test('the first 4,313 mainnet blocks give what Bitcoin Core 27.0 gives', async (t) => {
  const path = sharedPath('data/mainnet-0-4312.dat');
  if (path === undefined) {
    t.skip('shared/data/mainnet-0-4312.dat is absent');
    return;
  }
  const coins = new Map<string, Entry>();
  let height = 0;
  for await (const item of readBlockFile(path, fromHex('f9beb4d9'))) {
    assert.ok(item.kind === 'block');
    // Not the genesis block: its output was never a coin.
    for (const tx of height === 0 ? [] : item.block.transactions) {
      if (!tx.isCoinbase) for (const input of tx.inputs) coins.delete(`${toHex(input.prevTxid)}:${input.prevIndex}`);
      tx.outputs.forEach((output, index) => {
        const coin: Coin = { output, height, isCoinbase: tx.isCoinbase };
        coins.set(`${toHex(tx.txidBytes)}:${index}`, [{ txid: tx.txidBytes, index }, coin]);
      });
    }
    height += 1;
  }
  const figures = await computeUtxoFigures(inKeyOrder([...coins.values()]));
  assert.equal(figures.txouts, 4149);
  assert.equal(figures.totalAmount, 21_560_000_000_000n);
  assert.equal(figures.hashSerialized3, 'fa5670424a993c1c40c2ec80fdac5deaf80f14f3857ea2e16a1339ee7a596e62');
  assert.equal(figures.muhash, '8ddda2747fb03d2bf57e08a23d4cab90f9e062c28bf5822760edc5238128a7e5');
});
