/** One parent and one child: what Core 28 answers, of the package and of each. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MempoolVerdict, PackageVerdict } from '#mempool';
import type { Transaction } from '#primitives';
import { testKey } from '../../support/keys.ts';
import { buildTx, outputOf, pay, type TestCoin } from '../../support/tx-builder.ts';
import { fund, raiseMinimum, type Shape, said, sizeOf, spend, take, verdictText } from './fixed-size.ts';
import { createHarness, type Harness } from './harness.ts';

const VSIZE = sizeOf(1, 1);

type Package = {
  /** In the pool already. */
  readonly before?: readonly Transaction[];
  readonly parent: Transaction;
  readonly child: Transaction;
};

/** `of`: the package, its parent, its child; `-` where Core says nothing. */
type Answer = readonly [of: string, parent: string, child: string];

type Case = {
  readonly name: string;
  readonly make: (coins: (at: number) => TestCoin) => Package;
  readonly expected: (made: Package) => Answer;
};

const v3 = (coins: readonly TestCoin[], fee: bigint, shape: Shape = {}): Transaction =>
  spend(coins, fee, { version: 3, ...shape });
const of = (tx: Transaction | undefined): string => `tx ${tx?.txid} (wtxid=${tx?.wtxid})`;

const ACCEPTED: Answer = ['accepted', 'accepted', 'accepted'];
const accepted = (): Answer => ACCEPTED;
const refused =
  (why: (made: Package) => string, parent = 'min relay fee not met, 0 < 85') =>
  (made: Package): Answer => [why(made), parent, 'missing-inputs'];

/** A parent of version 3 without fee, and a child that pays. */
const paidByChild = (coins: readonly TestCoin[], fee: bigint, shape: Shape = {}): Package => {
  const parent = v3(coins, 0n, shape);
  return { parent, child: v3([outputOf(parent)], fee) };
};

function answerOf({ failure, parent, child }: PackageVerdict): Answer {
  const text = (verdict: MempoolVerdict | undefined): string => (verdict === undefined ? '-' : verdictText(verdict));
  return [failure === undefined ? 'accepted' : said(failure.code, failure.debug), text(parent), text(child)];
}

async function judge(h: Harness, { parent, child }: Package): Promise<Answer> {
  return answerOf(await h.mempool.submitPackage(parent, child, 'peer'));
}

const FEES: readonly Case[] = [
  { name: 'just enough for both', make: (coin) => paidByChild([coin(0)], 170n), expected: accepted },
  {
    name: 'a satoshi less',
    make: (coin) => paidByChild([coin(0)], 169n),
    expected: () => ['transaction failed', 'min relay fee not met, 0 < 85', 'min relay fee not met, 169 < 170'],
  },
  {
    name: 'a parent below the relay minimum that is not of version 3',
    make: (coin) => {
      const parent = spend([coin(0)], 84n);
      return { parent, child: spend([outputOf(parent)], 100_000n) };
    },
    expected: () => ['transaction failed', 'min relay fee not met, 84 < 85', 'missing-inputs'],
  },
  {
    name: 'a parent that pays, and a child that does not',
    make: (coin) => {
      const parent = spend([coin(0)], 100_000n);
      return { parent, child: spend([outputOf(parent)], 84n) };
    },
    expected: () => ['transaction failed', 'accepted', 'min relay fee not met, 84 < 85'],
  },
  {
    name: 'two that pay each for itself',
    make: (coin) => {
      const parent = spend([coin(0)], 85n);
      return { parent, child: spend([outputOf(parent)], 85n) };
    },
    expected: accepted,
  },
  {
    name: 'a parent that is here already',
    make: (coin) => {
      const parent = spend([coin(0)], 85n);
      return { before: [parent], parent, child: spend([outputOf(parent)], 85n) };
    },
    expected: () => ['accepted', 'txn-already-in-mempool', 'accepted'],
  },
];

const FORMS: readonly Case[] = [
  {
    name: 'the same twice',
    make: (coin) => {
      const parent = spend([coin(0)], 85n);
      return { parent, child: parent };
    },
    expected: () => ['package-contains-duplicates', '-', '-'],
  },
  {
    name: 'the child first',
    make: (coin) => {
      const { parent, child } = paidByChild([coin(0)], 170n);
      return { parent: child, child: parent };
    },
    expected: () => ['package-not-sorted', '-', '-'],
  },
  {
    name: 'the same coin in both',
    make: (coin) => {
      const parent = v3([coin(0)], 0n);
      return { parent, child: v3([outputOf(parent), coin(0)], 1_000n) };
    },
    expected: () => ['conflict-in-package', '-', '-'],
  },
  {
    name: 'strangers',
    make: (coin) => ({ parent: v3([coin(0)], 0n), child: v3([coin(1)], 1_000n) }),
    expected: () => ['package-not-child-with-parents', '-', '-'],
  },
  {
    name: 'a child of another unconfirmed parent too',
    make: (coin) => {
      const [parent, other] = [spend([coin(0)], 0n), spend([coin(1)], 1_000n)];
      return { before: [other], parent, child: spend([outputOf(parent), outputOf(other)], 1_000n) };
    },
    expected: () => ['package-not-child-with-unconfirmed-parents', '-', '-'],
  },
  {
    name: '101,000 vbytes',
    make: (coin) => {
      const parent = spend([coin(0)], 60_000n, { vsize: 50_000 });
      return { parent, child: spend([outputOf(parent), coin(1)], 60_000n, { vsize: 51_000 }) };
    },
    expected: accepted,
  },
  {
    name: '101,001 vbytes',
    make: (coin) => {
      const parent = spend([coin(0)], 60_000n, { vsize: 50_000 });
      return { parent, child: spend([outputOf(parent), coin(1)], 60_000n, { vsize: 51_001 }) };
    },
    expected: () => ['package-too-large', '-', '-'],
  },
];

const TRUC: readonly Case[] = [
  {
    name: 'a child of 1,000 vbytes',
    make: (coin) => {
      const parent = v3([coin(0)], 0n);
      return { parent, child: v3([outputOf(parent)], 10_000n, { vsize: 1_000 }) };
    },
    expected: accepted,
  },
  {
    name: 'a child of 1,001 vbytes',
    make: (coin) => {
      const parent = v3([coin(0)], 0n);
      return { parent, child: v3([outputOf(parent)], 10_000n, { vsize: 1_001 }) };
    },
    expected: refused(
      ({ child }) => `TRUC-violation, version=3 child ${of(child)} is too big: 1001 > 1000 virtual bytes`,
    ),
  },
  {
    name: 'a child of another version',
    make: (coin) => {
      const parent = v3([coin(0)], 0n);
      return { parent, child: spend([outputOf(parent)], 10_000n) };
    },
    expected: refused(
      ({ parent, child }) => `TRUC-violation, non-version=3 ${of(child)} cannot spend from version=3 ${of(parent)}`,
    ),
  },
  {
    name: 'a grandparent in the pool',
    make: (coin) => {
      const grandparent = v3([coin(0)], 1_000n);
      return { before: [grandparent], ...paidByChild([outputOf(grandparent)], 10_000n) };
    },
    expected: refused(({ child }) => `TRUC-violation, ${of(child)} would have too many ancestors`),
  },
];

const RBF: readonly Case[] = [
  {
    name: 'a satoshi less than what leaves and the relay of both',
    make: (coin) => ({ before: [spend([coin(0)], 1_000n)], ...paidByChild([coin(0)], 1_169n) }),
    expected: refused(
      ({ child }) =>
        `package RBF failed: insufficient anti-DoS fees, rejecting replacement ${child.txid}, not enough additional fees to relay; 0.00000169 < 0.0000017`,
    ),
  },
  {
    name: 'enough for relay, but less than what leaves at its size',
    make: (coin) => ({ before: [spend([coin(0)], 1_000n)], ...paidByChild([coin(0)], 1_999n) }),
    expected: refused(() => 'package RBF failed: insufficient feerate: does not improve feerate diagram'),
  },
  {
    name: 'as much at its size, and more behind',
    make: (coin) => ({ before: [spend([coin(0)], 1_000n)], ...paidByChild([coin(0)], 2_000n) }),
    expected: accepted,
  },
  {
    name: 'a package at the rate of its parent',
    make: (coin) => {
      const parent = spend([coin(0)], 1_050n);
      return { before: [spend([coin(0)], 1_000n)], parent, child: spend([outputOf(parent)], 1_050n) };
    },
    expected: (made) =>
      refused(
        () =>
          'package RBF failed: package feerate is less than or equal to parent feerate, package feerate 0.00012352 BTC/kvB <= parent feerate is 0.00012352 BTC/kvB',
        `insufficient fee, rejecting replacement ${made.parent.txid}, not enough additional fees to relay; 0.0000005 < 0.00000085`,
      )(made),
  },
  {
    name: 'a package above the rate of its parent',
    make: (coin) => {
      const parent = spend([coin(0)], 1_050n);
      return { before: [spend([coin(0)], 1_000n)], parent, child: spend([outputOf(parent)], 1_051n) };
    },
    expected: accepted,
  },
  {
    name: 'a parent with ancestors',
    make: (coin) => {
      const grandparent = spend([coin(1)], 1_000n);
      const parent = spend([coin(0), outputOf(grandparent)], 1_000n);
      return {
        before: [grandparent, spend([coin(0)], 1_000n)],
        parent,
        child: spend([outputOf(parent)], 10_000n),
      };
    },
    expected: (made) =>
      refused(
        () => 'package RBF failed: new transaction cannot have mempool ancestors',
        `insufficient fee, rejecting replacement ${made.parent.txid}; new feerate 0.00007812 BTC/kvB <= old feerate 0.00011764 BTC/kvB`,
      )(made),
  },
  ...[100, 101].map((count): Case => {
    const why = `too many potential replacements (${count} > 100)`;
    return {
      name: `${count} entries`,
      make: (coin) => {
        const coins = Array.from({ length: count }, (_, at) => coin(at));
        return { before: coins.map((one) => spend([one], 100n)), ...paidByChild(coins, 30_000n) };
      },
      expected: (made) =>
        count === 100
          ? ACCEPTED
          : refused(
              ({ child }) =>
                `package RBF failed: too many potential replacements, rejecting replacement ${child.txid}; ${why}`,
              `min relay fee not met, 0 < ${made.parent.size}`,
            )(made),
    };
  }),
];

/** Each conflict and its relatives pay 1,000; the package pays 100,000: only the topology can be wrong. */
const TOPOLOGY: readonly Case[] = [
  {
    name: 'a parent and its only child',
    make: (coin) => {
      const conflict = spend([coin(0)], 1_000n);
      return { before: [conflict, spend([outputOf(conflict)], 1_000n)], ...paidByChild([coin(0)], 100_000n) };
    },
    expected: accepted,
  },
  {
    name: 'an only child, whose parent stays',
    make: (coin) => {
      const stays = spend([coin(0)], 1_000n);
      return { before: [stays, spend([outputOf(stays), coin(1)], 1_000n)], ...paidByChild([coin(1)], 100_000n) };
    },
    expected: accepted,
  },
  {
    // 11.8 sat/vB as one chunk, which 12.9 beats at every size. In two, the child's 22.4 would be ahead.
    name: 'a child that pays for its parent, as one chunk',
    make: (coin) => {
      const conflict = spend([coin(0)], 100n);
      return { before: [conflict, spend([outputOf(conflict)], 1_900n)], ...paidByChild([coin(0)], 2_200n) };
    },
    expected: accepted,
  },
  {
    name: 'a child that does not pay for its parent, as two chunks',
    make: (coin) => {
      const conflict = spend([coin(0)], 1_900n);
      return { before: [conflict, spend([outputOf(conflict)], 100n)], ...paidByChild([coin(0)], 2_200n) };
    },
    expected: refused(() => 'package RBF failed: insufficient feerate: does not improve feerate diagram'),
  },
  {
    // The parent's 11.8 sat/vB come first before and after; behind it 8.8 beat 7.8.
    name: 'an only child, whose parent stays and pays more than either',
    make: (coin) => {
      const stays = spend([coin(0)], 1_000n);
      return { before: [stays, spend([outputOf(stays), coin(1)], 1_000n)], ...paidByChild([coin(1)], 1_500n) };
    },
    expected: accepted,
  },
  {
    name: 'two children',
    make: (coin) => {
      const conflict = spend([coin(0)], 1_000n, { outputs: 2 });
      const children = [0, 1].map((at) => spend([outputOf(conflict, at)], 1_000n));
      return { before: [conflict, ...children], ...paidByChild([coin(0)], 100_000n) };
    },
    expected: refused(({ before }) => `package RBF failed: ${before?.[0]?.txid} has 2 descendants, max 1 allowed`),
  },
  {
    name: 'a parent and a child',
    make: (coin) => {
      const parent = spend([coin(0)], 1_000n);
      const conflict = spend([outputOf(parent), coin(1)], 1_000n);
      return {
        before: [parent, conflict, spend([outputOf(conflict)], 1_000n)],
        ...paidByChild([coin(1)], 100_000n),
      };
    },
    expected: refused(
      ({ before }) =>
        `package RBF failed: ${before?.[1]?.txid} has both ancestor and descendant, exceeding cluster limit of 2`,
    ),
  },
  {
    name: 'two parents',
    make: (coin) => {
      const parents = [spend([coin(0)], 1_000n), spend([coin(1)], 1_000n)];
      const conflict = spend([...parents.map((one) => outputOf(one)), coin(2)], 1_000n);
      return { before: [...parents, conflict], ...paidByChild([coin(2)], 100_000n) };
    },
    expected: refused(({ before }) => `package RBF failed: ${before?.[2]?.txid} has 2 ancestors, max 1 allowed`),
  },
  {
    name: 'a child of another parent too',
    make: (coin) => {
      const parents = [spend([coin(0)], 1_000n), spend([coin(1)], 1_000n)];
      const child = spend(
        parents.map((one) => outputOf(one)),
        1_000n,
      );
      return { before: [...parents, child], ...paidByChild([coin(0)], 100_000n) };
    },
    expected: refused(
      ({ before }) => `package RBF failed: ${before?.[0]?.txid} is not the only parent of child ${before?.[2]?.txid}`,
    ),
  },
  {
    name: 'one of two children',
    make: (coin) => {
      const parent = spend([coin(0)], 1_000n, { outputs: 2 });
      const children = [spend([outputOf(parent)], 1_000n), spend([outputOf(parent, 1), coin(1)], 1_000n)];
      return { before: [parent, ...children], ...paidByChild([coin(1)], 100_000n) };
    },
    expected: refused(
      ({ before }) => `package RBF failed: ${before?.[2]?.txid} is not the only child of parent ${before?.[0]?.txid}`,
    ),
  },
];

function table(title: string, cases: readonly Case[]): void {
  describe(title, () => {
    for (const { name, make, expected } of cases) {
      it(name, async () => {
        await using h = await createHarness();
        const coins = await fund(h, 101);
        const made = make((at) => coins[at] ?? assert.fail());
        await take(h, ...(made.before ?? []));
        const before = h.txids();
        const answer = await judge(h, made);
        assert.deepEqual(answer, expected(made));
        if (answer[0] === 'accepted') assert.deepEqual(h.txids().slice(-2), [made.parent.txid, made.child.txid]);
        else if (answer[1] !== 'accepted') assert.deepEqual(h.txids(), before, 'a refused one changes nothing');
      });
    }
  });
}

table('a package pays', FEES);
table('a package is', FORMS);
table('a package of version 3', TRUC);
table('a package replaces', RBF);
table('a package replaces in a family:', TOPOLOGY);

describe('a package', () => {
  it('brings in a parent below the minimum of a full mempool', async () => {
    await using h = await createHarness({ maxTxs: 2 });
    const [coin = assert.fail()] = await raiseMinimum(h, 1);
    assert.equal(h.mempool.minFeeSatPerKvb(), 101_000);
    const parent = spend([coin], 85n);
    const child = (fee: bigint): Transaction => spend([outputOf(parent)], fee);
    assert.deepEqual(await judge(h, { parent, child: child(17_084n) }), [
      'transaction failed',
      'mempool min fee not met, 85 < 8585',
      'mempool min fee not met, 17169 < 17170',
    ]);
    assert.deepEqual(await judge(h, { parent, child: child(17_085n) }), ACCEPTED);
  });

  it('stands in a chain of 25 with both of its transactions', async () => {
    for (const [length, expected] of [
      [23, ACCEPTED],
      [
        24,
        [
          'package-mempool-limits, possibly too many unconfirmed ancestors [limit: 25]',
          'mempool min fee not met, 85 < 8585',
          'missing-inputs',
        ],
      ],
    ] as const) {
      await using h = await createHarness({ maxBytes: 50_000 });
      let [coin = assert.fail()] = await raiseMinimum(h, 1);
      for (let count = 0; count < length; count++) {
        const tx = spend([coin], 9_000n);
        await take(h, tx);
        coin = outputOf(tx);
      }
      const parent = spend([coin], 85n);
      assert.deepEqual(await judge(h, { parent, child: spend([outputOf(parent)], 100_000n) }), expected);
    }
  });

  it('has no carve-out, although each alone would', async () => {
    await using h = await createHarness();
    const [coin = assert.fail()] = await fund(h, 1);
    const family = spend([coin], 3_000n, { outputs: 25 });
    await take(h, family);
    for (let at = 0; at < 24; at++) await take(h, spend([outputOf(family, at)], 100n));
    const parent = spend([outputOf(family, 24)], 100n);
    const tooLong = `too-long-mempool-chain, too many descendants for tx ${family.txid} [limit: 25]`;
    assert.deepEqual(await judge(h, { parent, child: spend([outputOf(parent)], 1_000n) }), [
      'transaction failed',
      tooLong,
      'missing-inputs',
    ]);
    await take(h, parent);
  });

  it('leaves again when it is the poorest of a full mempool', async () => {
    await using h = await createHarness({ maxTxs: 2 });
    const [first = assert.fail(), second = assert.fail(), third = assert.fail()] = await fund(h, 3);
    await take(h, spend([first], 100_000n), spend([second], 100_000n));
    const before = h.txids();
    assert.deepEqual(await judge(h, paidByChild([third], 1_000n)), [
      'transaction failed',
      'mempool full',
      'mempool full',
    ]);
    assert.deepEqual(h.txids(), before);
  });

  it('enters whole or not at all: a wrong script of the child is its fault, and nothing changes', async () => {
    await using h = await createHarness();
    const [coin = assert.fail()] = await fund(h, 1);
    await take(h, spend([coin], 1_000n));
    const before = h.txids();
    const parent = v3([coin], 0n);
    const lock = { kind: 'p2sh', redeem: { kind: 'p2pk', key: testKey(1) } } as const;
    const child = buildTx([{ coin: outputOf(parent), lock }], [pay(1_000_000n)], { version: 3 });
    const verdict = await h.mempool.submitPackage(parent, child, 'peer');
    assert.equal(verdict.failure?.code, 'transaction failed');
    assert.equal(verdict.child?.kind, 'consensus');
    assert.deepEqual(h.txids(), before);
  });

  it('does not ask for the parent that it brings, whose output does not exist', async () => {
    await using h = await createHarness();
    const [coin = assert.fail()] = await fund(h, 1);
    const parent = v3([coin], 0n);
    const child = v3([{ ...outputOf(parent), index: 1 }], 1_000n);
    const verdict = await h.mempool.submitPackage(parent, child, 'peer');
    assert.equal(verdict.failure?.code, 'transaction failed');
    assert.deepEqual(verdict.child, { kind: 'missing-inputs', parents: [] });
  });

  it('waits in the queue of transactions, with the bytes of both', async () => {
    await using h = await createHarness({ maxPendingBytes: 2 * VSIZE - 1 });
    const [coin = assert.fail()] = await fund(h, 1);
    assert.deepEqual(await judge(h, paidByChild([coin], 1_000n)), [
      'transaction failed',
      'too many transactions wait',
      'too many transactions wait',
    ]);
  });
});
