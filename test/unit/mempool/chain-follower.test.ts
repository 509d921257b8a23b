import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Transaction } from '#primitives';
import type { ScriptVerifier } from '#verify';
import { buildTx, outputOf, pay, type SpendOptions } from '../../support/tx-builder.ts';
import { createHarness, type Harness } from './harness.ts';

const REWARD = 5_000_000_000n;
const FEE = 10_000n;

const spend = (h: Harness, height: number, fee = FEE, options: SpendOptions = {}): Transaction =>
  buildTx([h.builder.coin(height)], [pay(REWARD - fee)], options);

const childOf = (tx: Transaction, fee = FEE): Transaction =>
  buildTx([outputOf(tx)], [pay((tx.outputs[0]?.value ?? 0n) - fee)]);

const idsOf = (...txs: readonly Transaction[]): string[] => txs.map((tx) => tx.txid).sort();
const held = (h: Harness): string[] => h.txids().sort();

async function accept(h: Harness, ...txs: readonly Transaction[]): Promise<void> {
  for (const tx of txs) assert.equal(await h.submit(tx), 'accepted');
}

describe('a connected block', () => {
  it('takes what it confirms and leaves the children', async () => {
    await using h = await createHarness();
    const parent = spend(h, 1);
    const child = childOf(parent);
    await accept(h, parent, child);
    await h.connect(h.builder.mine({ transactions: [parent] }));
    assert.deepEqual(held(h), idsOf(child));
    assert.equal(h.mempool.get(child.txid)?.parents.size, 0);
    assert.equal(h.mempool.syncedTip(), h.chain.tip().hash);
  });

  it('removes what it contradicts, with all that stands on it', async () => {
    await using h = await createHarness();
    const doomed = spend(h, 1);
    const child = childOf(doomed);
    const grandchild = childOf(child);
    const bystander = spend(h, 2);
    await accept(h, doomed, child, grandchild, bystander);
    await h.connect(h.builder.mine({ transactions: [spend(h, 1, 77_777n)] }));
    assert.deepEqual(held(h), idsOf(bystander));
    assert.equal(await h.submit(spend(h, 3)), 'accepted');
  });
});

describe('a reorganisation', () => {
  it('brings back what the old branch held and the new one does not', async () => {
    await using h = await createHarness();
    const [both, old, fresh] = [spend(h, 1), spend(h, 2), spend(h, 3)];
    const childOfOld = childOf(old);
    const branch = h.builder.fork(h.builder.height);
    await h.connect(h.builder.mine({ transactions: [both, old] }));
    await accept(h, childOfOld, fresh);
    await h.connect(branch.mine({ transactions: [both] }), branch.mine());
    assert.equal(h.chain.tip().hash, branch.tip.hash);
    assert.deepEqual(held(h), idsOf(old, childOfOld, fresh));
    assert.equal(h.mempool.get(childOfOld.txid)?.parents.size, 1);
  });

  it('drops what the new branch spends otherwise, with what stood on it', async () => {
    await using h = await createHarness();
    const old = spend(h, 1);
    const child = childOf(old);
    const branch = h.builder.fork(h.builder.height);
    await h.connect(h.builder.mine({ transactions: [old] }));
    await accept(h, child);
    await h.connect(branch.mine({ transactions: [spend(h, 1, 55_555n)] }), branch.mine());
    assert.deepEqual(held(h), []);
  });

  it('drops what spends a coinbase that is no more', async () => {
    await using h = await createHarness();
    const branch = h.builder.fork(h.builder.height);
    await h.connect(...h.builder.mineMany(101));
    const gone = spend(h, branch.height + 1);
    const child = childOf(gone);
    const stays = spend(h, 1);
    await accept(h, gone, child, stays);
    await h.connect(...branch.mineMany(102));
    assert.deepEqual(held(h), idsOf(stays));
  });

  it('waits for the end of a deep one: nothing that the final tip allows is lost', async () => {
    await using h = await createHarness();
    const branch = h.builder.fork(h.builder.height);
    const confirmed: Transaction[] = [];
    for (let n = 0; n < 40; n++) {
      // Matures only at this very height: at the fork it would be premature.
      const tx = spend(h, h.builder.height + 1 - 100);
      confirmed.push(tx);
      await h.connect(h.builder.mine({ transactions: [tx] }));
    }
    await accept(h, childOf(confirmed[39] ?? assert.fail()));
    await h.connect(...branch.mineMany(41));
    assert.equal(h.chain.tip().hash, branch.tip.hash);
    assert.equal(h.mempool.stats().count, 41);
    await h.connect(branch.mine({ transactions: confirmed }));
    assert.equal(h.mempool.stats().count, 1);
  });

  it('respects lock times of the new tip', async () => {
    await using h = await createHarness();
    const branch = h.builder.fork(h.builder.height);
    await h.connect(...h.builder.mineMany(3));
    const median = h.chain.tip().medianTimePast;
    const locked = spend(h, 1, FEE, { lockTime: median - 1 });
    await accept(h, locked);
    const early = branch.view(branch.height - 5).time;
    await h.connect(...[1, 2, 3, 4].map((step) => branch.mine({ time: early + step })));
    assert.equal(h.chain.tip().hash, branch.tip.hash);
    assert.ok(h.chain.tip().medianTimePast < median);
    assert.deepEqual(held(h), []);
  });

  it('runs scripts again only for what the mempool had not seen', async () => {
    let runs = 0;
    const counting = (verifier: ScriptVerifier): ScriptVerifier => ({
      ...verifier,
      verify: (jobs, signal) => {
        runs += jobs.length;
        return verifier.verify(jobs, signal);
      },
    });
    await using h = await createHarness({ wrapVerifier: counting });
    const [seen, unseen] = [spend(h, 1), spend(h, 2)];
    const branch = h.builder.fork(h.builder.height);
    await accept(h, seen);
    await h.connect(h.builder.mine({ transactions: [seen, unseen] }));
    runs = 0;
    await h.connect(...branch.mineMany(2));
    assert.deepEqual(held(h), idsOf(seen, unseen));
    assert.equal(runs, 2, 'one transaction, under the flags of policy and of the next block');
  });

  it('gives up the newest blocks beyond its bound, and what stood on them', async () => {
    await using h = await createHarness({ maxDisconnectedBytes: 1_000 });
    const branch = h.builder.fork(h.builder.height);
    const txs = [1, 2, 3, 4].map((height) => spend(h, height));
    for (const tx of txs) await h.connect(h.builder.mine({ transactions: [tx] }));
    const child = childOf(txs[3] ?? assert.fail());
    await accept(h, child);
    await h.connect(...branch.mineMany(5));
    assert.deepEqual(held(h), idsOf(...txs.slice(0, 2)));
  });
});
