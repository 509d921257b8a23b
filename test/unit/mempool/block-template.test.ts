import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { blockSubsidy, checkBlock, checkBlockHeader, compactToTarget, contextualCheckBlock } from '#consensus';
import { type BlockTemplate, createBlockTemplate, selectForTip } from '#mempool';
import { mineBlock } from '#miner';
import { BlockHeader, type Transaction } from '#primitives';
import { grindSlice, mineHeader } from '../../../src/miner/grind.ts';
import { testKey } from '../../support/keys.ts';
import { buildTx, outputOf, pay } from '../../support/tx-builder.ts';
import { createHarness, type Harness } from './harness.ts';

const REWARD = 5_000_000_000n;
const PAYEE = testKey(9).p2pkh;

const spend = (h: Harness, height: number, fee: bigint): Transaction =>
  buildTx([h.builder.coin(height)], [pay(REWARD - fee)]);

const childOf = (tx: Transaction, fee: bigint): Transaction =>
  buildTx([outputOf(tx)], [pay((tx.outputs[0]?.value ?? 0n) - fee)]);

const template = (h: Harness, extraNonce = 0, options = {}): BlockTemplate =>
  createBlockTemplate(h, PAYEE, extraNonce, options);

const chosen = (made: BlockTemplate): string[] => made.block.transactions.slice(1).map((tx) => tx.txid);

async function accept(h: Harness, ...txs: readonly Transaction[]): Promise<void> {
  for (const tx of txs) assert.equal(await h.submit(tx), 'accepted');
}

describe('block template', () => {
  it('is a block that every rule and the chain accept once it is mined', async () => {
    await using h = await createHarness();
    const parent = spend(h, 1, 10_000n);
    await accept(h, parent, childOf(parent, 30_000n), spend(h, 2, 20_000n));
    const made = template(h);
    assert.equal(made.fees, 60_000n);
    assert.equal(made.height, h.chain.tip().height + 1);
    const block = await mineBlock(made, h.chain.params);
    const prev = h.builder.view(h.builder.height);
    const failure =
      checkBlockHeader(block.header, h.chain.params) ??
      checkBlock(block, h.chain.params) ??
      contextualCheckBlock(block, prev, h.chain.params);
    assert.equal(failure, undefined);
    const verdict = await h.chain.submitBlock(block);
    assert.equal(verdict.kind, 'connected');
    assert.equal(h.mempool.stats().count, 0);
    const coinbase = block.transactions[0] ?? assert.fail();
    assert.equal(coinbase.outputs[0]?.value, blockSubsidy(made.height, h.chain.params) + 60_000n);
    assert.deepEqual(coinbase.outputs[0]?.scriptPubKey, PAYEE);
  });

  it('mines on and on, empty or not, each block another', async () => {
    await using h = await createHarness();
    for (let round = 0; round < 20; round++) {
      if (round % 3 === 0) await accept(h, spend(h, round + 1, 10_000n));
      const verdict = await h.chain.submitBlock(await mineBlock(template(h, round), h.chain.params));
      assert.equal(verdict.kind, 'connected');
    }
    assert.notEqual(template(h, 1).block.hash, template(h, 2).block.hash);
    assert.equal(template(h, 1).block.hash, template(h, 1).block.hash);
  });

  it('takes who pays most, parents first, and lets a child pay for its parent', async () => {
    await using h = await createHarness();
    const poor = spend(h, 1, 1_000n);
    const rich = childOf(poor, 100_000n);
    const good = spend(h, 2, 30_000n);
    const fair = spend(h, 3, 20_000n);
    await accept(h, fair, poor, good, rich);
    assert.deepEqual(
      chosen(template(h)),
      [poor, rich, good, fair].map((tx) => tx.txid),
    );
  });

  it('tells at what rate each package was taken, also where not all entries are offered', async () => {
    await using h = await createHarness();
    const poor = spend(h, 1, 1_000n);
    const rich = childOf(poor, 100_000n);
    const good = spend(h, 2, 30_000n);
    await accept(h, poor, good, rich);
    const sizeOf = (tx: Transaction): number => h.mempool.get(tx.txid)?.vsize ?? assert.fail();
    const family = { satPerVb: 101_000 / (sizeOf(poor) + sizeOf(rich)), vsize: sizeOf(poor) + sizeOf(rich) };
    const single = { satPerVb: 30_000 / sizeOf(good), vsize: sizeOf(good) };
    assert.deepEqual(selectForTip(h.chain, h.mempool.entries()).packages, [family, single]);
    const some = [...h.mempool.entries()].filter(({ txid }) => txid === rich.txid);
    const { entries, packages } = selectForTip(h.chain, some);
    assert.deepEqual(
      [entries.map(({ txid }) => txid), packages],
      [[poor.txid, rich.txid], [family]],
      'with ancestors that were not offered',
    );
  });

  it('re-ranks what stands on what was taken', async () => {
    await using h = await createHarness();
    const parent = buildTx([h.builder.coin(1)], [pay(2_000_000_000n), pay(2_999_999_000n)]);
    const best = buildTx([outputOf(parent, 0)], [pay(1_999_900_000n)]);
    const second = buildTx([outputOf(parent, 1)], [pay(2_999_969_000n)]);
    const other = spend(h, 2, 25_000n);
    await accept(h, parent, best, second, other);
    // Alone with its parent `second` pays less than `other`; with the parent in the block it pays more.
    assert.deepEqual(
      chosen(template(h)),
      [parent, best, second, other].map((tx) => tx.txid),
    );
  });

  it('stays below weight and signature operations, leaving out what does not fit', async () => {
    await using h = await createHarness({ requireStandard: false });
    const large = buildTx(
      [h.builder.coin(1)],
      [pay(REWARD - 900_000n), { value: 0n, scriptPubKey: new Uint8Array(10_000).fill(0x6a) }],
    );
    const small = spend(h, 2, 10_000n);
    await accept(h, large, small);
    assert.deepEqual(chosen(template(h)), [large.txid, small.txid]);
    const tight = template(h, 0, { maxWeight: 4_000 + small.weight + 1 });
    assert.deepEqual(chosen(tight), [small.txid]);
    assert.deepEqual(chosen(template(h, 0, { maxWeight: 4_000 + small.weight })), []);
    // A P2PKH output counts four; Core keeps 400 for the coinbase and never fills the last one.
    assert.deepEqual(chosen(template(h, 0, { maxSigOpCost: 405 })), [large.txid]);
    assert.deepEqual(chosen(template(h, 0, { maxSigOpCost: 404 })), []);
  });

  it('leaves out packages below the minimum rate', async () => {
    await using h = await createHarness();
    const [low, high] = [spend(h, 1, 500n), spend(h, 2, 5_000n)];
    await accept(h, low, high);
    assert.deepEqual(chosen(template(h, 0, { minFeeSatPerKvb: 10_000 })), [high.txid]);
  });

  it('has a time above the median of the past, also when the clock is behind', async () => {
    await using h = await createHarness();
    const clock = { ...h.clock, now: () => 0 };
    const made = createBlockTemplate({ ...h, clock }, PAYEE, 0);
    assert.equal(made.block.header.time, h.chain.tip().medianTimePast + 1);
    assert.equal(template(h).block.header.time, Math.floor(h.clock.now() / 1000));
  });

  it('holds the coinbase alone while the mempool follows a change of the chain', async () => {
    await using h = await createHarness();
    await accept(h, spend(h, 1, 10_000n));
    const mempool = { entries: h.mempool.entries, syncedTip: () => undefined };
    assert.deepEqual(chosen(createBlockTemplate({ ...h, mempool }, PAYEE, 0)), []);
  });

  it('commits to the witnesses from segwit on only', async () => {
    await using h = await createHarness();
    const commits = (made: BlockTemplate): boolean => made.block.transactions[0]?.hasWitness === true;
    assert.ok(commits(template(h)));
    const params = { ...h.chain.params, activation: { ...h.chain.params.activation, segwit: 1_000_000 } };
    assert.ok(!commits(createBlockTemplate({ ...h, chain: { ...h.chain, params } }, PAYEE, 0)));
  });
});

describe('grinding', () => {
  const easy = compactToTarget(0x207fffff).target;
  const hard = 1n << 200n;

  it('finds the first nonce that meets the target, and it does', async () => {
    await using h = await createHarness();
    const { header } = template(h).block;
    const solved = await mineHeader(header, easy);
    assert.ok(solved !== undefined && BigInt(`0x${solved.hash}`) <= easy);
    assert.deepEqual(solved.raw.subarray(0, 76), header.raw.subarray(0, 76));
    for (let nonce = 0; nonce < solved.nonce; nonce++) {
      assert.ok(BigInt(`0x${withNonce(header, nonce).hash}`) > easy);
    }
  });

  it('gives up after its bound, and goes on where a slice ended', async () => {
    await using h = await createHarness();
    const { header } = template(h).block;
    assert.equal(await mineHeader(header, hard, { maxHashes: 50, sliceHashes: 7 }), undefined);
    assert.equal(grindSlice(header, hard, 50).header.nonce, 50);
    assert.equal(grindSlice(withNonce(header, 0xffffffff), hard, 2).header.nonce, 1);
  });

  it('takes a hash that equals the target', async () => {
    await using h = await createHarness();
    const { header } = template(h).block;
    assert.ok(grindSlice(header, BigInt(`0x${header.hash}`), 1).solved);
    assert.ok(!grindSlice(header, BigInt(`0x${header.hash}`) - 1n, 1).solved);
  });

  it('stops when told to', async () => {
    await using h = await createHarness();
    const abort = new AbortController();
    const mining = mineHeader(template(h).block.header, hard, { signal: abort.signal, sliceHashes: 10 });
    abort.abort(new Error('enough'));
    await assert.rejects(mining, /enough/);
  });

  it('refuses the proof of work of a real network', async () => {
    await using h = await createHarness();
    const params = { ...h.chain.params, pow: { ...h.chain.params.pow, limit: 1n << 224n } };
    await assert.rejects(mineBlock(template(h), params), { code: 'BAD_CONFIG' });
  });
});

function withNonce(header: BlockHeader, nonce: number): BlockHeader {
  const { version, prevHash, merkleRoot, time, bits } = header;
  return BlockHeader.fromFields({ version, prevHash, merkleRoot, time, bits, nonce });
}
