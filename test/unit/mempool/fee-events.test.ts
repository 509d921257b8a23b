/** What the fee estimator learns from a real mempool on a real chain. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Transaction } from '#primitives';
import { buildTx, outputOf, pay } from '../../support/tx-builder.ts';
import { createHarness, type Harness } from './harness.ts';

const REWARD = 5_000_000_000n;

const spend = (h: Harness, height: number, fee = 100_000n): Transaction =>
  buildTx([h.builder.coin(height)], [pay(REWARD - fee)]);

/** A block of the present: a tip of more than three hours ago says that the node is behind. */
async function mineNow(h: Harness, ...transactions: readonly Transaction[]): Promise<void> {
  await h.clock.advance(1_000);
  await h.connect(h.builder.mine({ transactions, time: Math.floor(h.clock.now() / 1000) }));
}

/** What is counted: confirmed at all, failed for a whole period of 24 blocks, waiting for a block or longer. */
function known(h: Harness): { confirmed: number; failed: number; waiting: number } {
  // The threshold 0 lets every range pass or, with too little data, be the failed one.
  const sum = (horizon: 'short' | 'long', key: 'totalConfirmed' | 'leftMempool' | 'inMempool'): number => {
    const raw = h.mempool.fees.estimateRawFee(1, 0, horizon);
    assert.ok(raw !== undefined);
    return Math.round(raw.pass[key] + raw.fail[key]);
  };
  // Core's long ring counts twice while the chain is shorter than it: its heights are unsigned.
  return {
    confirmed: sum('long', 'totalConfirmed'),
    failed: sum('long', 'leftMempool'),
    waiting: sum('short', 'inMempool'),
  };
}

describe('the fee estimator of a mempool', () => {
  it('learns from what it saw enter and a block confirmed, not from blocks alone', async () => {
    await using h = await createHarness();
    await mineNow(h);
    const [seen, unseen] = [spend(h, 1), spend(h, 2)];
    assert.equal(await h.submit(seen), 'accepted');
    await mineNow(h, seen, unseen);
    assert.deepEqual(known(h), { confirmed: 1, failed: 0, waiting: 0 });
    assert.equal(h.mempool.fees.bestSeenHeight, h.chain.tip().height);
  });

  it('does not count children in the mempool, nor what came while the node was behind', async () => {
    await using h = await createHarness();
    const early = spend(h, 1);
    assert.equal(await h.submit(early), 'accepted', 'the tip is old');
    await mineNow(h);
    const parent = spend(h, 2);
    const child = buildTx([outputOf(parent)], [pay(REWARD - 300_000n)]);
    assert.equal(await h.submit(parent), 'accepted');
    assert.equal(await h.submit(child), 'accepted');
    await mineNow(h, early, parent, child);
    assert.equal(known(h).confirmed, 1);
    assert.equal(await h.submit(spend(h, 3)), 'accepted');
    await h.clock.advance(3 * 3_600_000 + 1_000);
    const late = spend(h, 4);
    assert.equal(await h.submit(late), 'accepted', 'the tip is three hours old');
    await mineNow(h, late);
    assert.equal(known(h).confirmed, 1);
  });

  it('does not count what came in a package, and counts what was replaced as waiting no more', async () => {
    await using h = await createHarness();
    await mineNow(h);
    const parent = buildTx([h.builder.coin(1)], [pay(REWARD)], { version: 3 });
    const child = buildTx([outputOf(parent)], [pay(REWARD - 100_000n)], { version: 3 });
    const { failure } = await h.mempool.submitPackage(parent, child, 'local');
    assert.equal(failure, undefined);
    assert.deepEqual(h.mempool.unbroadcast(), [parent.txid, child.txid]);
    const [replaced, better] = [spend(h, 2), spend(h, 2, 200_000n)];
    assert.equal(await h.submit(replaced), 'accepted');
    assert.equal(await h.submit(better), 'accepted');
    assert.deepEqual(h.mempool.unbroadcast(), [parent.txid, child.txid, better.txid]);
    await mineNow(h);
    assert.deepEqual(known(h), { confirmed: 0, failed: 0, waiting: 1 });
    await mineNow(h, parent, child, better);
    assert.deepEqual(known(h), { confirmed: 1, failed: 0, waiting: 0 });
  });

  it('does not count what a reorganisation brings back', async () => {
    await using h = await createHarness();
    await mineNow(h);
    const branch = h.builder.fork(h.builder.height);
    const tx = spend(h, 1);
    await mineNow(h, tx);
    const time = Math.floor(h.clock.now() / 1000);
    await h.connect(branch.mine({ time }), branch.mine({ time: time + 1 }));
    assert.deepEqual(h.txids(), [tx.txid]);
    await h.connect(branch.mine({ transactions: [tx], time: time + 2 }));
    assert.equal(known(h).confirmed, 0);
  });

  it('counts what is contradicted as failed, once it has waited a whole period', async () => {
    await using h = await createHarness();
    await mineNow(h);
    const [quick, slow] = [spend(h, 1), spend(h, 2)];
    assert.equal(await h.submit(slow), 'accepted');
    for (let block = 0; block < 25; block++) await mineNow(h);
    assert.equal(await h.submit(quick), 'accepted');
    await mineNow(h, spend(h, 1, 5_000n), spend(h, 2, 5_000n));
    assert.deepEqual(h.txids(), []);
    assert.deepEqual(known(h), { confirmed: 0, failed: 1, waiting: 0 });
  });

  it('answers as estimatesmartfee does', async () => {
    await using h = await createHarness();
    const nothing = { errors: ['Insufficient data or no feerate found'], blocks: 0 };
    assert.deepEqual(h.mempool.estimateSmartFee(2, 'economical'), nothing);
    await mineNow(h);
    const rates: number[] = [];
    for (let height = 1; height <= 19; height += 2) {
      const txs = [spend(h, height, 20_000n), spend(h, height + 1, 20_000n)];
      for (const tx of txs) {
        assert.equal(await h.submit(tx), 'accepted');
        const entry = h.mempool.get(tx.txid);
        assert.ok(entry !== undefined);
        rates.push(Number((entry.fee * 1000n) / BigInt(entry.vsize)));
      }
      await mineNow(h, ...txs);
    }
    const { feerate, blocks, errors } = h.mempool.estimateSmartFee(3, 'conservative');
    assert.deepEqual([blocks, errors], [3, undefined]);
    assert.ok(feerate !== undefined && feerate >= Math.min(...rates) && feerate <= Math.max(...rates));
  });
});
