import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Transaction } from '#primitives';
import { memoryUsage } from '../../../src/mempool/pool-entry.ts';
import { buildTx, outputOf, pay } from '../../support/tx-builder.ts';
import { createHarness, type Harness } from './harness.ts';

const REWARD = 5_000_000_000n;
const HOUR_MS = 3_600_000;

const spend = (h: Harness, height: number, fee: bigint): Transaction =>
  buildTx([h.builder.coin(height)], [pay(REWARD - fee)]);

const childOf = (tx: Transaction, fee: bigint, index = 0): Transaction =>
  buildTx([outputOf(tx, index)], [pay((tx.outputs[index]?.value ?? 0n) - fee)]);

describe('a full mempool', () => {
  it('keeps the better payers, whoever came first', async () => {
    await using h = await createHarness({ maxTxs: 3 });
    const txs = [40_000n, 10_000n, 30_000n].map((fee, at) => spend(h, at + 1, fee));
    for (const tx of txs) assert.equal(await h.submit(tx), 'accepted');
    assert.equal(await h.submit(spend(h, 4, 5_000n)), 'mempool full');
    const better = spend(h, 5, 20_000n);
    assert.equal(await h.submit(better), 'accepted');
    assert.deepEqual(h.txids().sort(), [txs[0], txs[2], better].map((tx) => tx?.txid).sort());
  });

  it('stays within its bytes', async () => {
    // Room for three, and for most of another one.
    const maxBytes = 3 * 1_200;
    await using h = await createHarness({ maxBytes });
    for (let height = 1; height <= 10; height++) await h.submit(spend(h, height, BigInt(height) * 1_000n));
    const { usage, count } = h.mempool.stats();
    assert.ok(usage <= maxBytes);
    assert.equal(count, Math.floor(maxBytes / memoryUsage(spend(h, 1, 1_000n))));
    assert.deepEqual(
      Array.from(h.mempool.entries(), (entry) => entry.fee),
      [10_000n, 9_000n, 8_000n].slice(0, count).reverse(),
    );
  });

  it('judges a parent by what its children pay, and takes both or none', async () => {
    await using h = await createHarness({ maxTxs: 3 });
    const parent = spend(h, 1, 1_000n);
    const child = childOf(parent, 90_000n);
    const middle = spend(h, 2, 20_000n);
    for (const tx of [parent, child, middle]) assert.equal(await h.submit(tx), 'accepted');
    const better = spend(h, 3, 30_000n);
    assert.equal(await h.submit(better), 'accepted');
    assert.ok(h.mempool.has(parent.txid) && h.mempool.has(child.txid) && !h.mempool.has(middle.txid));
    assert.equal(await h.submit(spend(h, 4, 200_000n)), 'accepted');
    assert.equal(await h.submit(spend(h, 5, 200_000n)), 'accepted');
    assert.ok(!h.mempool.has(parent.txid) && !h.mempool.has(child.txid));
  });

  it('does not run the scripts of what would leave at once', async () => {
    let runs = 0;
    await using h = await createHarness({
      maxTxs: 1,
      wrapVerifier: (verifier) => ({
        ...verifier,
        verify: (jobs, signal) => {
          runs++;
          return verifier.verify(jobs, signal);
        },
      }),
    });
    assert.equal(await h.submit(spend(h, 1, 20_000n)), 'accepted');
    runs = 0;
    assert.equal(await h.submit(spend(h, 2, 10_000n)), 'mempool full');
    assert.equal(runs, 0);
  });
});

describe('expiry', () => {
  it('removes what waited two weeks, with its descendants', async () => {
    await using h = await createHarness();
    const old = spend(h, 1, 10_000n);
    assert.equal(await h.submit(old), 'accepted');
    await h.clock.advance(335 * HOUR_MS);
    const child = childOf(old, 10_000n);
    const fresh = spend(h, 2, 10_000n);
    assert.equal(await h.submit(child), 'accepted');
    assert.equal(await h.submit(fresh), 'accepted');
    await h.clock.advance(HOUR_MS);
    assert.equal(await h.submit(spend(h, 3, 10_000n)), 'accepted');
    assert.ok(h.mempool.has(old.txid), 'exactly two weeks is not too old');
    await h.clock.advance(1);
    await h.connect(h.builder.mine());
    assert.ok(!h.mempool.has(old.txid) && !h.mempool.has(child.txid) && h.mempool.has(fresh.txid));
  });
});

describe('families', () => {
  it('may have 25 descendants, the parent counted, and one small one more', async () => {
    await using h = await createHarness({ requireStandard: false });
    const parent = buildTx(
      [h.builder.coin(1)],
      Array.from({ length: 30 }, () => pay(100_000_000n)),
    );
    assert.equal(await h.submit(parent), 'accepted');
    for (let at = 0; at < 24; at++)
      assert.equal(await h.submit(childOf(parent, 10_000n, at)), 'accepted', `child ${at}`);
    // The carve-out: a single parent, 10,000 vbytes at most, once.
    const large = buildTx(
      [outputOf(parent, 24)],
      [pay(90_000_000n), { value: 0n, scriptPubKey: new Uint8Array(10_000).fill(0x6a) }],
    );
    assert.equal(await h.submit(large), 'too-long-mempool-chain');
    assert.equal(await h.submit(childOf(parent, 10_000n, 24)), 'accepted');
    assert.equal(await h.submit(childOf(parent, 10_000n, 25)), 'too-long-mempool-chain');
  });

  it('may have 25 ancestors over several parents, the child counted', async () => {
    await using h = await createHarness();
    const chain = async (height: number, length: number): Promise<Transaction> => {
      let tx = spend(h, height, 10_000n);
      assert.equal(await h.submit(tx), 'accepted');
      for (let count = 1; count < length; count++) {
        tx = childOf(tx, 10_000n);
        assert.equal(await h.submit(tx), 'accepted');
      }
      return tx;
    };
    const [left, right] = [await chain(1, 12), await chain(2, 12)];
    assert.equal(await h.submit(buildTx([outputOf(left), outputOf(right)], [pay(REWARD)])), 'accepted');
    const [one, other] = [await chain(3, 13), await chain(4, 12)];
    assert.equal(await h.submit(buildTx([outputOf(one), outputOf(other)], [pay(REWARD)])), 'too-long-mempool-chain');
  });

  it('are named as Core names them: the first that is met on the way up', async () => {
    await using h = await createHarness();
    let tx = spend(h, 1, 10_000n);
    for (let count = 0; count < 25; count++) {
      assert.equal(await h.submit(tx), 'accepted');
      tx = childOf(tx, 10_000n);
    }
    const debug = 'too many unconfirmed ancestors [limit: 25]';
    assert.deepEqual(await h.mempool.submit(tx, 'local'), { kind: 'policy', code: 'too-long-mempool-chain', debug });
  });

  it('hold after a reorganisation too', async () => {
    await using h = await createHarness();
    const branch = h.builder.fork(h.builder.height);
    let tx = spend(h, 1, 10_000n);
    for (let confirmed = 0; confirmed < 5; confirmed++) {
      await h.connect(h.builder.mine({ transactions: [tx] }));
      tx = childOf(tx, 10_000n);
    }
    for (let count = 0; count < 25; count++) {
      assert.equal(await h.submit(tx), 'accepted');
      tx = childOf(tx, 10_000n);
    }
    await h.connect(...branch.mineMany(6));
    assert.equal(h.mempool.stats().count, 25);
  });

  it('may have 101,000 vbytes', async () => {
    await using h = await createHarness({ requireStandard: false });
    const data = { value: 0n, scriptPubKey: new Uint8Array(50_000).fill(0x6a) };
    const parent = buildTx([h.builder.coin(1)], [pay(REWARD - 100_000n), data]);
    const child = buildTx([outputOf(parent)], [pay(REWARD - 200_000n), data]);
    assert.equal(await h.submit(parent), 'accepted');
    assert.equal(await h.submit(child), 'accepted');
    const third = { value: 0n, scriptPubKey: new Uint8Array(900).fill(0x6a) };
    assert.equal(await h.submit(buildTx([outputOf(child)], [pay(COINS), third])), 'too-long-mempool-chain');
  });
});

const COINS = REWARD - 300_000n;
