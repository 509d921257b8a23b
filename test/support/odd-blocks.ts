/**
 * Blocks around every rule that Bitcoin had before segwit: on the right side of it, on the wrong one, and at the border.
 * What is right is not said here: it is for two programs that must agree.
 */
import { blockSubsidy, limits, medianTimePast } from '#consensus';
import { Block, blockHashFromBytes, MAX_MONEY, type Sats, type Transaction, type TxOutput } from '#primitives';
import { Op, pushData, pushNumber } from '#script';
import { assert, concatBytes, type Random } from '#util';
import { type BlockOptions, type ChainBuilder, withCoinbase, withCoinbaseInput } from './chain-builder.ts';
import { ANYONE_CAN_SPEND, p2shScript } from './keys.ts';
import { pick } from './pick.ts';
import { repeated, script } from './script.ts';
import { rawTx, type TestCoin } from './tx-builder.ts';

/** Without witnesses. */
const MAX_BLOCK_BYTES = limits.MAX_BLOCK_WEIGHT / limits.WITNESS_SCALE_FACTOR;
const MAX_SIGOPS = limits.MAX_BLOCK_SIGOPS_COST / limits.WITNESS_SCALE_FACTOR;
const { COINBASE_MATURITY, LOCKTIME_THRESHOLD } = limits;

export type OddScene = {
  readonly random: Random;
  /** Stands on the parent. */
  readonly builder: ChainBuilder;
  /** Unix seconds, by the clock of both programs. */
  readonly now: number;
  /** A mature coinbase that anybody can spend, and that no other block was given. */
  readonly freshCoin: () => TestCoin;
  /** Coins that blocks were given before: spent, unless that was on another branch or in a block that was refused. */
  readonly givenCoins: readonly TestCoin[];
};

type Maker = (scene: OddScene) => BlockOptions;

function anyone(value: Sats): TxOutput {
  return { value, scriptPubKey: ANYONE_CAN_SPEND };
}

/** Of the block to be built. */
function heightOf({ builder }: OddScene): number {
  return builder.height + 1;
}

function parentMtp({ builder }: OddScene): number {
  return medianTimePast(builder.view(builder.height));
}

function subsidyAt(scene: OddScene): Sats {
  return blockSubsidy(heightOf(scene), scene.builder.params);
}

const spendFresh = (scene: OddScene, outputs?: readonly TxOutput[]): Transaction =>
  rawTx([{ coin: scene.freshCoin() }], outputs);

const withTx = (...transactions: readonly Transaction[]): BlockOptions => ({ transactions });

/** The coinbase's script: the height as this says, and something so that no two are equal. */
function coinbaseScript(scene: OddScene, height: Uint8Array): BlockOptions {
  const scriptSig = concatBytes(height, pushData(scene.random.bytes(8)));
  return { mutateTransactions: withCoinbaseInput({ scriptSig }) };
}

function paddedTo(bytes: number): Maker {
  return (scene) => {
    const coin = scene.freshCoin();
    const blockOf = (scriptPubKey: Uint8Array): BlockOptions => {
      return { extraNonce: 1, transactions: [rawTx([{ coin }], [{ value: 1n, scriptPubKey }])] };
    };
    // The length of so long a script takes four bytes more.
    const others = scene.builder.build(blockOf(new Uint8Array(0))).raw.length + 4;
    return blockOf(repeated(Op.OP_NOP, bytes - others));
  };
}

/** That many signature operations in the block, by the kind of place where they stand. */
function sigOps(count: number): Maker {
  return (scene) => {
    const { random } = scene;
    // A CHECKMULTISIG counts 20, without a number of keys before it that counts for less.
    const many = script(...Array.from({ length: Math.floor(count / 20) }, () => Op.OP_CHECKMULTISIG));
    const ops = concatBytes(many, repeated(Op.OP_CHECKSIG, count % 20));
    const coin = scene.freshCoin();
    const { value } = coin.output;
    switch (random.below(4)) {
      case 0:
        return { coinbaseScript: ops };
      case 1:
        return withTx(rawTx([{ coin }], [{ value, scriptPubKey: ops }]));
      case 2:
        // What stands behind a push that is cut short is not counted.
        return withTx(
          rawTx([{ coin }], [{ value, scriptPubKey: concatBytes(ops, script(0x4c, 0xff, Op.OP_CHECKSIG)) }]),
        );
      default: {
        // Spread over coinbase and outputs.
        const half = Math.floor(count / 2);
        const outputs = [{ value, scriptPubKey: repeated(Op.OP_CHECKSIGVERIFY, count - half) }];
        return { ...withTx(rawTx([{ coin }], outputs)), coinbaseScript: repeated(Op.OP_CHECKSIG, half) };
      }
    }
  };
}

/** Within the 201 operations of a script, also with an operation before each. */
const MULTISIGS_A_SCRIPT = 90;

/** Signature operations in P2SH count exactly, and only where the coin is spent. */
function p2shSigOps(count: number): Maker {
  return (scene) => {
    const isExact = scene.random.below(2) === 0;
    // Never run: 15 each with that number before it, 20 without.
    const each = MULTISIGS_A_SCRIPT * (isExact ? 15 : 20);
    const multisig = [isExact ? Op.OP_15 : Op.OP_NOP, Op.OP_CHECKMULTISIG];
    const multisigs = Array.from({ length: MULTISIGS_A_SCRIPT }, () => multisig).flat();
    const redeem = script(Op.OP_0, Op.OP_IF, ...multisigs, Op.OP_ENDIF, Op.OP_1);
    const spends = Math.floor(count / each);
    const coin = scene.freshCoin();
    const output = { value: coin.output.value / BigInt(spends), scriptPubKey: p2shScript(redeem) };
    const funding = rawTx(
      [{ coin }],
      Array.from({ length: spends }, () => output),
    );
    const spent = funding.outputs.map((_, index) => {
      return { coin: { txid: funding.txidBytes, index, output }, scriptSig: pushData(redeem) };
    });
    const rest = repeated(Op.OP_CHECKSIG, count - spends * each);
    return withTx(funding, rawTx(spent, [{ value: 0n, scriptPubKey: rest }]));
  };
}

function lockTimes(scene: OddScene): BlockOptions {
  const { random, builder } = scene;
  const time = parentMtp(scene) + 1 + random.below(600);
  const height = builder.height + 1;
  const lockTime = pick(random, [
    ...[height - 1, height, height + 1, 0, 1, LOCKTIME_THRESHOLD - 1, LOCKTIME_THRESHOLD, 0xffffffff],
    ...[time - 1, time, time + 1, parentMtp(scene), parentMtp(scene) - 1],
  ]);
  const sequences = [0xffffffff, 0xfffffffe, 0, 0x80000000];
  const spends = Array.from({ length: 1 + random.below(2) }, () => {
    return { coin: scene.freshCoin(), sequence: pick(random, sequences) };
  });
  return { time, transactions: [rawTx(spends, undefined, { lockTime, version: pick(random, [-1, 0, 1, 2, 3]) })] };
}

const MAKERS: Readonly<Record<string, Maker>> = {
  empty: () => ({}),
  payment: (scene) => withTx(spendFresh(scene)),
  'chain of payments': (scene) => {
    const first = spendFresh(scene);
    const [output] = first.outputs;
    assert(output !== undefined, 'it pays somebody');
    const second = rawTx([{ coin: { txid: first.txidBytes, index: 0, output } }]);
    return withTx(...(scene.random.below(2) === 0 ? [first, second] : [second, first]));
  },
  'spend of what may be spent': ({ random, givenCoins }) =>
    givenCoins.length === 0 ? {} : withTx(rawTx([{ coin: pick(random, givenCoins) }])),
  'double spend in a block': (scene) => {
    const coin = scene.freshCoin();
    return withTx(rawTx([{ coin }]), rawTx([{ coin }], [anyone(coin.output.value - 1n)]));
  },
  'an input twice': (scene) => {
    const coin = scene.freshCoin();
    return withTx(rawTx([{ coin }, { coin: scene.freshCoin() }, { coin }]));
  },
  'unknown input': ({ random }) => {
    const coin = { txid: random.bytes(32), index: random.below(3), output: anyone(1n) };
    return withTx(rawTx([{ coin }]));
  },
  'no such output': (scene) => {
    const coin = scene.freshCoin();
    return withTx(rawTx([{ coin: { ...coin, index: pick(scene.random, [1, 2, 0xfffffffe, 0xffffffff]) } }]));
  },
  'null input': (scene) => {
    const nothing = { txid: new Uint8Array(32), index: 0xffffffff, output: anyone(0n) };
    const others = scene.random.below(2) === 0 ? [] : [{ coin: scene.freshCoin() }];
    return withTx(rawTx([...others, { coin: nothing, scriptSig: script(Op.OP_1, Op.OP_1) }]));
  },
  'coinbase that ripens': (scene) => {
    const ripe = heightOf(scene) - COINBASE_MATURITY;
    const height = ripe + scene.random.below(3) - 1;
    return withTx(rawTx([{ coin: scene.builder.coin(height) }]));
  },
  'more out than in': (scene) => {
    const coin = scene.freshCoin();
    return withTx(rawTx([{ coin }], [anyone(coin.output.value + BigInt(scene.random.below(2)))]));
  },
  'odd amounts': (scene) => {
    const coin = scene.freshCoin();
    const amounts = [0n, -1n, 1n, MAX_MONEY, MAX_MONEY + 1n, 2n ** 63n - 1n, -(2n ** 63n), coin.output.value];
    const outputs = Array.from({ length: 1 + scene.random.below(3) }, () => anyone(pick(scene.random, amounts)));
    return withTx(rawTx([{ coin }], outputs));
  },
  'no outputs': (scene) => withTx(spendFresh(scene, [])),
  'lock times': lockTimes,
  time: (scene) => {
    const mtp = parentMtp(scene);
    const { now, random } = scene;
    return { time: pick(random, [mtp - 1, mtp, mtp + 1, now, now + 7_199, now + 7_200, now + 7_201, 0, 0xffffffff]) };
  },
  version: ({ random }) => ({ version: pick(random, [0, 1, 2, 3, 4, 5, 0x20000000, 0x7fffffff, -1, -0x80000000]) }),
  bits: ({ random }) => {
    const bits = pick(random, [0x207ffffe, 0x207fffff, 0x217fffff, 0x20800000, 0x1f7fffff, 0, 0x00ffffff, 0x22000001]);
    return { work: 'none', mutateHeader: (fields) => ({ ...fields, bits }) };
  },
  'no work': () => ({ work: 'invalid' }),
  'another root': ({ random }) => ({
    mutateHeader: (fields) => ({ ...fields, merkleRoot: random.bytes(32) }),
  }),
  'transactions twice, root kept': (scene) => {
    const count = 1 + scene.random.below(5);
    const transactions = Array.from({ length: count }, () => spendFresh(scene));
    return {
      transactions,
      mutateBlock: ({ header, transactions: all }) => {
        // Levels with an odd number repeat their last: such blocks have the same root as without (CVE-2012-2459).
        const from = pick(scene.random, [all.length - 1, Math.max(0, all.length - 2), 0]);
        return Block.fromParts(header, [...all, ...all.slice(from)]);
      },
    };
  },
  'order changed, root kept': (scene) => ({
    transactions: [spendFresh(scene), spendFresh(scene), spendFresh(scene)],
    mutateBlock: ({ header, transactions: [coinbase, ...others] }) => {
      assert(coinbase !== undefined, 'a block has a coinbase');
      return Block.fromParts(header, [coinbase, ...others.toReversed()]);
    },
  }),
  'no coinbase': (scene) => ({
    transactions: [spendFresh(scene)],
    mutateTransactions: ([, ...others]) => others,
  }),
  'two coinbases': (scene) => ({
    transactions: [spendFresh(scene)],
    mutateTransactions: ([coinbase, ...others]) => {
      assert(coinbase !== undefined, 'a block has a coinbase');
      return [coinbase, ...others, coinbase];
    },
  }),
  'nothing at all': ({ random }) => ({
    mutateTransactions: (all) => (random.below(2) === 0 ? [] : all),
    mutateHeader: (fields) => ({ ...fields, merkleRoot: new Uint8Array(32) }),
  }),
  reward: (scene) => {
    const fee = BigInt(scene.random.below(1000));
    const coin = scene.freshCoin();
    const difference = pick(scene.random, [-1n, 0n, 1n]);
    const transactions = [rawTx([{ coin }], [anyone(coin.output.value - fee)])];
    return { transactions, coinbaseValue: subsidyAt(scene) + fee + difference };
  },
  'reward of odd amounts': ({ random }) => ({
    coinbaseValue: pick(random, [0n, -1n, MAX_MONEY, MAX_MONEY + 1n, 2n ** 63n - 1n]),
  }),
  'coinbase with more outputs': (scene) => ({
    mutateTransactions: withCoinbase(({ outputs }) => {
      const values = [0n, 1n, -1n, MAX_MONEY];
      return { outputs: [...outputs, anyone(pick(scene.random, values)), anyone(0n)] };
    }),
  }),
  'coinbase script': ({ random, builder }) => {
    const height = pushNumber(builder.height + 1);
    const length = pick(random, [0, 1, 2, height.length, 99, 100, 101]);
    const scriptSig = concatBytes(height, random.bytes(101)).subarray(0, length);
    return { mutateTransactions: withCoinbaseInput({ scriptSig: Uint8Array.from(scriptSig) }) };
  },
  'coinbase height': (scene) => {
    const height = heightOf(scene);
    const number = Uint8Array.of(height & 0xff, height >> 8);
    return coinbaseScript(
      scene,
      pick(scene.random, [
        ...[height - 1, height, height + 1, -height].map(pushNumber),
        // The same number in other words.
        pushData(concatBytes(number, Uint8Array.of(0))),
        concatBytes(Uint8Array.of(0x4c, number.length), number),
        concatBytes(Uint8Array.of(0x4d, number.length, 0), number),
        new Uint8Array(0),
      ]),
    );
  },
  'coinbase input': ({ random }) => ({
    mutateTransactions: withCoinbaseInput(
      pick(random, [{ prevIndex: 0 }, { prevTxid: random.bytes(32) }, { sequence: 0 }, { sequence: 0xfffffffe }]),
    ),
  }),
  'coinbase lock time': (scene) => ({
    mutateTransactions: withCoinbase(({ inputs }) => ({
      lockTime: pick(scene.random, [heightOf(scene) - 1, heightOf(scene), heightOf(scene) + 1]),
      inputs: inputs.map((input) => ({ ...input, sequence: pick(scene.random, [0, 0xffffffff]) })),
    })),
  }),
  'most bytes': paddedTo(MAX_BLOCK_BYTES),
  'a byte too many': paddedTo(MAX_BLOCK_BYTES + 1),
  'most signature operations': sigOps(MAX_SIGOPS),
  'a signature operation too many': sigOps(MAX_SIGOPS + 1),
  'most in P2SH': p2shSigOps(MAX_SIGOPS),
  'one too many in P2SH': p2shSigOps(MAX_SIGOPS + 1),
  'unknown parent': ({ random }) => ({
    mutateHeader: (fields) => ({ ...fields, prevHash: blockHashFromBytes(random.bytes(32)) }),
  }),
};

/** Kinds that take a megabyte each come up less often than the others. */
const HEAVY = new Set(['most bytes', 'a byte too many', 'most in P2SH', 'one too many in P2SH']);
const NAMES = Object.keys(MAKERS).flatMap((name) => Array.from({ length: HEAVY.has(name) ? 1 : 5 }, () => name));

/** A block on the scene's parent, and what kind it is; `kind` makes it one of that kind. */
export function oddBlock(
  scene: OddScene,
  kind = pick(scene.random, NAMES),
): { readonly kind: string; readonly block: Block } {
  const make = MAKERS[kind];
  assert(make !== undefined, `no kind ${kind}`);
  const time = parentMtp(scene) + 1 + scene.random.below(600);
  return { kind, block: scene.builder.build({ time, extraNonce: scene.random.below(2 ** 32), ...make(scene) }) };
}
