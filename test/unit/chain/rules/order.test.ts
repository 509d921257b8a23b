/**
 * A block with several faults is refused for the one that Core looks at first. Each table lists faults in Core's
 * order; a block that has all of them from one on must be refused for that one.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits, type ValidationFailure } from '#consensus';
import { hash160 } from '#crypto';
import { Transaction } from '#primitives';
import { Op, pushData } from '#script';
import { type BlockOptions, createChainBuilder, regtest, withCoinbaseInput } from '../../../support/chain-builder.ts';
import { ANYONE_CAN_SPEND, testKey } from '../../../support/keys.ts';
import { RuleChain, regtestWith, scriptFailure } from '../../../support/rule-chain.ts';
import { repeated, script } from '../../../support/script.ts';
import { type RawSpend, rawTx, type TestCoin } from '../../../support/tx-builder.ts';

type Fault = {
  readonly code: string;
  readonly kind?: ValidationFailure['kind'];
  readonly add: (options: BlockOptions) => BlockOptions;
};

async function namesTheFirst(rules: RuleChain, faults: readonly Fault[]): Promise<void> {
  for (const [at, { code, kind }] of faults.entries()) {
    const options = faults.slice(at).reduceRight((made: BlockOptions, { add }) => add(made), {});
    await rules.reject(code, options, kind);
  }
  await rules.accept();
}

/** Besides the transactions that are there. */
const adding =
  (...more: readonly Transaction[]) =>
  (options: BlockOptions): BlockOptions => ({
    ...options,
    transactions: [...(options.transactions ?? []), ...more],
  });

/** After the other changes of the transactions. */
const changing =
  (change: NonNullable<BlockOptions['mutateTransactions']>) =>
  (options: BlockOptions): BlockOptions => ({
    ...options,
    mutateTransactions: (all) => change(options.mutateTransactions?.(all) ?? all),
  });

const heading =
  (change: NonNullable<BlockOptions['mutateHeader']>) =>
  (options: BlockOptions): BlockOptions => ({
    ...options,
    mutateHeader: (fields) => change(options.mutateHeader?.(fields) ?? fields),
  });

const output = (scriptPubKey: Uint8Array) => ({ value: 0n, scriptPubKey });
const withBits = (bits: number) => heading((fields) => ({ ...fields, bits }));

test('CheckBlock, before anything about the header’s place', async () => {
  const rules = await RuleChain.open();
  const coin = rules.takeCoinbase();
  const [coinbase] = rules.builder.build().transactions;
  assert(coinbase !== undefined);
  await namesTheFirst(rules, [
    { code: 'high-hash', kind: 'invalid-header', add: (options) => ({ ...options, work: 'invalid' }) },
    {
      code: 'bad-txnmrklroot',
      kind: 'mutated',
      add: heading((fields) => ({ ...fields, merkleRoot: new Uint8Array(32) })),
    },
    { code: 'bad-blk-length', add: adding(rawTx([{ coin }], [output(repeated(Op.OP_RETURN, 1_000_000))])) },
    { code: 'bad-cb-missing', add: changing((all) => all.slice(1)) },
    { code: 'bad-cb-multiple', add: adding(rawTx([{ coin }]), coinbase) },
    { code: 'bad-txns-vout-empty', add: adding(rawTx([{ coin }], [])) },
    { code: 'bad-blk-sigops', add: adding(rawTx([{ coin }], [output(repeated(Op.OP_CHECKSIG, 20_001))])) },
    { code: 'bad-diffbits', kind: 'invalid-header', add: withBits(0x207ffffe) },
  ]);
});

test('CheckTransaction, transaction by transaction', async () => {
  const rules = await RuleChain.open();
  const coin = rules.takeCoinbase();
  const nowhere: TestCoin = { ...coin, txid: new Uint8Array(32), index: 0xffffffff };
  const negative = { value: -1n, scriptPubKey: ANYONE_CAN_SPEND };
  const free = output(ANYONE_CAN_SPEND);
  const cases: readonly [code: string, ...Transaction[]][] = [
    ['bad-txns-vin-empty', Transaction.fromFields({ version: 2, inputs: [], outputs: [], lockTime: 0 })],
    ['bad-txns-vout-empty', rawTx([{ coin }, { coin }], [])],
    ['bad-txns-vout-negative', rawTx([{ coin }, { coin }], [negative])],
    ['bad-txns-inputs-duplicate', rawTx([{ coin }, { coin }, { coin: nowhere }], [free])],
    ['bad-txns-prevout-null', rawTx([{ coin }, { coin: nowhere }], [free]), rawTx([{ coin }], [])],
  ];
  for (const [code, ...transactions] of cases) await rules.reject(code, { transactions });
});

test('AcceptBlockHeader and ContextualCheckBlockHeader, then ContextualCheckBlock', async () => {
  const rules = await RuleChain.open();
  const free = Uint8Array.of(Op.OP_2, 2, 1, 1);
  const [heavy, locked] = await rules.fund([free, free]);
  assert(heavy !== undefined && locked !== undefined);
  const old = rules.builder.view(rules.builder.height - 20).time;
  const context: readonly Fault[] = [
    { code: 'bad-diffbits', kind: 'invalid-header', add: withBits(0x207ffffe) },
    { code: 'time-too-old', kind: 'invalid-header', add: (options) => ({ ...options, time: old }) },
    { code: 'bad-version(0x00000001)', kind: 'invalid-header', add: (options) => ({ ...options, version: 1 }) },
    {
      code: 'bad-txns-nonfinal',
      add: adding(rawTx([{ coin: locked, sequence: 0 }], undefined, { lockTime: 400_000_000 })),
    },
    { code: 'bad-cb-height', add: changing(withCoinbaseInput({ scriptSig: Uint8Array.of(Op.OP_1, 0) })) },
    { code: 'bad-witness-nonce-size', kind: 'mutated', add: changing(withCoinbaseInput({ witness: [] })) },
    { code: 'bad-blk-weight', add: adding(rawTx([{ coin: heavy, witness: [new Uint8Array(4_000_000)] }])) },
    { code: 'bad-cb-amount', add: (options) => ({ ...options, coinbaseValue: 51_0000_0000n }) },
  ];
  await namesTheFirst(rules, context);
  const late: Fault = {
    code: 'time-too-new',
    kind: 'time-future',
    add: (options) => ({ ...options, time: 2_000_000_000 + limits.MAX_FUTURE_BLOCK_SECONDS + 1 }),
  };
  await namesTheFirst(rules, [...context.slice(0, 1), late, ...context.slice(2, 3)]);
  const unknown = createChainBuilder(regtest(), { seed: 2 });
  unknown.mine();
  const fromNowhere = unknown.build(context.reduceRight((made: BlockOptions, { add }) => add(made), {}));
  await rules.refuses(fromNowhere, 'prev-blk-not-found', 'missing-prev');
});

test('a checkpoint comes before the time', async () => {
  const plain = createChainBuilder(regtest());
  plain.mineMany(5);
  const rules = await RuleChain.open({ params: regtestWith({ checkpoints: { 4: plain.at(4).hash } }), blocks: 0 });
  await rules.follow(plain);
  const fork = plain.fork(1);
  const old = { time: plain.view(0).time };
  await rules.refuses(fork.build(old), 'bad-fork-prior-to-checkpoint', 'checkpoint');
  await rules.refuses(fork.build({ ...old, ...withBits(0x207ffffe)({}) }), 'bad-diffbits', 'invalid-header');
});

const KEY_HASH = script(Op.OP_0, pushData(hash160(testKey(1).publicKey)));
const SUBSIDY = 50_0000_0000n;

type TxFault = { readonly code: string; readonly change: (spend: Spend) => Spend };
type Spend = { readonly inputs: readonly RawSpend[]; readonly value: bigint; readonly checksigs: number };

/** Faults of one transaction whose only input, a key hash in a witness, costs one signature operation. */
function transactionFaults(rules: RuleChain, coin: TestCoin): readonly TxFault[] {
  const input = (other: TestCoin) => (spend: Spend) => ({ ...spend, inputs: [{ coin: other }, ...spend.inputs] });
  return [
    { code: 'bad-txns-inputs-missingorspent', change: input({ ...coin, index: 9 }) },
    { code: 'bad-txns-premature-spend-of-coinbase', change: input(rules.builder.coin(rules.builder.height)) },
    { code: 'bad-txns-in-belowout', change: (spend) => ({ ...spend, value: SUBSIDY * 3n }) },
    {
      code: 'bad-txns-nonfinal',
      change: (spend) => ({ ...spend, inputs: spend.inputs.map((each) => ({ ...each, sequence: 0xffff })) }),
    },
    { code: 'bad-blk-sigops', change: (spend) => ({ ...spend, checksigs: 20_000 }) },
  ];
}

test('ConnectBlock: BIP30, the transactions in their order, the reward, and last the scripts', async () => {
  const activation = { bip34: 0x7fffffff };
  const rules = await RuleChain.open({ params: regtestWith({ activation, subsidyHalvingInterval: 101 }) });
  const original = rules.builder.at(rules.builder.height).block;
  const coin = await rules.fundOne(KEY_HASH);
  const other = rules.takeCoinbase();
  const faults = transactionFaults(rules, coin);
  const spending = (from: number): Transaction => {
    const start: Spend = { inputs: [{ coin }], value: 0n, checksigs: 0 };
    const { inputs, value, checksigs } = faults.slice(from).reduceRight((spend, { change }) => change(spend), start);
    return rawTx(inputs, [{ value, scriptPubKey: repeated(Op.OP_CHECKSIG, checksigs) }]);
  };
  // The next transaction's faults come after all of this one's; a wrong script is only seen when nothing else is wrong.
  const missing = rawTx([{ coin: { ...other, index: 7 } }], [output(ANYONE_CAN_SPEND)]);
  const reward = { coinbaseValue: SUBSIDY, coinbaseScript: ANYONE_CAN_SPEND };
  const oldCoinbase = changing(([, ...rest]) => [...original.transactions.slice(0, 1), ...rest]);
  await rules.reject('bad-txns-BIP30', oldCoinbase({ transactions: [spending(0), missing] }));
  for (const [at, { code }] of faults.entries()) {
    await rules.reject(code, { ...reward, transactions: [spending(at), missing] });
  }
  const wrongScript = spending(faults.length);
  await rules.reject('bad-txns-inputs-missingorspent', { ...reward, transactions: [wrongScript, missing] });
  await rules.reject('bad-cb-amount', { ...reward, transactions: [wrongScript] });
  await rules.reject(scriptFailure('WITNESS_PROGRAM_MISMATCH'), { transactions: [wrongScript] });
  await rules.accept();
});

test('the first transaction with a wrong script is the one that counts, and in it the first input', async () => {
  const rules = await RuleChain.open();
  const [empty, returns, verify] = await rules.fund([
    KEY_HASH,
    Uint8Array.of(Op.OP_0),
    Uint8Array.of(Op.OP_0, Op.OP_VERIFY),
  ]);
  assert(empty !== undefined && returns !== undefined && verify !== undefined);
  const [a, b] = [rawTx([{ coin: empty }]), rawTx([{ coin: returns }, { coin: verify }])];
  await rules.reject(scriptFailure('WITNESS_PROGRAM_MISMATCH'), { transactions: [a, b] });
  await rules.reject(scriptFailure('EVAL_FALSE'), { transactions: [b, a] });
  await rules.reject(scriptFailure('VERIFY'), { transactions: [rawTx([{ coin: verify }, { coin: returns }])] });
});
