import assert from 'node:assert/strict';
import { before, beforeEach, describe, it } from 'node:test';
import type { Chain } from '#chain';
import type { NetworkParams } from '#consensus';
import { createMempool, type Mempool } from '#mempool';
import { type Block, Transaction } from '#primitives';
import { buildCompactBlock, topics, txMessageFor } from '#protocol';
import { nullLogger } from '#util';
import { createInlineVerifier } from '#verify';
import { createIngest, type Ingest } from '../../../src/node/ingest.ts';
import { type ChainBuilder, createChainBuilder, regtest } from '../../support/chain-builder.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { openTestChain } from '../../support/test-chain.ts';
import { buildTx, pay } from '../../support/tx-builder.ts';

const NOW_MS = 2_000_000_000_000;
const HOLD_MS = 123;
let params: NetworkParams;
let builder: ChainBuilder;
let chain: Chain;
let mempool: Mempool;
let ingest: Ingest;
let said: string[];
let isSynced: boolean;
let served: Transaction | undefined;

before(async () => {
  params = await regtest();
});

beforeEach(async () => {
  builder = createChainBuilder(params);
  builder.mineMany(105);
  chain = await openTestChain(params);
  for (const block of builder.blocks) await chain.submitBlock(block);
  const clock = createManualClock(NOW_MS);
  mempool = createMempool({ chain, verifier: createInlineVerifier(), clock, log: nullLogger });
  chain.observe({ changed: (change) => mempool.chainChanged(change) });
  said = [];
  isSynced = true;
  served = undefined;
  ingest = createIngest({
    chain,
    mempool,
    sync: {
      headerAnnounced: (peer, what) => said.push(`announced ${peer} ${typeof what === 'string' ? what : what.hash}`),
      blockWanted: (hash, peers) => said.push(`wanted ${hash} ${peers.join()}`),
    },
    charge: (peer, offence) => said.push(`charge ${peer} ${offence}`),
    announcer: { hold: () => HOLD_MS },
    requests: { transaction: async () => served },
    isSynced: () => isSynced,
    clock,
    log: nullLogger,
    onBlockDelay: () => said.push('delay'),
    onFailure: (error) => assert.fail(String(error)),
    signal: new AbortController().signal,
  });
});

const blockMessage = (block: Block) => topics.block.codec.encode(buildCompactBlock(block, 7n));
const gossipBlock = (data: Uint8Array) => ingest.message({ topic: 'block', data, from: 'peer' });
const gossipTx = (data: Uint8Array) => ingest.message({ topic: 'tx', data, from: 'peer' });
const settle = async (): Promise<void> => {
  await new Promise((resolve) => setImmediate(resolve));
  await chain.idle();
  await new Promise((resolve) => setImmediate(resolve));
};

describe('ingest of blocks', () => {
  it('passes on a block on the tip and connects it with what the mempool holds', async () => {
    const tx = buildTx([builder.coin(1)], [pay(49_0000_0000n)]);
    assert.equal((await mempool.submit(tx, 'local')).kind, 'accepted');
    const block = builder.mine({ transactions: [tx] });
    assert.equal(await gossipBlock(blockMessage(block)), 'accept');
    await settle();
    assert.equal(chain.tip().hash, block.hash);
    assert.deepEqual(said, [`announced peer ${block.hash}`, 'delay']);
    assert.ok(ingest.wasAnnounced(block.hash));
    assert.equal(await gossipBlock(blockMessage(block)), 'ignore', 'known by now');
  });

  it('passes on a block whose transactions it lacks, and has the body fetched', async () => {
    const block = builder.mine({ transactions: [buildTx([builder.coin(1)], [pay(49_0000_0000n)])] });
    assert.equal(await gossipBlock(blockMessage(block)), 'accept');
    assert.deepEqual(said, [`announced peer ${block.hash}`, `wanted ${block.hash} peer`]);
  });

  it('asks for the headers in between when the parent is unknown', async () => {
    const [, second] = builder.mineMany(2);
    assert.ok(second);
    assert.equal(await gossipBlock(blockMessage(second)), 'ignore');
    assert.deepEqual(said, [`announced peer ${second.hash}`]);
  });

  it('rejects headers without work or against the rules, and charges the sender', async () => {
    assert.equal(await gossipBlock(blockMessage(builder.build({ work: 'invalid' }))), 'reject');
    assert.equal(await gossipBlock(blockMessage(builder.build({ time: builder.view(90).time }))), 'reject');
    assert.deepEqual(said, ['charge peer invalid-pow', 'charge peer invalid-header']);
  });

  it('rejects bytes that do not decode, with and without a real header in front', async () => {
    assert.equal(await gossipBlock(new Uint8Array(10)), 'reject');
    const message = blockMessage(builder.build());
    assert.equal(await gossipBlock(message.subarray(0, -1)), 'reject');
    assert.deepEqual(said, ['charge peer undecodable-message', 'charge peer undecodable-message']);
  });

  it('blames nobody for an announced block whose body proves invalid', async () => {
    const bad = builder.build({ coinbaseValue: 51_0000_0000n });
    assert.equal(await gossipBlock(blockMessage(bad)), 'accept');
    await settle();
    assert.ok(chain.isInvalid(bad.hash));
    assert.ok(!said.some((line) => line.startsWith('charge')));
    assert.ok(!said.some((line) => line.startsWith('wanted')), 'nobody is asked for it again');
  });

  it('does not pass on branches far below the tip', async () => {
    builder.mineMany(150);
    for (const block of builder.blocks.slice(105)) await chain.submitBlock(block);
    const stale = builder.fork(20).build();
    assert.equal(await gossipBlock(blockMessage(stale)), 'ignore');
    assert.ok(!said.some((line) => line.startsWith('wanted')));
  });

  it('stores no header of a chain far below the tip, and blames nobody for it', async () => {
    builder.mineMany(150);
    for (const block of builder.blocks.slice(105)) await chain.submitBlock(block);
    // The tip has height 255: the last one at which a branch may be is 111.
    const [below, within] = [builder.fork(109).build(), builder.fork(110).build()];
    assert.equal(await gossipBlock(blockMessage(below)), 'ignore');
    assert.equal(chain.getHeader(below.hash), undefined);
    assert.deepEqual(said, []);
    assert.equal(await gossipBlock(blockMessage(within)), 'accept');
    assert.ok(chain.getHeader(within.hash));
  });

  it('does not store a body that nobody asked for unless it has the work of the tip', async () => {
    const [less, equal] = [builder.fork(103).build(), builder.fork(104).build()];
    for (const block of [less, equal]) assert.equal(await gossipBlock(blockMessage(block)), 'accept');
    await settle();
    assert.deepEqual([chain.hasBlock(less.hash), chain.hasBlock(equal.hash)], [false, true]);
    assert.ok(!said.some((line) => line.startsWith('wanted')));
  });

  it('leaves the body to sync while the parent is missing and the first sync goes on', async () => {
    isSynced = false;
    const [parent, child] = builder.mineMany(2);
    assert.ok(parent && child);
    chain.submitHeaders([parent.header]);
    assert.equal(await gossipBlock(blockMessage(child)), 'ignore');
    assert.deepEqual(said, [`wanted ${child.hash} peer`]);
  });

  it('takes a block dated three hours ahead for neither valid nor an offence', async () => {
    const future = builder.build({ time: NOW_MS / 1000 + 3 * 3600 });
    assert.equal(await gossipBlock(blockMessage(future)), 'ignore');
    assert.deepEqual(said, []);
  });
});

describe('ingest of transactions', () => {
  it('passes on what the mempool takes, once', async () => {
    const tx = buildTx([builder.coin(1)], [pay(49_0000_0000n)]);
    const data = topics.tx.codec.encode(txMessageFor(tx, 100_000_000n));
    assert.deepEqual(await gossipTx(data), { acceptAfterMs: HOLD_MS });
    assert.equal(await gossipTx(data), 'ignore');
    assert.ok(mempool.has(tx.txid));
  });

  it('ignores policy and missing parents, rejects and charges what can never be valid', async () => {
    const free = buildTx([builder.coin(1)], [pay(50_0000_0000n)]);
    const orphan = buildTx([{ ...builder.coin(1), txid: new Uint8Array(32).fill(3) }], [pay(1_0000_0000n)]);
    const greedy = buildTx([builder.coin(2)], [pay(60_0000_0000n)]);
    for (const [tx, verdict] of [
      [free, 'ignore'],
      [orphan, 'ignore'],
      [greedy, 'reject'],
    ] as const) {
      assert.equal(await gossipTx(topics.tx.codec.encode(txMessageFor(tx, 0n))), verdict);
    }
    assert.deepEqual(said, ['charge peer invalid-transaction']);
  });

  it('ignores everything until the first sync has ended', async () => {
    isSynced = false;
    const tx = buildTx([builder.coin(1)], [pay(49_0000_0000n)]);
    assert.equal(await gossipTx(topics.tx.codec.encode(txMessageFor(tx, 1n))), 'ignore');
    assert.equal(mempool.stats().count, 0);
  });

  it('fetches a large transaction from whoever announced it', async () => {
    const outputs = Array.from({ length: 200 }, () => pay(1_000_000n));
    const tx = buildTx([builder.coin(1)], outputs);
    const data = topics.tx.codec.encode(txMessageFor(tx, 48_0000_0000n));
    assert.ok(data.length < 100);
    assert.equal(await gossipTx(data), 'ignore', 'the peer no longer has it');
    served = Transaction.fromBytes(tx.raw);
    assert.deepEqual(await gossipTx(data), { acceptAfterMs: HOLD_MS });
  });
});
