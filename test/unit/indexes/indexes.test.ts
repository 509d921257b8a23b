/** The indexes follow a chain that grows, forks and is opened again; what they answer is computed a second way. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Chain } from '#chain';
import { hash256 } from '#crypto';
import { type Block, type BlockHash, idToBytes } from '#primitives';
import { createMemoryStore, type KeyValueStore } from '#store';
import { concatBytes, NodeError, nextTurn, nullLogger, toHex } from '#util';
import { type IndexesDeps, type IndexStores, type RunningIndexes, startIndexes } from '../../../src/indexes/indexes.ts';
import { type ChainBuilder, createChainBuilder, regtest } from '../../support/chain-builder.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { createTestDisk, openTestChain } from '../../support/test-chain.ts';
import { buildTx, pay } from '../../support/tx-builder.ts';
import { paramsOf } from '../consensus/fixtures.ts';

const params = regtest();
const COIN = 1_0000_0000n;

function stores() {
  return { transactions: createMemoryStore(), filters: createMemoryStore(), coinStats: createMemoryStore() };
}

function start(chain: Chain, on: IndexStores = stores(), others: Partial<IndexesDeps> = {}): RunningIndexes {
  return startIndexes(on, {
    chain,
    clock: createManualClock(),
    log: nullLogger,
    onFatal: (error) => {
      throw error;
    },
    ...others,
  });
}

/** The store, but for what happens to writes. */
function writtenBy(store: KeyValueStore, write: KeyValueStore['write']): KeyValueStore {
  return {
    write,
    get: (key) => store.get(key),
    getMany: (keys) => store.getMany(keys),
    clear: (range) => store.clear(range),
    entries: (range) => store.entries(range),
    sizeOnDisk: () => store.sizeOnDisk(),
    trim: () => store.trim(),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

async function feed(chain: Chain, blocks: readonly Block[]): Promise<void> {
  for (const block of blocks) await chain.submitBlock(block);
}

/** Resolves when all stand at the tip. */
async function synced(indexes: RunningIndexes, chain: Chain): Promise<void> {
  const { height } = chain.tip();
  while (!indexes.info().every((info) => info.synced && info.bestBlockHeight === height)) await nextTurn();
}

/** 102 blocks; the last spends, burns, and claims less than it may. */
function spendingBuilder(): ChainBuilder {
  const builder = createChainBuilder(params, { seed: 61 });
  builder.mineMany(101);
  const burn = { value: 2n * COIN, scriptPubKey: Uint8Array.of(0x6a, 0x01, 0x07) };
  const first = buildTx([builder.coin(1)], [pay(30n * COIN), burn, pay(17n * COIN)]);
  const second = buildTx([{ coin: { txid: first.txidBytes, index: 0, output: pay(30n * COIN) } }], [pay(29n * COIN)]);
  builder.mine({ transactions: [first, second], coinbaseValue: 40n * COIN });
  return builder;
}

/** All that the indexes say of each block of a branch, so that two of them can be compared. */
async function answers(indexes: RunningIndexes, builder: ChainBuilder) {
  return Promise.all(
    builder.blocks.map(async ({ hash, transactions }) => ({
      stats: await indexes.coinStats(hash),
      filter: await indexes.filter(hash),
      in: await Promise.all(transactions.map(async ({ txid }) => (await indexes.transaction(txid))?.blockHash)),
    })),
  );
}

/** Of a chain that never saw anything but this branch. */
async function straightAnswers(builder: ChainBuilder) {
  const chain = await openTestChain(params);
  await feed(chain, builder.blocks);
  await using indexes = start(chain);
  await synced(indexes, chain);
  return answers(indexes, builder);
}

describe('indexes', () => {
  it('catch up with a chain, and then follow it', async () => {
    const builder = spendingBuilder();
    const chain = await openTestChain(params);
    await feed(chain, builder.blocks.slice(0, 50));
    await using indexes = start(chain);
    await synced(indexes, chain);
    assert.deepEqual(indexes.info(), [
      { name: 'txindex', synced: true, bestBlockHeight: 50 },
      { name: 'basic block filter index', synced: true, bestBlockHeight: 50 },
      { name: 'coinstatsindex', synced: true, bestBlockHeight: 50 },
    ]);
    await feed(chain, builder.blocks.slice(50));
    // Whoever asks after a block was connected gets an answer that knows it.
    const [, tx] = builder.tip.block.transactions;
    assert.ok(tx);
    const found = await indexes.transaction(tx.txid);
    assert.equal(found?.blockHash, builder.tip.hash);
    assert.equal(found?.tx.wtxid, tx.wtxid);
    assert.equal((await indexes.coinStats(102))?.blockHash, builder.tip.hash);
    assert.equal(await indexes.coinStats(103), undefined);
    assert.notEqual(await indexes.filter(builder.tip.hash), undefined);
    assert.equal(indexes.nextHeight(), 103);
  });

  it('give the figures that a walk over all coins gives, and account for every satoshi', async () => {
    const builder = spendingBuilder();
    const chain = await openTestChain(params);
    await feed(chain, builder.blocks);
    await using indexes = start(chain);
    await synced(indexes, chain);
    const walked = await chain.utxoStats();
    const stats = await indexes.coinStats(chain.tip().hash);
    assert.ok(stats);
    const { muhash, txouts, bogoSize, totalAmount } = stats;
    assert.deepEqual(
      { muhash, txouts, bogoSize, totalAmount },
      { muhash: walked.muhash, txouts: walked.txouts, bogoSize: walked.bogoSize, totalAmount: walked.totalAmount },
    );
    assert.deepEqual(stats.blockInfo, {
      prevoutSpent: 80n * COIN,
      coinbase: 40n * COIN,
      newOutputsExCoinbase: (30n + 17n + 29n) * COIN,
      unspendable: (2n + 12n) * COIN,
      unspendables: { genesisBlock: 0n, bip30: 0n, scripts: 2n * COIN, unclaimedRewards: 12n * COIN },
    });
    assert.equal(stats.totalUnspendableAmount, (50n + 14n) * COIN);
    const genesis = await indexes.coinStats(0);
    assert.equal(genesis?.totalUnspendableAmount, 50n * COIN);
    assert.equal(genesis.blockInfo.unspendables.genesisBlock, 50n * COIN);
    assert.equal(genesis.txouts, 0);
  });

  it('link filter headers from block to block, and leave genesis out of the txindex', async () => {
    const chain = await openTestChain(params);
    const builder = spendingBuilder();
    await feed(chain, builder.blocks);
    await using indexes = start(chain);
    await synced(indexes, chain);
    let previous = new Uint8Array(32);
    for (let height = 0; height <= builder.height; height++) {
      const found = await indexes.filter(builder.at(height).hash);
      assert.ok(found);
      assert.equal(toHex(found.header), toHex(hash256(concatBytes(hash256(found.filter), previous))));
      previous = new Uint8Array(found.header);
    }
    assert.equal(await indexes.transaction(params.genesis.transactions[0]?.txid ?? ('' as never)), undefined);
    assert.equal(await indexes.filter('11'.repeat(32) as BlockHash), undefined);
  });

  it('follow a reorganisation, and still know the blocks that were left', async () => {
    const builder = spendingBuilder();
    const rival = builder.fork(95);
    rival.mineMany(10);
    const chain = await openTestChain(params);
    await feed(chain, builder.blocks);
    await using indexes = start(chain);
    await synced(indexes, chain);
    const left = (await answers(indexes, builder)).slice(95);
    await feed(chain, rival.blocks.slice(95));
    assert.equal(chain.tip().hash, rival.tip.hash);
    assert.deepEqual(await answers(indexes, rival), await straightAnswers(rival));
    assert.deepEqual((await answers(indexes, builder)).slice(95), left, 'the transactions are in no other block');
    await chain.invalidateBlock(rival.at(96).hash);
    builder.mineMany(5);
    await feed(chain, builder.blocks.slice(-5));
    assert.equal((await indexes.coinStats(107))?.blockHash, builder.tip.hash);
    assert.deepEqual(await answers(indexes, builder), await straightAnswers(builder));
  });

  it('go on where they stood, also when the chain was left behind or went another way', async () => {
    const builder = spendingBuilder();
    const rival = builder.fork(60);
    rival.mineMany(60);
    const on = stores();
    const disk = createTestDisk();
    const before = await openTestChain(params, disk);
    await feed(before, builder.blocks);
    const first = start(before, on);
    await synced(first, before);
    await first[Symbol.asyncDispose]();
    // The chain lost its last blocks: as after a power failure.
    const shorter = await openTestChain(params);
    await feed(shorter, builder.blocks.slice(0, 80));
    const second = start(shorter, on);
    await synced(second, shorter);
    assert.equal((await second.coinStats(80))?.blockHash, builder.at(80).hash);
    await second[Symbol.asyncDispose]();
    const other = await openTestChain(params);
    await feed(other, rival.blocks);
    await using third = start(other, on);
    await synced(third, other);
    const straight = await straightAnswers(rival);
    const now = await answers(third, rival);
    assert.deepEqual(
      now.map(({ stats, filter }) => ({ stats, filter })),
      straight.map(({ stats, filter }) => ({ stats, filter })),
    );
  });

  it('go back further than the last states of the coins', async () => {
    const builder = createChainBuilder(params, { seed: 62 });
    builder.mineMany(330);
    const rival = builder.fork(10);
    rival.mineMany(325);
    const chain = await openTestChain(params);
    await feed(chain, builder.blocks);
    const on = stores();
    await using indexes = start(chain, on);
    await synced(indexes, chain);
    const keys = await Array.fromAsync(on.coinStats.entries({ gte: Uint8Array.of(0x6d), lt: Uint8Array.of(0x6e) }));
    assert.equal(keys.length, 301, 'the last 300, and genesis');
    await feed(chain, rival.blocks.slice(10));
    assert.equal(chain.tip().hash, rival.tip.hash);
    await synced(indexes, chain);
    assert.equal((await indexes.coinStats(335))?.muhash, (await chain.utxoStats()).muhash);
  });
});

describe('an index that falls behind', () => {
  it('is not synced until it has caught up, and keeps nobody waiting', async () => {
    const builder = createChainBuilder(params, { seed: 65 });
    builder.mineMany(40);
    const chain = await openTestChain(params);
    const store = createMemoryStore();
    let open = Promise.withResolvers<void>();
    open.resolve();
    const slow = writtenBy(store, async (ops) => {
      await open.promise;
      await store.write(ops);
    });
    await using indexes = start(chain, { coinStats: slow }, { maxLagBlocks: 10 });
    await synced(indexes, chain);
    open = Promise.withResolvers();
    await feed(chain, builder.blocks.slice(0, 5));
    const soon = indexes.coinStats(5);
    assert.equal(indexes.info()[0]?.synced, true, 'a few blocks count as nothing');
    await feed(chain, builder.blocks.slice(5, 30));
    const first = open;
    open = Promise.withResolvers();
    first.resolve();
    // The write of block 1 is done, and 29 are left.
    assert.equal(await soon, undefined);
    assert.deepEqual(indexes.info(), [{ name: 'coinstatsindex', synced: false, bestBlockHeight: 1 }]);
    assert.equal(await indexes.coinStats(30), undefined);
    open.resolve();
    await synced(indexes, chain);
    assert.equal((await indexes.coinStats(30))?.height, 30);
  });
});

describe('coins of a coinbase that another one replaced', () => {
  it('count as unspendable, and as none of the set', async () => {
    const builder = createChainBuilder(params, { seed: 64 });
    builder.mineMany(5);
    const replaced = { ...params, bip30Unspendable: new Map([[4, builder.at(4).hash]]) };
    const chain = await openTestChain(replaced);
    await feed(chain, builder.blocks);
    await using indexes = start(chain);
    await synced(indexes, chain);
    const stats = await indexes.coinStats(4);
    assert.equal(stats?.txouts, 3);
    assert.equal(stats.blockInfo.coinbase, 0n);
    assert.equal(stats.blockInfo.unspendables.bip30, 50n * COIN);
    assert.equal((await indexes.coinStats(5))?.totalUnspendableAmount, 100n * COIN);
  });
});

describe('indexes and a disk that fails', () => {
  it('try again until there is room', async () => {
    const builder = spendingBuilder();
    const chain = await openTestChain(params);
    await feed(chain, builder.blocks);
    const clock = createManualClock();
    const coinStats = createMemoryStore();
    let writes = 0;
    const failing = writtenBy(coinStats, async (ops) => {
      writes++;
      if (writes === 20 || writes === 21) throw new NodeError('DISK_FULL', 'no room');
      await coinStats.write(ops);
    });
    await using indexes = start(chain, { coinStats: failing }, { clock });
    for (const failed of [20, 21]) {
      while (clock.pending() === 0) await nextTurn();
      assert.equal(writes, failed);
      assert.deepEqual(indexes.info(), [{ name: 'coinstatsindex', synced: false, bestBlockHeight: 18 }]);
      await clock.advance(10_000);
    }
    await synced(indexes, chain);
    assert.equal((await indexes.coinStats(102))?.muhash, (await chain.utxoStats()).muhash);
  });

  it('give up on damage, and say so once', async () => {
    const chain = await openTestChain(params);
    await feed(chain, spendingBuilder().blocks);
    const failures: unknown[] = [];
    const filters = writtenBy(createMemoryStore(), async () => {
      throw new NodeError('CORRUPT_DATA', 'damaged');
    });
    await using indexes = start(chain, { filters }, { onFatal: (error) => failures.push(error) });
    while (failures.length === 0) await nextTurn();
    assert.equal((failures[0] as NodeError).code, 'CORRUPT_DATA');
    await nextTurn();
    assert.equal(failures.length, 1);
    assert.equal(await indexes.filter(params.genesis.hash), undefined);
  });
});

describe('indexes and what they lack', () => {
  it('refuse a chain that they do not belong to', async () => {
    const builder = spendingBuilder();
    const on = stores();
    const chain = await openTestChain(params);
    await feed(chain, builder.blocks);
    const indexes = start(chain, on);
    await synced(indexes, chain);
    await indexes[Symbol.asyncDispose]();
    const other = await openTestChain(paramsOf('testnet3'));
    assert.throws(() => start(other, on), /txindex: best block of the index not found/);
  });

  it('refuse what was pruned before they read it', async () => {
    const builder = createChainBuilder(params, { seed: 63 });
    builder.mineMany(400);
    const maxFileBytes = 2048;
    const pruning = { pruneBytes: 1, maxFileBytes };
    const chain = await openTestChain(params, createTestDisk(maxFileBytes), pruning);
    await feed(chain, builder.blocks);
    assert.throws(
      () => start(chain, { filters: createMemoryStore() }),
      (error: NodeError) =>
        error.code === 'BAD_CONFIG' &&
        /^basic block filter index best block of the index goes beyond pruned data; disable the index or start with --reindex \(which will download the whole blockchain again\)$/.test(
          error.message,
        ),
    );
  });

  it('keep blocks from being pruned until they have read them', async () => {
    const builder = createChainBuilder(params, { seed: 66 });
    builder.mineMany(400);
    const maxFileBytes = 2048;
    let nextHeight = (): number => 0;
    const pruning = { pruneBytes: 1, maxFileBytes, keepFrom: () => nextHeight() };
    const chain = await openTestChain(params, createTestDisk(maxFileBytes), pruning);
    const open = Promise.withResolvers<void>();
    const filters = createMemoryStore();
    const slow = writtenBy(filters, async (ops) => {
      if (nextHeight() === 60) await open.promise;
      await filters.write(ops);
    });
    await using indexes = start(chain, { filters: slow });
    nextHeight = indexes.nextHeight;
    await feed(chain, builder.blocks.slice(0, 390));
    while (indexes.nextHeight() < 60) await nextTurn();
    await chain.flush();
    const lowest = chain.lowestStoredHeight();
    assert.ok(lowest > 30 && lowest <= 50, `kept from ${lowest}`);
    open.resolve();
    await synced(indexes, chain);
    await feed(chain, builder.blocks.slice(390));
    assert.ok(chain.lowestStoredHeight() > 90);
    assert.notEqual(await indexes.filter(builder.at(5).hash), undefined, 'of pruned blocks too');
  });

  it('answer nothing where they are not kept', async () => {
    const chain = await openTestChain(params);
    await using indexes = start(chain, {});
    assert.deepEqual(indexes.info(), []);
    assert.equal(indexes.nextHeight(), Number.POSITIVE_INFINITY);
    const { hash } = params.genesis;
    assert.equal(await indexes.filter(hash), undefined);
    assert.equal(await indexes.coinStats(0), undefined);
    assert.equal(await indexes.transaction(params.genesis.transactions[0]?.txid ?? ('' as never)), undefined);
  });

  it('say so when a transaction is not where it should be', async () => {
    const builder = spendingBuilder();
    const chain = await openTestChain(params);
    await feed(chain, builder.blocks);
    const on = stores();
    await using indexes = start(chain, on);
    await synced(indexes, chain);
    const [a, b] = [builder.at(5).block.transactions[0], builder.at(6).block.transactions[0]];
    assert.ok(a && b);
    const key = (txid: string): Uint8Array => concatBytes(Uint8Array.of(0x74), idToBytes(txid as BlockHash));
    const place = on.transactions.get(key(a.txid));
    assert.ok(place);
    await on.transactions.write([{ kind: 'put', key: key(b.txid), value: place }]);
    await assert.rejects(indexes.transaction(b.txid), /damaged index: transaction .* is not where the txindex says/);
  });
});
