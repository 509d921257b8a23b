/** bad-blk-sigops: 20,000 legacy operations in CheckBlock, a cost of 80,000 with P2SH and witness in ConnectBlock. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '#consensus';
import { sha256 } from '#crypto';
import type { TxOutput } from '#primitives';
import { Op, pushData } from '#script';
import type { BlockOptions } from '../../../support/chain-builder.ts';
import { p2shScript } from '../../../support/keys.ts';
import { RuleChain, regtestWith } from '../../../support/rule-chain.ts';
import { repeated, script } from '../../../support/script.ts';
import { type RawSpend, rawTx, type TestCoin } from '../../../support/tx-builder.ts';

const CODE = 'bad-blk-sigops';
const MAX_LEGACY = limits.MAX_BLOCK_SIGOPS_COST / limits.WITNESS_SCALE_FACTOR;
const MULTISIG_SIGOPS = 20;

const checksigs = (count: number): BlockOptions => ({ coinbaseScript: repeated(Op.OP_CHECKSIG, count) });

/** Counts `multisigs` times twenty, runs none of them, and succeeds. */
function countedScript(multisigs: number): Uint8Array {
  return script(Op.OP_0, Op.OP_IF, repeated(Op.OP_CHECKMULTISIG, multisigs), Op.OP_ENDIF, Op.OP_1);
}

test('exactly 20,000 legacy operations, and one more', async () => {
  const rules = await RuleChain.open({ blocks: 1 });
  await rules.reject(CODE, checksigs(MAX_LEGACY + 1));
  await rules.accept(checksigs(MAX_LEGACY));
  const multisigs = (count: number, extra: number): BlockOptions => ({
    coinbaseScript: script(repeated(Op.OP_CHECKMULTISIGVERIFY, count), repeated(Op.OP_CHECKSIGVERIFY, extra)),
  });
  await rules.reject(CODE, multisigs(999, 21));
  await rules.accept(multisigs(999, 20));
});

test('legacy operations count up to the first push that is cut short, and in unlocking scripts too', async () => {
  const rules = await RuleChain.open();
  const tooMany = repeated(Op.OP_CHECKSIG, MAX_LEGACY + 1);
  await rules.reject(CODE, { coinbaseScript: script(tooMany, Op.OP_PUSHDATA1, 9) });
  await rules.accept({ coinbaseScript: script(Op.OP_PUSHDATA4, tooMany) });
  // Behind OP_0 OP_IF nothing runs: only the count sees the operation.
  const coin = rules.takeCoinbase();
  const scriptSig = Uint8Array.of(Op.OP_0, Op.OP_IF, Op.OP_CHECKSIG, Op.OP_ENDIF);
  const spend = { transactions: [rawTx([{ coin, scriptSig }])] };
  await rules.reject(CODE, { ...spend, ...checksigs(MAX_LEGACY) });
  await rules.accept({ ...spend, ...checksigs(MAX_LEGACY - 1) });
});

test('before P2SH is looked into, CHECKMULTISIG counts twenty whatever stands before it', async () => {
  const rules = await RuleChain.open({ blocks: 1 });
  const oneOfOne = (count: number): BlockOptions => {
    return {
      coinbaseScript: script(...Array.from({ length: count }, () => Uint8Array.of(Op.OP_1, Op.OP_CHECKMULTISIG))),
    };
  };
  await rules.reject(CODE, oneOfOne(MAX_LEGACY / MULTISIG_SIGOPS + 1));
  await rules.accept(oneOfOne(MAX_LEGACY / MULTISIG_SIGOPS));
});

const REDEEM = countedScript(150);
const P2SH_COST = 150 * MULTISIG_SIGOPS * limits.WITNESS_SCALE_FACTOR;
const P2WSH_COST = 150 * MULTISIG_SIGOPS;
const P2WSH = script(Op.OP_0, pushData(sha256(REDEEM)));
const P2WPKH = script(Op.OP_0, pushData(new Uint8Array(20).fill(1)));
/** Not a program of version 0: its operations are not counted. */
const FREE_PROGRAM = script(Op.OP_2, pushData(new Uint8Array(20).fill(1)));

/** In P2SH a number in front of CHECKMULTISIG says how many it counts. */
const ACCURATE = Uint8Array.of(Op.OP_0, Op.OP_IF, Op.OP_2, Op.OP_CHECKMULTISIG, Op.OP_ENDIF, Op.OP_1);

/** One spend for each way in which operations are counted. */
const SPENDS: readonly [lock: Uint8Array, unlock: Omit<RawSpend, 'coin'>, cost: number][] = [
  [p2shScript(REDEEM), { scriptSig: pushData(REDEEM) }, P2SH_COST],
  [P2WSH, { witness: [REDEEM] }, P2WSH_COST],
  [p2shScript(P2WSH), { scriptSig: pushData(P2WSH), witness: [REDEEM] }, P2WSH_COST],
  [FREE_PROGRAM, { witness: [REDEEM] }, 0],
  [p2shScript(ACCURATE), { scriptSig: pushData(ACCURATE) }, 2 * limits.WITNESS_SCALE_FACTOR],
];

test('a cost of exactly 80,000 with each kind of spend, and one legacy operation more', async () => {
  const rules = await RuleChain.open();
  for (const [lock, unlock, cost] of SPENDS) {
    const transactions = [rawTx([{ coin: await rules.fundOne(lock), ...unlock }])];
    const legacy = (limits.MAX_BLOCK_SIGOPS_COST - cost) / limits.WITNESS_SCALE_FACTOR;
    if (cost > 0) await rules.reject(CODE, { transactions, ...checksigs(legacy + 1) });
    await rules.accept({ transactions, ...checksigs(legacy) });
  }
});

test('a cost of 80,001 is one too many: a spend from a key hash in a witness costs one', async () => {
  const rules = await RuleChain.open();
  const [heavy, light] = await rules.fund([P2WSH, P2WPKH]);
  assert(heavy !== undefined && light !== undefined);
  const output: TxOutput = { value: 1n, scriptPubKey: Uint8Array.of(Op.OP_1) };
  const spends = (coins: readonly [TestCoin, readonly Uint8Array[]][]): BlockOptions => ({
    ...checksigs((limits.MAX_BLOCK_SIGOPS_COST - P2WSH_COST) / limits.WITNESS_SCALE_FACTOR),
    transactions: coins.map(([coin, witness]) => rawTx([{ coin, witness }], [output])),
  });
  // Counted before any script runs: the signature that is missing is not noticed.
  await rules.reject(
    CODE,
    spends([
      [heavy, [REDEEM]],
      [light, []],
    ]),
  );
  await rules.accept(spends([[heavy, [REDEEM]]]));
});

test('a block that is free of P2SH counts nothing inside of it', async () => {
  const plain = await RuleChain.open();
  const coin = await plain.fundOne(p2shScript(REDEEM));
  const scriptSig = pushData(REDEEM);
  const legacy = (limits.MAX_BLOCK_SIGOPS_COST - P2SH_COST) / limits.WITNESS_SCALE_FACTOR;
  const heavy = { transactions: [rawTx([{ coin, scriptSig }])], ...checksigs(legacy + 1) };
  const named = await plain.reject(CODE, heavy);
  const rules = await RuleChain.open({
    params: regtestWith({ scriptFlagExceptions: { [named.hash]: [] } }),
    blocks: 0,
  });
  await rules.follow(plain.builder);
  await rules.reject(CODE, heavy);
  assert.equal((await rules.chain.submitBlock(named)).kind, 'connected');
});
