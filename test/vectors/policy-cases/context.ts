/** What chain and mempool make of a transaction: lock times, families, replacement, version 3, and the order of reasons. */
import type { Transaction, TxOutput } from '#primitives';
import { Op, pushData } from '#script';
import { p2shScript, testKey } from '../../support/keys.ts';
import { script } from '../../support/script.ts';
import { buildTx, outputOf, type RawSpend, rawTx, type SpendOptions, type TestCoin } from '../../support/tx-builder.ts';
import { type Shape, sizeOf, spend } from '../../unit/mempool/fixed-size.ts';
import { dropping, EASY, p2wshScript, paying } from '../../unit/mempool/standard-cases.ts';
import { COIN_SATS, type Draft, type Group, PAYMENT, TIP_HEIGHT, type World } from './world.ts';

/** Anybody spends it, in an input of known size. */
const LOCK = p2shScript(Uint8Array.of(Op.OP_1));
const SIZE = BigInt(sizeOf(1, 1));
const LONG = 'too-long-mempool-chain';
const CHEAP = 'insufficient fee';
const TRUC = 'TRUC-violation';
const DISABLED = 0x80000000;
const SECONDS = 0x00400000;

const coinsOf = (world: World, count: number): TestCoin[] => Array.from({ length: count }, () => world.coin(LOCK));
const below = (tx: Transaction, fee = SIZE, shape: Shape = {}, index = 0): Transaction =>
  spend([outputOf(tx, index)], fee, shape);

/** Each spends the one before. */
function chainOf(world: World, length: number): Transaction[] {
  const made = [spend(coinsOf(world, 1), SIZE)];
  while (made.length < length) made.push(...made.slice(-1).map((last) => below(last)));
  return made;
}

export const locks: Group = {
  group: 'lock times',
  drafts: (world) => {
    const past = world.chain.view(TIP_HEIGHT - 5).time;
    const easy = (options: SpendOptions): Transaction => {
      const { sequence = 0xffffffff, ...rest } = options;
      return rawTx([{ coin: world.coin(EASY.lock), witness: EASY.witness ?? [], sequence }], [PAYMENT], rest);
    };
    const parent = spend(coinsOf(world, 1), SIZE);
    const onParent = (sequence: number): Transaction => spend([outputOf(parent)], SIZE, { sequence });
    const NOT_YET = 'non-BIP68-final';
    const coinbase = (height: number): Transaction => buildTx([world.chain.coin(height)], [PAYMENT]);
    return [
      { name: 'height of the tip', tx: easy({ sequence: 0xfffffffe, lockTime: TIP_HEIGHT }), expected: 'allowed' },
      { name: 'the next height', tx: easy({ sequence: 0xfffffffe, lockTime: TIP_HEIGHT + 1 }), expected: 'non-final' },
      { name: 'the next height, final', tx: easy({ lockTime: TIP_HEIGHT + 1 }), expected: 'allowed' },
      { name: 'before median time', tx: easy({ sequence: 0xfffffffe, lockTime: past - 1 }), expected: 'allowed' },
      { name: 'median time', tx: easy({ sequence: 0xfffffffe, lockTime: past }), expected: 'non-final' },
      { name: '2 blocks on a coin of 1 confirmation more', tx: easy({ sequence: 2 }), expected: 'allowed' },
      { name: '3 blocks on a coin of 2 confirmations', tx: easy({ sequence: 3 }), expected: NOT_YET },
      { name: '3 blocks, version 1', tx: easy({ sequence: 3, version: 1 }), expected: 'allowed' },
      { name: '3 blocks, disabled', tx: easy({ sequence: (DISABLED + 3) >>> 0 }), expected: 'allowed' },
      { name: '2 * 512 seconds', tx: easy({ sequence: SECONDS + 2 }), expected: 'allowed' },
      { name: '3 * 512 seconds', tx: easy({ sequence: SECONDS + 3 }), expected: NOT_YET },
      { name: '0 blocks on an unconfirmed coin', before: [parent], tx: onParent(0), expected: 'allowed' },
      { name: '1 block on an unconfirmed coin', before: [parent], tx: onParent(1), expected: NOT_YET },
      { name: 'coinbase of 100 confirmations in the next block', tx: coinbase(TIP_HEIGHT - 99), expected: 'allowed' },
      {
        name: 'coinbase of 99 confirmations in the next block',
        tx: coinbase(TIP_HEIGHT - 98),
        expected: 'bad-txns-premature-spend-of-coinbase',
      },
    ];
  },
};

export const known: Group = {
  group: 'known and missing',
  drafts: (world) => {
    const witnessed = (coin: TestCoin, item: number): Transaction =>
      rawTx([{ coin, witness: [Uint8Array.of(item), dropping(1)] }], [PAYMENT]);
    const coin = world.coin(p2wshScript(dropping(1)));
    const [there = spend(coinsOf(world, 1), SIZE)] = chainOf(world, 1);
    const missing = below(there);
    return [
      { name: 'in the chain', tx: world.confirmed, expected: 'txn-already-known' },
      { name: 'in the mempool', before: [there], tx: there, expected: 'txn-already-in-mempool' },
      {
        name: 'in the mempool with another witness',
        before: [witnessed(coin, 1)],
        tx: witnessed(coin, 2),
        expected: 'txn-same-nonwitness-data-in-mempool',
      },
      { name: 'a parent nobody knows', tx: missing, expected: 'missing-inputs' },
      {
        name: 'an output that the parent does not have',
        before: [there],
        tx: rawTx([{ ...outputOfNone(there), scriptSig: pushData(Uint8Array.of(Op.OP_1)) }], [PAYMENT]),
        expected: 'missing-inputs',
      },
    ];
  },
};

function outputOfNone(tx: Transaction): RawSpend {
  return { coin: { ...outputOf(tx), index: 1 } };
}

export const fees: Group = {
  group: 'fees',
  drafts: (world) => {
    const paid = (fee: bigint, shape: Shape = {}): Transaction => spend(coinsOf(world, 1), fee, shape);
    const free = paid(0n);
    const poor = paid(SIZE);
    const POOR = 'min relay fee not met';
    return [
      { name: 'one sat below the minimum', tx: paid(SIZE - 1n), expected: POOR },
      { name: 'the minimum', tx: paid(SIZE), expected: 'allowed' },
      { name: 'below the minimum in version 3', tx: paid(0n, { version: 3 }), expected: POOR, core27: 'version' },
      { name: 'nothing, with a delta', tx: free, deltas: { [free.txid]: Number(SIZE) }, expected: 'allowed' },
      { name: 'the minimum, with a delta below zero', tx: poor, deltas: { [poor.txid]: -1 }, expected: POOR },
    ];
  },
};

/** A transaction of 24 outputs, and spends of so many of them. */
function fan(world: World, count: number, outputs = 25): Transaction[] {
  const parent = spend(coinsOf(world, 1), 20n * SIZE, { outputs });
  return [parent, ...Array.from({ length: count }, (_, at) => below(parent, SIZE, {}, at))];
}

export const families: Group = {
  group: 'families',
  drafts: (world) => {
    const onLast = (before: readonly Transaction[], shape: Shape = {}): Pick<Draft, 'before' | 'tx'> => {
      const last = before.at(-1);
      const coins = [...(last === undefined ? [] : [outputOf(last)]), ...coinsOf(world, 1)];
      return { before, tx: spend(coins, 200_000n, shape) };
    };
    const many = (count: number): Pick<Draft, 'before' | 'tx'> => {
      const before = Array.from({ length: count }, () => spend(coinsOf(world, 1), SIZE));
      return {
        before,
        tx: spend(
          before.map((one) => outputOf(one)),
          10_000n,
        ),
      };
    };
    const sized = (vsize: number): Transaction => spend(coinsOf(world, 1), 200_000n, { vsize });
    const onFan = (count: number, shape: Shape = {}): Pick<Draft, 'before' | 'tx'> => {
      const before = fan(world, count, 26);
      return { before, tx: below(before[0] ?? spend(coinsOf(world, 1), SIZE), 20_000n, shape, count) };
    };
    const deep = fan(world, 24);
    const wide = (carved: number): Pick<Draft, 'before' | 'tx'> => {
      const parent = spend(coinsOf(world, 1), 200_000n, { vsize: 90_000 });
      const child = (index: number, vsize: number): Transaction =>
        spend([outputOf(parent, index), ...coinsOf(world, 1)], 20_000n, { vsize });
      return { before: [parent, child(0, 11_000)], tx: child(1, carved) };
    };
    return [
      { name: '25 in a chain', ...onLast(chainOf(world, 24)), expected: 'allowed' },
      { name: '26 in a chain', ...onLast(chainOf(world, 25)), expected: LONG },
      { name: '24 parents', ...many(24), expected: 'allowed' },
      { name: '25 parents', ...many(25), expected: LONG },
      { name: '101,000 vbytes in a chain', ...onLast([sized(50_000)], { vsize: 51_000 }), expected: 'allowed' },
      { name: '101,001 vbytes in a chain', ...onLast([sized(50_000)], { vsize: 51_001 }), expected: LONG },
      { name: '24 children', ...onFan(23), expected: 'allowed' },
      { name: '25 children: the carve-out', ...onFan(24), expected: 'allowed' },
      { name: '26 children', ...onFan(25), expected: LONG },
      { name: 'the carve-out with 10,000 vbytes', ...onFan(24, { vsize: 10_000 }), expected: 'allowed' },
      { name: 'the carve-out with 10,001 vbytes', ...onFan(24, { vsize: 10_001 }), expected: LONG },
      { name: 'the carve-out for a grandchild', ...onLast(deep), expected: LONG },
      { name: 'the carve-out in bytes', ...wide(10_000), expected: 'allowed' },
      { name: 'one byte beyond it', ...wide(10_001), expected: LONG },
      {
        name: '3 in a chain where 2 may be',
        ...onLast(chainOf(world, 2)),
        flags: ['-limitancestorcount=2'],
        expected: LONG,
      },
    ];
  },
};

/** So many entries, in families of 25 and what remains, and what replaces all of them. */
function replacingMany(world: World, count: number): Pick<Draft, 'before' | 'tx'> {
  const before: Transaction[] = [];
  const coins: TestCoin[] = [];
  for (let left = count; left > 0; left -= 25) {
    const [coin] = coinsOf(world, 1);
    if (coin === undefined) continue;
    coins.push(coin);
    const parent = spend([coin], 3_000n, { outputs: 24 });
    before.push(parent, ...Array.from({ length: Math.min(left, 25) - 1 }, (_, at) => below(parent, 100n, {}, at)));
  }
  return { before, tx: spend(coins, 100_000n) };
}

export const replacements: Group = {
  group: 'replacements',
  drafts: (world) => {
    const old = 100n * SIZE;
    const over = (fee: bigint, shape: Shape = {}, oldShape: Shape = {}): Pick<Draft, 'before' | 'tx'> => {
      const coins = coinsOf(world, 1);
      return { before: [spend(coins, old, oldShape)], tx: spend(coins, fee, shape) };
    };
    const overFamily = (fee: bigint): Pick<Draft, 'before' | 'tx'> => {
      const coins = coinsOf(world, 1);
      const parent = spend(coins, 10_000n);
      return { before: [parent, below(parent, 50_000n)], tx: spend(coins, fee) };
    };
    const overTwo = (fee: bigint): Pick<Draft, 'before' | 'tx'> => {
      const coins = coinsOf(world, 2);
      return { before: coins.map((coin) => spend([coin], 1_000n)), tx: spend(coins, fee) };
    };
    const [a, b, c, d] = coinsOf(world, 4).map((coin) => [coin]);
    const [first = [], second = [], third = [], fourth = []] = [a, b, c, d];
    const unconfirmed = spend(first, SIZE);
    const adding = spend([...second, outputOf(unconfirmed)], 50_000n);
    const shared = spend(third, 2n * SIZE, { outputs: 2 });
    const conflict = spend(fourth, SIZE);
    const NO_RBF = ['-mempoolfullrbf=0'];
    const AT_MOST = 0xfffffffd;
    const two = BigInt(sizeOf(2, 1));
    return [
      { name: 'the same fee', ...over(old, { version: 1 }), expected: CHEAP },
      { name: 'one sat more', ...over(old + 1n), expected: CHEAP },
      { name: 'one sat below its own relay', ...over(old + SIZE - 1n), expected: CHEAP },
      { name: 'its own relay', ...over(old + SIZE), expected: 'allowed' },
      { name: 'more fee at a lower rate', ...over(old + 1_000n, { outputs: 3 }), expected: CHEAP },
      { name: 'less fee than parent and child', ...overFamily(59_999n), expected: CHEAP },
      { name: 'parent and child, one sat below its relay', ...overFamily(60_000n + SIZE - 1n), expected: CHEAP },
      { name: 'parent and child, and its relay', ...overFamily(60_000n + SIZE), expected: 'allowed' },
      { name: 'two, one sat below its relay', ...overTwo(2_000n + two - 1n), expected: CHEAP },
      { name: 'two, and its relay', ...overTwo(2_000n + two), expected: 'allowed' },
      { name: '100 entries', ...replacingMany(world, 100), expected: 'allowed' },
      { name: '101 entries', ...replacingMany(world, 101), expected: 'too many potential replacements' },
      {
        name: 'what waits for a further unconfirmed one',
        before: [unconfirmed, spend(second, SIZE)],
        tx: adding,
        expected: 'replacement-adds-unconfirmed',
      },
      {
        name: 'what waits for the same one',
        before: [shared, below(shared, SIZE)],
        tx: spend([outputOf(shared)], 50_000n),
        expected: 'allowed',
      },
      {
        name: 'what stands on what it replaces',
        before: [conflict],
        tx: spend([...fourth, outputOf(conflict)], 50_000n),
        expected: 'bad-txns-spends-conflicting-tx',
      },
      {
        name: 'without a signal',
        ...over(2n * old, {}, { sequence: AT_MOST + 1 }),
        expected: 'allowed',
        core27: 'txn-mempool-conflict',
      },
      {
        name: 'without a signal where one is asked for',
        ...over(2n * old, {}, { sequence: AT_MOST + 1 }),
        flags: NO_RBF,
        expected: 'txn-mempool-conflict',
      },
      {
        name: 'with the signal where one is asked for',
        ...over(2n * old, {}, { sequence: AT_MOST }),
        flags: NO_RBF,
        expected: 'allowed',
      },
    ];
  },
};

export const truc: Group = {
  group: 'version 3',
  drafts: (world) => {
    const v3 = (fee: bigint, shape: Shape = {}): Transaction => spend(coinsOf(world, 1), fee, { version: 3, ...shape });
    const child = (version: number, parentVersion: number, shape: Shape = {}): Pick<Draft, 'before' | 'tx'> => {
      const parent = v3(SIZE, { version: parentVersion });
      return { before: [parent], tx: below(parent, 20_000n, { version, ...shape }) };
    };
    const sibling = (fee: bigint): Pick<Draft, 'before' | 'tx'> => {
      const parent = v3(1_000n, { outputs: 2 });
      const one = below(parent, 1_000n, { version: 3 });
      return { before: [parent, one], tx: below(parent, fee, { version: 3 }, 1) };
    };
    const top = v3(SIZE);
    const middle = below(top, SIZE, { version: 3 });
    const parents = [v3(SIZE), v3(SIZE)];
    const drafts: readonly Draft[] = [
      { name: '10,000 vbytes', tx: v3(20_000n, { vsize: 10_000 }), expected: 'allowed' },
      { name: '10,001 vbytes', tx: v3(20_000n, { vsize: 10_001 }), expected: TRUC },
      { name: 'a child of 1,000 vbytes', ...child(3, 3, { vsize: 1_000 }), expected: 'allowed' },
      { name: 'a child of 1,001 vbytes', ...child(3, 3, { vsize: 1_001 }), expected: TRUC },
      { name: 'version 2 below version 3', ...child(2, 3), expected: TRUC },
      { name: 'version 3 below version 2', ...child(3, 2), expected: TRUC },
      { name: 'a grandchild', before: [top, middle], tx: below(middle, SIZE, { version: 3 }), expected: TRUC },
      {
        name: 'two parents',
        before: parents,
        tx: spend(
          parents.map((one) => outputOf(one)),
          1_000n,
          { version: 3 },
        ),
        expected: TRUC,
      },
      {
        name: 'a second child, one sat too cheap',
        ...sibling(1_000n + SIZE - 1n),
        expected: 'insufficient fee (including sibling eviction)',
      },
      { name: 'a second child that pays for the first', ...sibling(1_000n + SIZE), expected: 'allowed' },
    ];
    const isRefused = ({ before = [] }: Draft): boolean => before.some(({ version }) => version === 3);
    return drafts.map((draft) => ({ ...draft, core27: isRefused(draft) ? null : 'version' }));
  },
};

export const order: Group = {
  group: 'of two reasons the first',
  drafts: (world) => {
    const bare = Uint8Array.of(Op.OP_1);
    const late = { lockTime: 1_000 };
    const nop = Uint8Array.of(Op.OP_NOP);
    const low = paying(testKey(1).p2pkh, 1n);
    const make = (
      name: string,
      expected: string,
      spendOf: RawSpend,
      outputs: readonly TxOutput[],
      options: SpendOptions = {},
    ): Draft => ({ name, expected, tx: rawTx([spendOf], outputs, options) });
    const easy = (): RawSpend => ({ coin: world.coin(EASY.lock), witness: EASY.witness ?? [], sequence: 0xfffffffd });
    const odd = (): RawSpend => ({ coin: world.coin(bare) });
    const gone = (): RawSpend => ({ coin: outputOf(spend(coinsOf(world, 1), SIZE)) });
    const small = [paying(script(Op.OP_1, pushData(new Uint8Array(2))))];
    const everything = [paying(testKey(1).p2pkh, COIN_SATS)];
    const tooMuch = [paying(testKey(1).p2pkh, COIN_SATS + 1n)];
    const [there] = chainOf(world, 1);
    const rest: Draft[] =
      there === undefined
        ? []
        : [
            {
              name: 'known, missing input',
              before: [there, below(there)],
              tx: there,
              expected: 'txn-already-in-mempool',
            },
          ];
    return [
      make('no outputs, version', 'bad-txns-vout-empty', easy(), [], { version: 0 }),
      make('version, dust', 'version', easy(), [low], { version: 0 }),
      make('scriptSig, dust', 'scriptsig-not-pushonly', { ...odd(), scriptSig: nop }, [low]),
      make('dust, kind of the next output', 'dust', easy(), [low, paying(bare)]),
      make('kind, dust of the next output', 'scriptpubkey', easy(), [paying(bare), low]),
      make('dust, two OP_RETURN', 'dust', easy(), [paying(Uint8Array.of(0x6a)), paying(Uint8Array.of(0x6a)), low]),
      make(
        'dust, 64 bytes',
        'dust',
        easy(),
        small.map((output) => ({ ...output, value: 1n })),
      ),
      make('64 bytes, lock time', 'tx-size-small', easy(), small, late),
      make('dust, lock time', 'dust', easy(), [low], late),
      make('lock time, missing input', 'non-final', { ...gone(), sequence: 0 }, [PAYMENT], late),
      make('dust, missing input', 'dust', gone(), [low]),
      make('relative lock, kind of input', 'non-BIP68-final', { ...odd(), sequence: 9 }, [PAYMENT]),
      make('amounts, kind of input', 'bad-txns-in-belowout', odd(), tooMuch),
      make('kind of input, fee', 'bad-txns-nonstandard-inputs', odd(), everything),
      make('fee, script', 'min relay fee not met', { coin: world.coin(EASY.lock), witness: [dropping(1)] }, everything),
      ...rest,
    ];
  },
};
