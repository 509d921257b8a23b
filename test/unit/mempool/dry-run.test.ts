/** What would become of transactions: everything is checked and nothing is kept. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DryRun } from '#mempool';
import type { Transaction } from '#primitives';
import { buildTx, outputOf, pay } from '../../support/tx-builder.ts';
import { fund, sizeOf, spend, take, verdictText } from './fixed-size.ts';
import { createHarness, type Harness } from './harness.ts';

const VSIZE = sizeOf(1, 1);

/** Of the package, then of each transaction; `-` where nothing was decided. */
function answerOf({ failure, verdicts }: DryRun): string[] {
  const each = verdicts.map((verdict) => (verdict === undefined ? '-' : verdictText(verdict)));
  return failure === undefined ? each : [failure.code, ...each];
}

async function tryAll(h: Harness, ...txs: readonly Transaction[]): Promise<string[]> {
  const before = h.mempool.version();
  const answer = answerOf(await h.mempool.testAccept(txs));
  assert.equal(h.mempool.version(), before, 'nothing was changed');
  return answer;
}

describe('a dry run of one transaction', () => {
  it('says what it would pay, and keeps nothing', async () => {
    await using h = await createHarness();
    const [coin = assert.fail()] = await fund(h, 1);
    const tx = spend([coin], 1_000n);
    h.mempool.prioritise(tx.txid, 70n);
    const { failure, verdicts } = await h.mempool.testAccept([tx]);
    assert.equal(failure, undefined);
    const effective = { satPerKvb: (1_070n * 1_000n) / BigInt(VSIZE), wtxids: [tx.wtxid] };
    assert.deepEqual(verdicts, [{ kind: 'accepted', fee: 1_000n, vsize: VSIZE, effective }]);
    assert.equal(h.mempool.stats().count, 0);
    assert.deepEqual(h.mempool.unbroadcast(), []);
  });

  it('replaces nothing, but says whether it could', async () => {
    await using h = await createHarness();
    const [coin = assert.fail()] = await fund(h, 1);
    const old = spend([coin], 1_000n);
    await take(h, old);
    assert.deepEqual(await tryAll(h, spend([coin], 2_000n)), ['accepted']);
    const [poor = ''] = await tryAll(h, spend([coin], 999n));
    assert.match(poor, /^insufficient fee, rejecting replacement/);
    assert.deepEqual(h.txids(), [old.txid]);
  });

  it('runs the scripts', async () => {
    await using h = await createHarness();
    const good = buildTx([h.builder.coin(1)], [pay(1_000_000n)]);
    const forged = spend([{ ...h.builder.coin(2) }], 1_000n);
    assert.deepEqual(await tryAll(h, good), ['accepted']);
    assert.match((await tryAll(h, forged))[0] ?? '', /script-verify-flag/);
  });

  it('knows what is here already', async () => {
    await using h = await createHarness();
    const [coin = assert.fail()] = await fund(h, 1);
    const tx = spend([coin], 1_000n);
    await take(h, tx);
    assert.deepEqual(await tryAll(h, tx), ['txn-already-in-mempool']);
    assert.deepEqual(await tryAll(h, spend([outputOf(spend([coin], 500n))], 1_000n)), ['missing-inputs']);
  });
});

describe('a dry run of several', () => {
  it('lets them spend each other, whatever their family', async () => {
    await using h = await createHarness();
    const coins = await fund(h, 2);
    const [a, b] = coins.map((coin) => spend([coin], 1_000n, { outputs: 2 }));
    assert.ok(a && b);
    const c = spend([outputOf(a), outputOf(b)], 1_000n);
    const d = spend([outputOf(c), outputOf(a, 1)], 1_000n);
    assert.deepEqual(await tryAll(h, a, b, c, d), Array(4).fill('accepted'));
    assert.equal(h.mempool.stats().count, 0);
  });

  it('asks each to pay for itself', async () => {
    await using h = await createHarness();
    const [coin = assert.fail()] = await fund(h, 1);
    const parent = spend([coin], BigInt(VSIZE) - 1n);
    const child = spend([outputOf(parent)], 100_000n);
    const expected = ['transaction failed', `min relay fee not met, ${VSIZE - 1} < ${VSIZE}`];
    assert.deepEqual(await tryAll(h, parent, child), expected);
  });

  it('lets them replace nothing', async () => {
    await using h = await createHarness();
    const [a = assert.fail(), b = assert.fail()] = await fund(h, 2);
    await take(h, spend([a], 1_000n));
    const answer = await tryAll(h, spend([b], 1_000n), spend([a], 100_000n));
    assert.deepEqual(answer, ['transaction failed', '-', 'bip125-replacement-disallowed']);
  });

  it('refuses what is no package', async () => {
    await using h = await createHarness();
    const coins = await fund(h, 26);
    const [first = assert.fail(), second = assert.fail()] = coins;
    const parent = spend([first], 1_000n);
    const child = spend([outputOf(parent)], 1_000n);
    const code = async (...txs: readonly Transaction[]): Promise<string | undefined> => (await tryAll(h, ...txs))[0];
    assert.equal(await code(child, parent), 'package-not-sorted');
    assert.equal(await code(parent, parent), 'package-contains-duplicates');
    assert.equal(await code(parent, spend([first, second], 1_000n)), 'conflict-in-package');
    assert.equal(await code(...coins.map((coin) => spend([coin], 1_000n))), 'package-too-many-transactions');
    const large = coins.slice(0, 2).map((coin) => spend([coin], 60_000n, { vsize: 50_501 }));
    assert.equal(await code(...large), 'package-too-large');
  });

  it('counts them all as one family', async () => {
    await using h = await createHarness();
    const [coin = assert.fail()] = await fund(h, 1);
    const chain: Transaction[] = [];
    for (let at = 0; at < 25; at++) {
      const last = chain.at(-1);
      chain.push(spend([last === undefined ? coin : outputOf(last)], 1_000n));
    }
    assert.deepEqual(await tryAll(h, ...chain), Array(25).fill('accepted'));
    await take(h, chain[0] ?? assert.fail());
    const longer = [...chain.slice(1), spend([outputOf(chain.at(-1) ?? assert.fail())], 1_000n)];
    assert.equal((await tryAll(h, ...longer))[0], 'package-mempool-limits');
  });

  it('asks version 3 for one parent and one child', async () => {
    await using h = await createHarness();
    const [coin = assert.fail()] = await fund(h, 1);
    const v3 = (coins: Parameters<typeof spend>[0], outputs = 1): Transaction =>
      spend(coins, 1_000n, { version: 3, outputs });
    const parent = v3([coin], 2);
    const child = v3([outputOf(parent)]);
    assert.deepEqual(await tryAll(h, parent, child), ['accepted', 'accepted']);
    assert.equal((await tryAll(h, parent, child, v3([outputOf(parent, 1)])))[0], 'TRUC-violation');
    assert.equal((await tryAll(h, parent, child, v3([outputOf(child)])))[0], 'TRUC-violation');
    assert.equal((await tryAll(h, parent, spend([outputOf(parent)], 1_000n)))[0], 'TRUC-violation');
  });
});
