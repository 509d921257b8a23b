import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import type { BlockVerdict, Chain, ChainChange, UtxoStats } from '#chain';
import type { NetworkParams } from '#consensus';
import { Block, type BlockHash, type Transaction } from '#primitives';
import { NodeError } from '#util';
import { loadNetwork } from '../../../src/node/networks.ts';
import { type ChainBuilder, createChainBuilder } from '../../support/chain-builder.ts';
import { createTestDisk, openTestChain } from '../../support/test-chain.ts';
import { buildTx, pay } from '../../support/tx-builder.ts';

const MATURITY = 100;
let params: NetworkParams;
before(async () => {
  params = await loadNetwork('regtest');
});

async function submitAll(chain: Chain, blocks: readonly Block[]): Promise<BlockVerdict[]> {
  const verdicts: BlockVerdict[] = [];
  for (const block of blocks) verdicts.push(await chain.submitBlock(block));
  return verdicts;
}

/** 110 blocks with spendable coinbases. */
function matureBuilder(seed = 1): ChainBuilder {
  const builder = createChainBuilder(params, { seed });
  builder.mineMany(MATURITY + 10);
  return builder;
}

/** Spends the coinbase at `height` of the builder's chain into two outputs. */
function spendCoinbase(builder: ChainBuilder, height: number): Transaction {
  return buildTx([builder.coin(height)], [pay(30_0000_0000n), pay(19_0000_0000n)]);
}

async function statsOfBlocks(blocks: readonly Block[]): Promise<UtxoStats> {
  const chain = await openTestChain(params);
  for (const verdict of await submitAll(chain, blocks)) assert.equal(verdict.kind, 'connected');
  return chain.utxoStats();
}

function codeOf(verdict: BlockVerdict): string {
  return verdict.kind === 'invalid' ? verdict.failure.code : verdict.kind;
}

describe('chain', () => {
  it('starts with genesis connected and nothing to spend', async () => {
    const chain = await openTestChain(params);
    assert.equal(chain.tip().hash, params.genesis.hash);
    assert.equal((await chain.utxoStats()).txouts, 0);
    assert.deepEqual(await chain.readBlock(params.genesis.hash), params.genesis.raw);
  });

  it('connects spends, in the same block too, and answers reads', async () => {
    const builder = matureBuilder();
    const first = spendCoinbase(builder, 1);
    const second = buildTx(
      [{ coin: { txid: first.txidBytes, index: 0, output: pay(30_0000_0000n) } }],
      [pay(29_0000_0000n)],
    );
    const block = builder.mine({ transactions: [first, second] });
    const chain = await openTestChain(params);
    await submitAll(chain, builder.blocks);
    assert.equal(chain.tip().hash, block.hash);
    assert.equal(chain.getCoin({ txid: first.txidBytes, index: 0 }), undefined);
    assert.equal(chain.getCoin({ txid: second.txidBytes, index: 0 })?.output.value, 29_0000_0000n);
    assert.equal(chain.activeAt(50)?.hash, builder.at(50).hash);
    const headers = chain.headersAfter([builder.at(100).hash], undefined, 5);
    assert.deepEqual(
      headers.map((header) => header.hash),
      [101, 102, 103, 104, 105].map((h) => builder.at(h).hash),
    );
    assert.equal((await chain.submitBlock(block)).kind, 'duplicate');
  });

  it('moves to the branch with more work, at any depth, and back to exactly the same coins', async () => {
    const main = matureBuilder();
    main.mine({ transactions: [spendCoinbase(main, 1)] });
    main.mineMany(39);
    const rival = main.fork(105);
    rival.mine({ transactions: [spendCoinbase(rival, 2), spendCoinbase(rival, 3)] });
    rival.mineMany(45);
    const chain = await openTestChain(params);
    const changes: ChainChange[] = [];
    chain.observe({ changed: (change) => void changes.push(change) });
    await submitAll(chain, main.blocks);
    const before = changes.length;
    const verdicts = await submitAll(chain, rival.blocks.slice(105));
    assert.equal(verdicts.filter((verdict) => verdict.kind === 'stored').length, 45, 'no more work yet');
    assert.equal(chain.tip().hash, rival.tip.hash);
    const moves = changes.slice(before);
    assert.equal(moves.flatMap((change) => change.disconnected).length, 45);
    assert.equal(moves.flatMap((change) => change.connected).length, 46);
    assert.deepEqual(await chain.utxoStats(), await statsOfBlocks(rival.blocks));
    main.mineMany(2);
    await submitAll(chain, main.blocks.slice(-2));
    assert.equal(chain.tip().hash, main.tip.hash);
    assert.deepEqual(await chain.utxoStats(), await statsOfBlocks(main.blocks));
  });

  it('keeps to the valid chain when a heavier branch proves invalid, and remembers', async () => {
    const main = matureBuilder();
    const evil = main.fork(106);
    const bad = evil.mine({ coinbaseValue: 51_0000_0000n });
    evil.mineMany(8);
    const chain = await openTestChain(params);
    await submitAll(chain, main.blocks);
    const invalid: [BlockHash, string][] = [];
    chain.observe({ blockInvalid: (hash, failure) => void invalid.push([hash, failure.code]) });
    const verdicts = await submitAll(chain, evil.blocks.slice(106));
    assert.deepEqual(verdicts.map(codeOf).slice(0, 4), ['stored', 'stored', 'stored', 'stored']);
    assert.deepEqual(codeOf(verdicts[4] as BlockVerdict), 'bad-prevblk');
    assert.deepEqual(invalid, [[bad.hash, 'bad-cb-amount']]);
    assert.equal(chain.tip().hash, main.tip.hash);
    assert.equal(chain.bestHeader().hash, main.tip.hash);
    assert.ok(chain.isInvalid(evil.tip.hash) || chain.getHeader(evil.tip.hash) === undefined);
    assert.equal(codeOf(await chain.submitBlock(bad)), 'duplicate', 'known to be invalid, as Core says it');
    assert.deepEqual(await chain.utxoStats(), await statsOfBlocks(main.blocks));
  });

  it('names what is wrong as Core does', async () => {
    const builder = matureBuilder();
    const chain = await openTestChain(params);
    await submitAll(chain, builder.blocks);
    const tx = spendCoinbase(builder, 1);
    const young = spendCoinbase(builder, 105);
    const unsigned = buildTx([{ coin: builder.coin(2), lock: { kind: 'anyone' } }], [pay(1n)]);
    const greedy = buildTx([builder.coin(3)], [pay(51_0000_0000n)]);
    const cases: [string, Block][] = [
      ['bad-cb-amount', builder.build({ transactions: [tx], coinbaseValue: 51_0000_0001n })],
      ['bad-txns-inputs-missingorspent', builder.build({ transactions: [tx, spendTwice(tx, builder)] })],
      ['bad-txns-premature-spend-of-coinbase', builder.build({ transactions: [young] })],
      ['bad-txns-in-belowout', builder.build({ transactions: [greedy] })],
      [
        'mandatory-script-verify-flag-failed (Operation not valid with the current stack size)',
        builder.build({ transactions: [unsigned] }),
      ],
      ['high-hash', builder.build({ work: 'invalid' })],
      ['bad-diffbits', builder.build({ mutateHeader: (fields) => ({ ...fields, bits: 0x1f7fffff }), work: 'none' })],
      ['time-too-old', builder.build({ time: builder.view(100).time })],
      ['bad-cb-missing', builder.build({ mutateTransactions: () => [tx] })],
      ['prev-blk-not-found', createChainBuilder(params, { seed: 9 }).fork(0).mineMany(2)[1] as Block],
    ];
    for (const [code, block] of cases) {
      const verdict = await chain.submitBlock(block);
      if (code === 'bad-diffbits') assert.match(codeOf(verdict), /bad-diffbits|high-hash/);
      else assert.equal(codeOf(verdict), code);
      assert.equal(chain.tip().hash, builder.tip.hash, code);
    }
    assert.equal(codeOf(await chain.submitBlock(builder.mine({ transactions: [tx] }))), 'connected');
  });

  it('does not hold a bad copy against the header', async () => {
    const builder = matureBuilder();
    const good = builder.build({ transactions: [spendCoinbase(builder, 1)] });
    const chain = await openTestChain(params);
    await submitAll(chain, builder.blocks);
    const shorn = Block.fromParts(good.header, good.transactions.slice(0, 1));
    const cut = new Block(good.raw.slice(0, -1));
    assert.equal(codeOf(await chain.submitBlock(shorn)), 'bad-txnmrklroot');
    assert.equal(codeOf(await chain.submitBlock(cut)), 'bad-blk-decode');
    assert.equal(codeOf(await chain.submitBlock(good)), 'connected');
  });

  it('reaches the same coins from any order of arrival, through crashes and tiny caches', async () => {
    const main = matureBuilder(3);
    main.mine({ transactions: [spendCoinbase(main, 1), spendCoinbase(main, 2)] });
    main.mineMany(3);
    const rival = main.fork(108);
    rival.mine({ transactions: [spendCoinbase(rival, 4)] });
    rival.mineMany(8);
    const expected = await statsOfBlocks(rival.blocks);
    const pool = [...main.blocks.slice(100), ...rival.blocks.slice(108)];
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray(pool, { minLength: pool.length }),
        fc.array(fc.nat(pool.length), { maxLength: 4 }),
        fc.constantFrom(0, 2_000, 1 << 20),
        async (order, crashes, dbCacheBytes) => {
          const disk = createTestDisk();
          let chain = await openTestChain(params, disk, { dbCacheBytes });
          await submitAll(chain, main.blocks.slice(0, 100));
          chain.submitHeaders([...main.blocks, ...rival.blocks].map((block) => block.header));
          for (const [i, block] of order.entries()) {
            if (crashes.includes(i)) {
              await chain.idle();
              chain = await openTestChain(params, disk, { dbCacheBytes });
              chain.submitHeaders([...main.blocks, ...rival.blocks].map((each) => each.header));
            }
            assert.notEqual((await chain.submitBlock(block)).kind, 'invalid');
          }
          // What a crash lost is asked for again by sync; here it is given again.
          await submitAll(chain, [...main.blocks, ...rival.blocks]);
          assert.deepEqual(await chain.utxoStats(), expected);
          const reopened = await openTestChain(params, disk, { dbCacheBytes });
          assert.deepEqual(await reopened.utxoStats(), expected);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('finds blocks again that were stored before a crash, and cuts off a torn record', async () => {
    const builder = createChainBuilder(params, { seed: 4 });
    builder.mineMany(20);
    const disk = createTestDisk();
    const chain = await openTestChain(params, disk);
    await submitAll(chain, builder.blocks.slice(0, 12));
    const whole = disk.blk.end();
    const record = builder.at(13).block.raw;
    const cutShort = [Uint8Array.of(record.length, 0, 0, 0), record.subarray(0, 100)];
    const zerosBehindTheMagic = [new Uint8Array(40)];
    let reopened = chain;
    for (const torn of [cutShort, zerosBehindTheMagic, []]) {
      await disk.blk.append([params.magic, ...torn]);
      reopened = await openTestChain(params, disk);
      assert.equal(reopened.tip().height, 12, 'connected again without asking anybody');
      assert.deepEqual(disk.blk.end(), whole);
    }
    await submitAll(reopened, builder.blocks.slice(12));
    assert.equal(reopened.tip().hash, builder.tip.hash);
  });

  it('does not blame a block for a full disk, and goes on when there is room', async () => {
    const builder = createChainBuilder(params, { seed: 5 });
    builder.mineMany(5);
    const disk = createTestDisk();
    let full = false;
    const blk = {
      ...disk.blk,
      end: () => disk.blk.end(),
      read: disk.blk.read.bind(disk.blk),
      files: disk.blk.files.bind(disk.blk),
      sync: disk.blk.sync.bind(disk.blk),
      truncate: disk.blk.truncate.bind(disk.blk),
      append: async (parts: readonly Uint8Array[]) => {
        if (full) throw new NodeError('DISK_FULL', 'the disk is full');
        return disk.blk.append(parts);
      },
    };
    const chain = await openTestChain(params, { ...disk, blk });
    await submitAll(chain, builder.blocks.slice(0, 2));
    full = true;
    const third = builder.at(3).block;
    await assert.rejects(chain.submitBlock(third), { code: 'DISK_FULL' });
    assert.equal(chain.isInvalid(third.hash), false);
    full = false;
    assert.equal((await chain.submitBlock(third)).kind, 'connected');
  });

  it('refuses new headers below a checkpoint that it has reached, after a restart too', async () => {
    const main = createChainBuilder(params, { seed: 8 });
    main.mineMany(10);
    const fork = main.fork(3);
    fork.mineMany(2);
    const checked = { ...params, checkpoints: new Map([[6, main.at(6).hash]]) };
    const disk = createTestDisk();
    const chain = await openTestChain(checked, disk);
    await submitAll(chain, main.blocks.slice(0, 5));
    assert.equal(chain.submitHeaders([fork.at(4).block.header]).kind, 'accepted', 'the checkpoint is not reached yet');
    await submitAll(chain, main.blocks.slice(5));
    await chain.flush();
    for (const each of [chain, await openTestChain(checked, disk)]) {
      const verdict = each.submitHeaders([fork.at(5).block.header]);
      assert.equal(verdict.kind === 'rejected' && verdict.failure.code, 'bad-fork-prior-to-checkpoint');
    }
  });

  it('refuses the data of another network', async () => {
    const disk = createTestDisk();
    await openTestChain(params, disk);
    await assert.rejects(openTestChain(await loadNetwork('testnet3'), disk), { code: 'WRONG_NETWORK' });
  });

  it('runs no observer twice at a time and lets it finish before the next change', async () => {
    const builder = createChainBuilder(params, { seed: 6 });
    builder.mineMany(6);
    const chain = await openTestChain(params);
    const heights: number[] = [];
    let isBusy = false;
    chain.observe({
      changed: async ({ connected, tip }) => {
        assert(!isBusy);
        isBusy = true;
        for (const { entry } of connected) heights.push(entry.height);
        assert.equal(tip.height, heights.at(-1));
        assert.equal(chain.tip().height, tip.height, 'the chain waits');
        await Promise.resolve();
        isBusy = false;
      },
    });
    await Promise.all(builder.blocks.map((block) => chain.submitBlock(block)));
    assert.deepEqual(heights, [1, 2, 3, 4, 5, 6]);
  });
});

/** Another transaction that spends the same coin. */
function spendTwice(_tx: Transaction, builder: ChainBuilder): Transaction {
  return buildTx([builder.coin(1)], [pay(10_0000_0000n)]);
}
