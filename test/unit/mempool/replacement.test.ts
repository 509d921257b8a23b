import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Transaction } from '#primitives';
import { outputOf, type TestCoin } from '../../support/tx-builder.ts';
import { fund, sizeOf, spend, take, verdictOf } from './fixed-size.ts';
import { createHarness, type Harness } from './harness.ts';

type Case = {
  readonly name: string;
  /** Puts into the pool what is to be replaced, and gives the replacement. */
  readonly make: (h: Harness, coins: readonly TestCoin[]) => Promise<Transaction>;
  /** Core's answer. */
  readonly expected: (tx: Transaction) => string;
};

const accepted = (): string => 'accepted';
const coinAt = (coins: readonly TestCoin[], at: number): TestCoin => coins[at] ?? assert.fail();

/** In the pool: one payment of 85 vbytes at exactly 100 sat/vB. */
async function overPayment(
  h: Harness,
  coins: readonly TestCoin[],
  fee: bigint,
  sequence?: number,
): Promise<Transaction> {
  await take(h, spend([coinAt(coins, 0)], 100n * BigInt(sizeOf(1, 1)), sequence === undefined ? {} : { sequence }));
  return spend([coinAt(coins, 0)], fee, { outputs: 2 });
}

/** In the pool: a parent that pays 10,000 and its child that pays 50,000. */
async function overFamily(h: Harness, coins: readonly TestCoin[], fee: bigint): Promise<Transaction> {
  const parent = spend([coinAt(coins, 0)], 10_000n);
  await take(h, parent, spend([outputOf(parent)], 50_000n));
  return spend([coinAt(coins, 0)], fee);
}

/** In the pool: so many entries, in families of 25 and what remains. */
async function overMany(h: Harness, coins: readonly TestCoin[], count: number): Promise<Transaction> {
  const replaced: TestCoin[] = [];
  for (let left = count; left > 0; left -= 25) {
    const children = Math.min(left, 25) - 1;
    const coin = coinAt(coins, replaced.length);
    const parent = spend([coin], 3_000n, { outputs: 24 });
    await take(h, parent);
    for (let at = 0; at < children; at++) await take(h, spend([outputOf(parent, at)], 100n));
    replaced.push(coin);
  }
  return spend(replaced, 100_000n);
}

/** In the pool: two parents of the same 24 children, 26 entries that count as 50, and 50 or 51 others. */
async function overShared(h: Harness, coins: readonly TestCoin[], others: number): Promise<Transaction> {
  const own = coins.slice(-2);
  const [left, right] = own.map((coin) => spend([coin], 3_000n, { outputs: 24 }));
  assert.ok(left !== undefined && right !== undefined);
  await take(h, left, right);
  for (let at = 0; at < 24; at++) await take(h, spend([outputOf(left, at), outputOf(right, at)], 1_000n));
  const tx = await overMany(h, coins, others);
  const families = Math.ceil(others / 25);
  assert.equal(tx.inputs.length, families);
  return spend([...coins.slice(0, families), ...own], 200_000n);
}

/** In the pool: a parent with so many children; `taken` of them are replaced by one transaction. */
async function inFamily(
  h: Harness,
  coins: readonly TestCoin[],
  { children, taken }: { children: number; taken: number },
): Promise<{ parent: Transaction; tx: Transaction }> {
  const parent = spend([coinAt(coins, 0)], 10_000n, { outputs: 30 });
  await take(h, parent);
  for (let at = 0; at < children; at++) await take(h, spend([outputOf(parent, at)], 100n));
  const outputs = Array.from({ length: taken }, (_, at) => outputOf(parent, at));
  return { parent, tx: spend(outputs, 10_000n) };
}

const CASES: readonly Case[] = [
  {
    name: 'the same rate',
    make: (h, coins) => overPayment(h, coins, 100n * BigInt(sizeOf(1, 2))),
    expected: (tx) =>
      `insufficient fee, rejecting replacement ${tx.txid}; new feerate 0.00100000 BTC/kvB <= old feerate 0.00100000 BTC/kvB`,
  },
  {
    name: 'a higher rate',
    make: (h, coins) => overPayment(h, coins, 100n * BigInt(sizeOf(1, 2)) + 1n),
    expected: accepted,
  },
  {
    name: 'a higher rate than what does not signal (full replacement)',
    make: (h, coins) => overPayment(h, coins, 100n * BigInt(sizeOf(1, 2)) + 1n, 0xffffffff),
    expected: accepted,
  },
  {
    name: 'a satoshi less than what leaves paid',
    make: (h, coins) => overFamily(h, coins, 59_999n),
    expected: (tx) =>
      `insufficient fee, rejecting replacement ${tx.txid}, less fees than conflicting txs; 0.00059999 < 0.0006`,
  },
  {
    name: 'as much as what leaves paid',
    make: (h, coins) => overFamily(h, coins, 60_000n),
    expected: (tx) =>
      `insufficient fee, rejecting replacement ${tx.txid}, not enough additional fees to relay; 0.00 < 0.00000085`,
  },
  {
    name: 'a satoshi less than its own relay besides',
    make: (h, coins) => overFamily(h, coins, 60_084n),
    expected: (tx) =>
      `insufficient fee, rejecting replacement ${tx.txid}, not enough additional fees to relay; 0.00000084 < 0.00000085`,
  },
  { name: 'its own relay besides', make: (h, coins) => overFamily(h, coins, 60_085n), expected: accepted },
  { name: '100 entries', make: (h, coins) => overMany(h, coins, 100), expected: accepted },
  {
    name: '101 entries',
    make: (h, coins) => overMany(h, coins, 101),
    expected: (tx) =>
      `too many potential replacements, rejecting replacement ${tx.txid}; too many potential replacements (101 > 100)`,
  },
  { name: 'shared descendants counted twice, 100', make: (h, coins) => overShared(h, coins, 50), expected: accepted },
  {
    name: 'shared descendants counted twice, 101',
    make: (h, coins) => overShared(h, coins, 51),
    expected: (tx) =>
      `too many potential replacements, rejecting replacement ${tx.txid}; too many potential replacements (101 > 100)`,
  },
  {
    name: 'an unconfirmed input that nothing replaced had',
    make: async (h, coins) => {
      const other = spend([coinAt(coins, 1)], 10_000n);
      await take(h, spend([coinAt(coins, 0)], 10_000n), other);
      return spend([coinAt(coins, 0), outputOf(other)], 30_000n);
    },
    expected: (tx) => `replacement-adds-unconfirmed, replacement ${tx.txid} adds unconfirmed input, idx 1`,
  },
  {
    name: 'an unconfirmed input from a parent of what leaves',
    make: async (h, coins) => {
      const other = spend([coinAt(coins, 1)], 10_000n, { outputs: 2 });
      const direct = spend([coinAt(coins, 0)], 10_000n);
      await take(h, other, direct, spend([outputOf(direct), outputOf(other)], 10_000n));
      return spend([coinAt(coins, 0), outputOf(other, 1)], 50_000n);
    },
    expected: accepted,
  },
  {
    name: 'the place of the 25th in a family',
    make: async (h, coins) => (await inFamily(h, coins, { children: 24, taken: 1 })).tx,
    expected: accepted,
  },
  {
    name: 'the place of the carve-out',
    make: async (h, coins) => (await inFamily(h, coins, { children: 25, taken: 1 })).tx,
    expected: accepted,
  },
  {
    name: 'its bytes in a family that is full',
    make: async (h, coins) => {
      const parent = spend([coinAt(coins, 0)], 60_000n, { outputs: 1_600 });
      const large = spend([coinAt(coins, 1), outputOf(parent)], 60_000n, { outputs: 1_500 });
      await take(h, parent, large);
      return spend([coinAt(coins, 1), outputOf(parent)], 120_000n, { outputs: 1_500 });
    },
    expected: accepted,
  },
];

describe('a replacement takes', () => {
  for (const { name, make, expected } of CASES) {
    it(name, async () => {
      await using h = await createHarness();
      const tx = await make(h, await fund(h, 8));
      const before = h.txids();
      const verdict = await verdictOf(h, tx);
      assert.equal(verdict, expected(tx));
      if (verdict === 'accepted') assert.equal(h.txids().at(-1), tx.txid);
      else assert.deepEqual(h.txids(), before, 'a refused one changes nothing');
    });
  }
});

describe('a replacement', () => {
  it('pushes out the conflicts and all that stands on them, and nothing else', async () => {
    await using h = await createHarness();
    const [own = assert.fail(), second = assert.fail(), other = assert.fail()] = await fund(h, 3);
    const parents = [spend([own], 1_000n), spend([second], 1_000n)];
    const children = parents.map((parent) => spend([outputOf(parent)], 1_000n));
    const bystander = spend([other], 1_000n);
    await take(h, ...parents, bystander, ...children);
    const tx = spend([own, second], 10_000n);
    await take(h, tx);
    assert.deepEqual(h.txids(), [bystander.txid, tx.txid]);
    assert.equal(h.mempool.spender(own.txid, own.index)?.tx.txid, tx.txid);
    assert.deepEqual(h.mempool.stats().totalFee, 11_000n);
  });

  it('does not stand on what it pushes out: no chain could hold it', async () => {
    await using h = await createHarness();
    const [coin = assert.fail(), coins = assert.fail()] = await fund(h, 2);
    const parent = spend([coin], 1_000n, { outputs: 2 });
    const child = spend([outputOf(parent)], 1_000n);
    await take(h, parent, child, spend([coins], 1_000n));
    for (const from of [outputOf(parent, 1), outputOf(child)]) {
      const tx = spend([coin, from], 50_000n);
      assert.equal(
        await verdictOf(h, tx),
        `consensus: bad-txns-spends-conflicting-tx, ${tx.txid} spends conflicting transaction ${parent.txid}`,
      );
    }
  });

  it('of two in a full family gets no room from them', async () => {
    await using h = await createHarness();
    const { parent, tx } = await inFamily(h, await fund(h, 1), { children: 25, taken: 2 });
    assert.equal(
      await verdictOf(h, tx),
      `too-long-mempool-chain, too many descendants for tx ${parent.txid} [limit: 25]`,
    );
  });

  it('gets no room for bytes from two', async () => {
    await using h = await createHarness();
    const [first = assert.fail(), second = assert.fail(), third = assert.fail()] = await fund(h, 3);
    const parent = spend([first], 60_000n, { outputs: 1_600 });
    await take(h, parent, spend([third, outputOf(parent)], 50_000n, { outputs: 1_400 }), spend([second], 1_000n));
    assert.equal(
      await verdictOf(h, spend([second, third, outputOf(parent)], 150_000n, { outputs: 1_400 })),
      `too-long-mempool-chain, exceeds descendant size limit for tx ${parent.txid} [limit: 101000]`,
    );
  });

  it('is asked for more than the carve-out takes by the limit that it met', async () => {
    await using h = await createHarness();
    const { parent } = await inFamily(h, await fund(h, 1), { children: 25, taken: 1 });
    const another = spend([outputOf(parent, 28)], 10_000n);
    assert.equal(
      await verdictOf(h, another),
      `too-long-mempool-chain, too many descendants for tx ${parent.txid} [limit: 25]`,
    );
  });
});

describe('while scripts run', () => {
  /** Confirms what is to be replaced after the checks of what replaces it, and before its entry. */
  async function confirmMeanwhile(submit: (h: Harness, coin: TestCoin) => Promise<void>): Promise<void> {
    let meanwhile: (() => Promise<void>) | undefined;
    await using h = await createHarness({
      wrapVerifier: (verifier) => ({
        ...verifier,
        verify: async (jobs, signal) => {
          const once = meanwhile;
          meanwhile = undefined;
          await once?.();
          return verifier.verify(jobs, signal);
        },
      }),
    });
    const [coin = assert.fail(), other = assert.fail()] = await fund(h, 2);
    const [original, bystander] = [spend([coin], 1_000n), spend([other], 1_000n)];
    await take(h, original, bystander);
    meanwhile = () => h.connect(h.builder.mine({ transactions: [original] }));
    await submit(h, coin);
    assert.equal(meanwhile, undefined);
    assert.deepEqual(h.txids(), [bystander.txid]);
  }

  it('a block may confirm what a transaction would replace: it comes too late', () =>
    confirmMeanwhile(async (h, coin) => {
      assert.equal(await h.submit(spend([coin], 10_000n)), 'missing-inputs');
    }));

  it('a block may confirm what a package would replace: it comes too late', () =>
    confirmMeanwhile(async (h, coin) => {
      const parent = spend([coin], 0n, { version: 3 });
      const child = spend([outputOf(parent)], 10_000n, { version: 3 });
      const { failure, parent: verdict } = await h.mempool.submitPackage(parent, child, 'local');
      assert.deepEqual([failure?.code, verdict?.kind], ['transaction failed', 'missing-inputs']);
    }));
});

describe('without full replacement', () => {
  const SIGNAL = 0xfffffffd;
  const rows = [
    { name: 'with the signal', shape: { sequence: SIGNAL }, verdict: 'accepted' },
    { name: 'one above it', shape: { sequence: SIGNAL + 1 }, verdict: 'txn-mempool-conflict' },
    { name: 'final', shape: { sequence: SIGNAL + 2 }, verdict: 'txn-mempool-conflict' },
    { name: 'final, of version 3', shape: { sequence: SIGNAL + 2, version: 3 }, verdict: 'accepted' },
  ];
  for (const { name, shape, verdict } of rows) {
    it(`${verdict}: ${name}`, async () => {
      await using h = await createHarness({ fullRbf: false });
      const coins = await fund(h, 1);
      await take(h, spend(coins, 1_000n, shape));
      assert.equal(await h.submit(spend(coins, 10_000n, { version: shape.version ?? 2 })), verdict);
    });
  }

  it('a parent’s signal does not count for its child', async () => {
    await using h = await createHarness({ fullRbf: false });
    const [coin = assert.fail()] = await fund(h, 1);
    const parent = spend([coin], 1_000n, { sequence: SIGNAL });
    const child = spend([outputOf(parent)], 1_000n, { sequence: SIGNAL + 1 });
    await take(h, parent, child);
    assert.equal(await h.submit(spend([outputOf(parent)], 10_000n)), 'txn-mempool-conflict');
    assert.equal(await h.submit(spend([coin], 10_000n)), 'accepted');
    assert.ok(!h.mempool.has(child.txid));
  });

  it('is asked before what is missing, and behind what is not final', async () => {
    await using h = await createHarness({ fullRbf: false });
    const [coin = assert.fail(), gone = assert.fail()] = await fund(h, 2);
    await take(h, spend([coin], 1_000n, { sequence: SIGNAL + 2 }));
    const missing = outputOf(spend([gone], 1_000n));
    assert.equal(await h.submit(spend([coin, missing], 1_000n)), 'txn-mempool-conflict');
    const early = spend([coin], 1_000n, { sequence: 0, lockTime: 1_000 });
    assert.equal(await h.submit(early), 'non-final');
  });

  it('holds for packages', async () => {
    await using h = await createHarness({ fullRbf: false });
    const [coin = assert.fail()] = await fund(h, 1);
    await take(h, spend([coin], 1_000n, { sequence: SIGNAL + 2 }));
    const parent = spend([coin], 0n, { version: 3 });
    const child = spend([outputOf(parent)], 10_000n, { version: 3 });
    const { parent: verdict } = await h.mempool.submitPackage(parent, child, 'local');
    assert.deepEqual(verdict, { kind: 'policy', code: 'txn-mempool-conflict' });
  });
});
