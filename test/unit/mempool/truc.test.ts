/** BIP431 by Core's rules and texts. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Block, Transaction } from '#primitives';
import { outputOf, type TestCoin } from '../../support/tx-builder.ts';
import { fund, type Shape, sizeOf, spend, take, verdictOf } from './fixed-size.ts';
import { createHarness, type Harness } from './harness.ts';

const FEE = 10_000n;

const v3 = (coins: readonly TestCoin[], fee = FEE, shape: Shape = {}): Transaction =>
  spend(coins, fee, { version: 3, ...shape });

const name = (tx: Transaction | undefined): string => `tx ${tx?.txid} (wtxid=${tx?.wtxid})`;

type Case = {
  readonly name: string;
  /** What is in the pool already, and the transaction to be judged, last. */
  readonly txs: (coins: (at: number) => TestCoin) => readonly Transaction[];
  /** Core's answer. */
  readonly expected: (tx: Transaction, before: readonly Transaction[]) => string;
};

const accepted = (): string => 'accepted';

const CASES: readonly Case[] = [
  { name: '10,000 vbytes', txs: (coin) => [v3([coin(0)], FEE, { vsize: 10_000 })], expected: accepted },
  {
    name: '10,001 vbytes',
    txs: (coin) => [v3([coin(0)], FEE + 1n, { vsize: 10_001 })],
    expected: (tx) => `TRUC-violation, version=3 ${name(tx)} is too big: 10001 > 10000 virtual bytes`,
  },
  {
    name: '10,001 vbytes of another version',
    txs: (coin) => [spend([coin(0)], FEE + 1n, { vsize: 10_001 })],
    expected: accepted,
  },
  {
    name: 'a child of 1,000 vbytes',
    txs: (coin) => {
      const parent = v3([coin(0)]);
      return [parent, v3([outputOf(parent)], FEE, { vsize: 1_000 })];
    },
    expected: accepted,
  },
  {
    name: 'a child of 1,001 vbytes',
    txs: (coin) => {
      const parent = v3([coin(0)]);
      return [parent, v3([outputOf(parent)], FEE, { vsize: 1_001 })];
    },
    expected: (tx) => `TRUC-violation, version=3 child ${name(tx)} is too big: 1001 > 1000 virtual bytes`,
  },
  {
    name: 'a child of another version',
    txs: (coin) => {
      const parent = v3([coin(0)]);
      return [parent, spend([outputOf(parent)], FEE)];
    },
    expected: (tx, [parent]) => `TRUC-violation, non-version=3 ${name(tx)} cannot spend from version=3 ${name(parent)}`,
  },
  {
    name: 'a parent of another version',
    txs: (coin) => {
      const parent = spend([coin(0)], FEE);
      return [parent, v3([outputOf(parent)])];
    },
    expected: (tx, [parent]) => `TRUC-violation, version=3 ${name(tx)} cannot spend from non-version=3 ${name(parent)}`,
  },
  {
    name: 'two parents',
    txs: (coin) => {
      const parents = [v3([coin(0)]), v3([coin(1)])];
      return [...parents, v3(parents.map((parent) => outputOf(parent)))];
    },
    expected: (tx) => `TRUC-violation, ${name(tx)} would have too many ancestors`,
  },
  {
    name: 'a grandparent',
    txs: (coin) => {
      const parent = v3([coin(0)]);
      const child = v3([outputOf(parent)]);
      return [parent, child, v3([outputOf(child)])];
    },
    expected: (tx) => `TRUC-violation, ${name(tx)} would have too many ancestors`,
  },
  {
    name: 'a sibling, with less than its relay besides',
    txs: (coin) => {
      const parent = v3([coin(0)], FEE, { outputs: 2 });
      return [parent, v3([outputOf(parent)], FEE), v3([outputOf(parent, 1)], FEE + 84n)];
    },
    expected: (tx) =>
      `insufficient fee (including sibling eviction), rejecting replacement ${tx.txid}, not enough additional fees to relay; 0.00000084 < 0.00000085`,
  },
  {
    name: 'a sibling, at the same rate',
    txs: (coin) => {
      const parent = v3([coin(0)], FEE, { outputs: 2 });
      const rate = 100n;
      const fees = [BigInt(sizeOf(1, 1)) * rate, BigInt(sizeOf(1, 2)) * rate] as const;
      return [parent, v3([outputOf(parent)], fees[0]), v3([outputOf(parent, 1)], fees[1], { outputs: 2 })];
    },
    expected: (tx) =>
      `insufficient fee (including sibling eviction), rejecting replacement ${tx.txid}; new feerate 0.00100000 BTC/kvB <= old feerate 0.00100000 BTC/kvB`,
  },
  {
    name: 'a sibling, with its relay besides',
    txs: (coin) => {
      const parent = v3([coin(0)], FEE, { outputs: 2 });
      return [parent, v3([outputOf(parent)], FEE), v3([outputOf(parent, 1)], FEE + 85n)];
    },
    expected: accepted,
  },
  {
    name: 'the place of the child, as a plain replacement',
    txs: (coin) => {
      const parent = v3([coin(0)]);
      return [parent, v3([outputOf(parent)], FEE), v3([outputOf(parent)], FEE + 84n)];
    },
    expected: (tx) =>
      `insufficient fee, rejecting replacement ${tx.txid}, not enough additional fees to relay; 0.00000084 < 0.00000085`,
  },
  {
    name: 'no fee: a child could pay',
    txs: (coin) => [v3([coin(0)], 0n)],
    expected: () => 'min relay fee not met, 0 < 85',
  },
];

describe('version 3', () => {
  for (const { name, txs, expected } of CASES) {
    it(name, async () => {
      await using h = await createHarness();
      const coins = await fund(h, 4);
      const all = txs((at) => coins[at] ?? assert.fail());
      const before = all.slice(0, -1);
      const tx = all.at(-1) ?? assert.fail();
      await take(h, ...before);
      const verdict = await verdictOf(h, tx);
      assert.equal(verdict, expected(tx, before));
      assert.equal(h.mempool.has(tx.txid), verdict === 'accepted');
    });
  }

  it('evicts the sibling and keeps the parent', async () => {
    await using h = await createHarness();
    const [coin = assert.fail()] = await fund(h, 1);
    const parent = v3([coin], FEE, { outputs: 2 });
    const child = v3([outputOf(parent)]);
    const sibling = v3([outputOf(parent, 1)], FEE * 2n);
    await take(h, parent, child, sibling);
    assert.deepEqual(h.txids(), [parent.txid, sibling.txid]);
  });

  it('has no carve-out', async () => {
    await using h = await createHarness();
    const [coin = assert.fail()] = await fund(h, 1);
    const family = spend([coin], FEE, { outputs: 25 });
    await take(h, family);
    for (let at = 0; at < 24; at++) await take(h, spend([outputOf(family, at)], 100n));
    const tooLong = `too-long-mempool-chain, too many descendants for tx ${family.txid} [limit: 25]`;
    assert.equal(await verdictOf(h, v3([outputOf(family, 24)])), tooLong);
    await take(h, spend([outputOf(family, 24)], FEE));
  });

  it('is told apart from what can never be paid for: below the relay minimum a child helps only here', async () => {
    await using h = await createHarness();
    const [coin = assert.fail()] = await fund(h, 1);
    const judge = async (version: number): Promise<boolean> => {
      const verdict = await h.mempool.submit(spend([coin], 0n, { version }), 'local');
      return verdict.kind === 'policy' && verdict.reconsiderable === true;
    };
    assert.deepEqual([await judge(2), await judge(3)], [false, true]);
  });

  it('spends what is confirmed, of whatever version', async () => {
    await using h = await createHarness();
    const [coin = assert.fail()] = await fund(h, 1);
    const parent = spend([coin], FEE, { outputs: 2, version: 1 });
    await h.connect(h.builder.mine({ transactions: [parent] }));
    await take(h, v3([outputOf(parent)]), v3([outputOf(parent, 1)], FEE, { vsize: 10_000 }));
  });

  it('evicts none of two children that a reorganisation brought below one parent', async () => {
    await using h = await createHarness();
    const [coin = assert.fail()] = await fund(h, 1);
    const branch = h.builder.fork(h.builder.height);
    const parent = v3([coin], FEE, { outputs: 3 });
    await h.connect(h.builder.mine({ transactions: [parent] }));
    await take(h, v3([outputOf(parent)]), v3([outputOf(parent, 1)]));
    await reorganiseTo(h, branch.mineMany(2));
    assert.ok(h.mempool.has(parent.txid));
    assert.equal(
      await verdictOf(h, v3([outputOf(parent, 2)], 10n * FEE)),
      `TRUC-violation, ${name(parent)} would exceed descendant count limit`,
    );
  });
});

async function reorganiseTo(h: Harness, blocks: readonly Block[]): Promise<void> {
  await h.connect(...blocks);
  assert.equal(h.chain.tip().hash, blocks.at(-1)?.hash);
}
