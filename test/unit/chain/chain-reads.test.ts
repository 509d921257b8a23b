/** Reads of blocks and coins beyond what nodes ask each other for. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Chain } from '#chain';
import { type Block, Transaction } from '#primitives';
import { equalBytes, toHex } from '#util';
import { INDEX_KEYS } from '../../../src/chain/block-index.ts';
import { createChainBuilder, regtest } from '../../support/chain-builder.ts';
import { createTestDisk, openTestChain, type TestDisk } from '../../support/test-chain.ts';
import { buildTx, pay } from '../../support/tx-builder.ts';

const params = regtest();
const builder = createChainBuilder(params, { seed: 51 });
builder.mineMany(105);
const first = buildTx([builder.coin(1)], [pay(30_0000_0000n), pay(19_0000_0000n, { kind: 'anyone' })]);
const second = buildTx([builder.coin(2), builder.coin(3)], [pay(99_0000_0000n)]);
builder.mine({ transactions: [first, second] });
const rival = builder.fork(104);
rival.mineMany(4);

async function feed(chain: Chain, blocks: readonly Block[]): Promise<void> {
  for (const block of blocks) await chain.submitBlock(block);
}

async function filled(disk?: TestDisk): Promise<Chain> {
  const chain = await openTestChain(params, disk);
  await feed(chain, builder.blocks);
  return chain;
}

describe('counts of transactions', () => {
  it('follow the active chain, also where it moves', async () => {
    const chain = await filled();
    assert.equal(chain.txCount(params.genesis.hash), 1);
    assert.equal(chain.txCount(builder.tip.hash), 3);
    assert.equal(chain.totalTxCount(0), 1);
    assert.equal(chain.totalTxCount(106), 109);
    assert.equal(chain.totalTxCount(107), undefined);
    await feed(chain, rival.blocks.slice(104));
    assert.equal(chain.totalTxCount(106), 107);
    assert.equal(chain.totalTxCount(108), 109);
    await chain.invalidateBlock(rival.at(105).hash);
    assert.equal(chain.totalTxCount(106), 109);
    assert.equal(chain.totalTxCount(107), undefined);
    assert.equal(chain.txCount(rival.tip.hash), 1, 'of other branches too');
  });

  it('are unknown of a header', async () => {
    const chain = await filled();
    chain.submitHeaders(rival.blocks.slice(104).map(({ header }) => header));
    assert.equal(chain.txCount(rival.tip.hash), 0);
  });

  it('survive a restart, and are read from the blocks of a directory that lacks them', async () => {
    const disk = createTestDisk();
    await (await filled(disk))[Symbol.asyncDispose]();
    // As the first layout had it.
    for await (const [key, value] of disk.indexStore.entries(INDEX_KEYS)) {
      const old = value.slice(0, -4);
      old[0] = 1;
      await disk.indexStore.write([{ kind: 'put', key, value: old }]);
    }
    for (let start = 0; start < 2; start++) {
      const chain = await openTestChain(params, disk);
      assert.equal(chain.txCount(builder.tip.hash), 3);
      assert.equal(chain.totalTxCount(106), 109);
      await chain[Symbol.asyncDispose]();
    }
    const versions = await Array.fromAsync(disk.indexStore.entries(INDEX_KEYS), ([, value]) => value[0]);
    assert.deepEqual([...new Set(versions)], [2]);
  });
});

describe('parts of blocks', () => {
  it('what a block spent is read by transaction and input', async () => {
    const chain = await filled();
    const undo = await chain.readUndo(builder.tip.hash);
    const spent = [1, 2, 3].map((height) => ({ output: builder.coin(height).output, height, isCoinbase: true }));
    assert.deepEqual(
      undo?.map((coins) => coins.map(({ output, ...rest }) => ({ output: { ...output }, ...rest }))),
      [spent.slice(0, 1), spent.slice(1)],
    );
    assert.deepEqual(await chain.readUndo(params.genesis.hash), []);
    assert.deepEqual(await chain.readUndo(builder.at(3).hash), []);
    await feed(chain, rival.blocks.slice(104, 105));
    assert.equal(await chain.readUndo(rival.at(105).hash), undefined, 'never connected');
    await feed(chain, rival.blocks.slice(105));
    assert.equal((await chain.readUndo(builder.tip.hash))?.length, 2, 'left again, and still there');
  });

  it('a transaction is read from within its block', async () => {
    const chain = await filled();
    const position = chain.blockPosition(builder.tip.hash);
    assert.ok(position);
    const { raw } = builder.tip.block;
    const offset = Buffer.from(raw).indexOf(first.raw);
    const bytes = await chain.readBlockPart(position, offset, first.raw.length);
    assert.equal(Transaction.fromBytes(bytes).txid, first.txid);
    assert.equal((await chain.readBlockPart(position, raw.length, 100)).length, 0, 'the file ends there');
    assert.equal(chain.blockPosition(rival.tip.hash), undefined);
  });
});

describe('walks over all coins', () => {
  it('find scripts, as of one block', async () => {
    const chain = await filled();
    const anyone = pay(0n, { kind: 'anyone' }).scriptPubKey;
    const scan = await chain.scanCoins({ matches: (script) => equalBytes(script, anyone) });
    assert.equal(scan.height, 106);
    assert.equal(scan.bestBlock, builder.tip.hash);
    assert.equal(scan.txouts, 106);
    assert.deepEqual(
      scan.coins.map(([{ txid, index }, { output, height, isCoinbase }]) => [
        toHex(txid),
        index,
        output.value,
        height,
        isCoinbase,
      ]),
      [[toHex(first.txidBytes), 1, 19_0000_0000n, 106, false]],
    );
  });

  it('tell how far they are, and end when they are aborted', async () => {
    const builder = createChainBuilder(params, { seed: 52 });
    builder.mineMany(101);
    const outputs = Array.from({ length: 2500 }, () => pay(1000n, { kind: 'anyone' }));
    builder.mine({ transactions: [buildTx([builder.coin(1)], outputs)] });
    const chain = await openTestChain(params);
    await feed(chain, builder.blocks);
    const shares: number[] = [];
    const stop = new AbortController();
    await chain.scanCoins({ matches: () => false, onProgress: (share) => shares.push(share) });
    assert.equal(shares.length, 2);
    assert.ok(shares.every((share) => share >= 0 && share < 1));
    const scan = chain.scanCoins({
      matches: () => true,
      onProgress: () => stop.abort(new Error('enough')),
      signal: stop.signal,
    });
    await assert.rejects(scan, /enough/);
  });

  it('compute only the hashes that are asked for', async () => {
    const chain = await filled();
    const both = await chain.utxoStats();
    assert.equal(both.transactions, 105);
    assert.deepEqual(await chain.utxoStats({ hashes: ['muhash'] }), { ...both, hashSerialized3: '' });
    assert.deepEqual(await chain.utxoStats({ hashes: ['hash_serialized_3'] }), { ...both, muhash: '' });
    assert.deepEqual(await chain.utxoStats({ hashes: [] }), { ...both, hashSerialized3: '', muhash: '' });
  });
});
