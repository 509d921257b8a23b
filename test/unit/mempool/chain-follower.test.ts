import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
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

  it('keeps what stands on one that is confirmed again and one that comes back', async () => {
    await using h = await createHarness();
    const [again, back] = [spend(h, 1), spend(h, 2)];
    const child = buildTx([outputOf(again), outputOf(back)], [pay(REWARD)]);
    const branch = h.builder.fork(h.builder.height);
    await h.connect(h.builder.mine({ transactions: [again] }), h.builder.mine({ transactions: [back] }));
    await accept(h, child);
    await h.connect(branch.mine(), branch.mine(), branch.mine({ transactions: [again] }));
    assert.equal(h.chain.tip().hash, branch.tip.hash);
    assert.deepEqual(held(h), idsOf(back, child));
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

  it('waits for the last block too: at a tip of equal work nothing is decided', async () => {
    await using h = await createHarness();
    const branch = h.builder.fork(h.builder.height);
    // No mempool takes it, but for the block that confirms it again what stands on it would be lost.
    const odd = buildTx([h.builder.coin(1)], [pay(FEE, { kind: 'anyone' }), pay(REWARD - 2n * FEE)]);
    const next = buildTx([outputOf(odd, 1)], [pay(REWARD - 3n * FEE)]);
    const child = childOf(next);
    // The chain tells of 16 blocks at a time.
    await h.connect(h.builder.mine({ transactions: [odd, next] }), ...h.builder.mineMany(15));
    await accept(h, child);
    await h.connect(...branch.mineMany(16), branch.mine({ transactions: [odd, next] }));
    assert.equal(h.chain.tip().hash, branch.tip.hash);
    assert.deepEqual(held(h), idsOf(child));
  });

  it('that the operator asks for: what is premature at the lower tip leaves, the rest returns at once', async () => {
    await using h = await createHarness();
    const [early, confirmed] = [spend(h, 1), spend(h, 2)];
    const childOfConfirmed = childOf(confirmed);
    await h.connect(...h.builder.mineMany(20), h.builder.mine({ transactions: [confirmed] }));
    const { height } = h.builder;
    const premature = spend(h, height - 99);
    const childOfPremature = childOf(premature);
    const locked = spend(h, 3, FEE, { lockTime: height - 1, sequence: 0xfffffffe });
    const relative = spend(h, 20, FEE, { sequence: height - 20 });
    const mature = spend(h, height - 99 - 18);
    await accept(h, early, childOfConfirmed, premature, childOfPremature, locked, relative, mature);
    await h.chain.invalidateBlock(h.builder.at(height - 17).hash);
    assert.equal(h.chain.tip().height, height - 18);
    assert.equal(h.mempool.syncedTip(), h.chain.tip().hash);
    assert.deepEqual(held(h), idsOf(early, confirmed, childOfConfirmed, mature));
    assert.deepEqual(
      h.txids().filter((txid) => txid !== early.txid && txid !== mature.txid),
      [childOfConfirmed.txid, confirmed.txid],
    );
  });

  for (const depth of [1, 3, 30]) {
    it(`of depth ${depth} brings back what there is room for, parents first`, async () => {
      await using h = await createHarness({ maxTxs: 20 });
      const branch = h.builder.fork(h.builder.height);
      const confirmed: Transaction[] = [];
      for (let n = 0; n < depth; n++) {
        const last = confirmed.at(-1);
        // Families of ten, in blocks of their own; the later ones pay more.
        const parent = last === undefined || n % 10 === 0 ? spend(h, 1 + n / 10) : last;
        const fee = FEE + BigInt(n) * 1_000n;
        const txs = parent === last ? [childOf(parent, fee)] : [parent, childOf(parent, fee)];
        confirmed.push(...txs);
        await h.connect(h.builder.mine({ transactions: txs }));
      }
      const own = spend(h, 10, 1_000_000n);
      await accept(h, own);
      assert.deepEqual(h.mempool.unbroadcast(), [own.txid]);
      await h.connect(...branch.mineMany(depth + 1));
      assert.equal(h.chain.tip().hash, branch.tip.hash);
      const back = confirmed.filter((tx) => h.mempool.has(tx.txid)).map((tx) => tx.txid);
      assert.deepEqual(h.txids(), [own.txid, ...back]);
      // Whoever pays least leaves with all that stands on it: two of three families of eleven.
      assert.equal(back.length, depth === 30 ? 11 : confirmed.length);
      assert.deepEqual(h.mempool.unbroadcast(), [own.txid], 'what was in a block is known');
      for (const { parents, tx } of h.mempool.entries()) {
        for (const parent of parents) assert.ok(back.indexOf(parent.tx.txid) < back.indexOf(tx.txid));
      }
      assert.equal(h.mempool.minFeeSatPerKvb() > 1_000, depth === 30);
    });
  }

  it('lets nobody take the place of what is on its way back', async () => {
    await using h = await createHarness();
    const branch = h.builder.fork(h.builder.height);
    const confirmed = spend(h, 1);
    const rival = spend(h, 1, FEE, { lockTime: 1 });
    const bystander = spend(h, 2);
    await h.connect(...h.builder.mineMany(19), h.builder.mine({ transactions: [confirmed] }));
    const answers: Promise<string>[] = [];
    h.chain.observe({
      changed: async ({ isSettled }) => {
        if (isSettled || answers.length > 0) return;
        answers.push(h.submit(rival), h.submit(bystander));
        // Every chance to be decided now, while neither branch has the transaction.
        for (let turn = 0; turn < 50; turn++) await nextTurn();
      },
    });
    await h.connect(...branch.mineMany(21));
    assert.deepEqual(await Promise.all(answers), ['insufficient fee', 'accepted']);
    assert.deepEqual(held(h), idsOf(confirmed, bystander));
  });

  it('does not keep those waiting who wait for it when the mempool closes', async () => {
    await using h = await createHarness();
    const branch = h.builder.fork(h.builder.height);
    await h.connect(...h.builder.mineMany(20));
    const answers: Promise<string>[] = [];
    h.chain.observe({
      changed: async ({ isSettled }) => {
        if (isSettled || answers.length > 0) return;
        answers.push(h.submit(spend(h, 1)));
        await h.mempool[Symbol.asyncDispose]();
      },
    });
    await h.connect(...branch.mineMany(21));
    assert.deepEqual(await Promise.all(answers), ['the mempool is closed']);
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
