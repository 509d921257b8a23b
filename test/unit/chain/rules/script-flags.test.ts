/** Script rules that start at a height, or that hold for all blocks but those named (Core's GetBlockScriptFlags). */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { Op, pushData, pushNumber, type ScriptErrorCode } from '#script';
import { concatBytes } from '#util';
import type { BlockOptions } from '../../../support/chain-builder.ts';
import { multisigScript, p2shScript, testKey } from '../../../support/keys.ts';
import { FIRST_HEIGHT, RuleChain, regtestWith, scriptFailure } from '../../../support/rule-chain.ts';
import { script } from '../../../support/script.ts';
import { legacySignature, type RawSpend, rawTx, type TestCoin } from '../../../support/tx-builder.ts';

const key = testKey(3);

type Unlock = { readonly lockTime?: number; readonly version?: number } & Omit<RawSpend, 'coin'>;
type Unlocker = (coin: TestCoin) => Unlock;

function spend(coin: TestCoin, unlock: Unlocker): BlockOptions {
  const { lockTime = 0, version = 2, ...scripts } = unlock(coin);
  return { transactions: [rawTx([{ coin, ...scripts }], undefined, { lockTime, version })] };
}

/** A signature for `rawTx`'s only input, changed. */
const signed =
  (change: (signature: Uint8Array) => Uint8Array, ...head: readonly number[]): Unlocker =>
  (coin) => ({ scriptSig: script(...head, pushData(change(legacySignature(rawTx([{ coin }]), 0, key, coin)))) });

/** DER with a zero too many in front of R: OpenSSL read it, BIP66 forbids it. */
function padded(signature: Uint8Array): Uint8Array {
  const [, length = 0, , rLength = 0] = signature;
  return script(0x30, length + 1, 0x02, rLength + 1, 0x00, signature.subarray(4));
}

/** The other of the two signatures that hold: standard nodes refuse it, consensus does not. */
function highS(signature: Uint8Array): Uint8Array {
  const { r, s } = secp256k1.Signature.fromBytes(signature.subarray(0, -1), 'der');
  const other = new secp256k1.Signature(r, secp256k1.Point.Fn.neg(s));
  return concatBytes(other.toBytes('der'), signature.subarray(-1));
}

const asIs = (signature: Uint8Array): Uint8Array => signature;
const MULTISIG = multisigScript(1, [key.publicKey]);
const WANTED_HEIGHT = 50;
const CLTV = script(pushNumber(WANTED_HEIGHT), Op.OP_CHECKLOCKTIMEVERIFY);
const CSV = script(pushNumber(3), Op.OP_CHECKSEQUENCEVERIFY);
const lockTime =
  (value: number, sequence = 0): Unlocker =>
  () => ({ lockTime: value, sequence });
const sequence =
  (value: number, version = 2): Unlocker =>
  () => ({ sequence: value, version });

type Case = {
  readonly rule: 'bip66' | 'bip65' | 'csv' | 'segwit';
  readonly name: string;
  readonly lock: Uint8Array;
  /** Valid before the rule, and then not. */
  readonly bad: Unlocker;
  readonly error: ScriptErrorCode;
  /** Valid with the rule. */
  readonly good: Unlocker;
};

const CASES: readonly Case[] = [
  { rule: 'bip66', name: 'lax DER', lock: key.p2pk, bad: signed(padded), error: 'SIG_DER', good: signed(asIs) },
  {
    rule: 'bip66',
    name: 'lax DER, then a high S',
    lock: key.p2pk,
    bad: signed(padded),
    error: 'SIG_DER',
    good: signed(highS),
  },
  {
    rule: 'bip65',
    name: 'lock time too low',
    lock: CLTV,
    bad: lockTime(WANTED_HEIGHT - 1),
    error: 'UNSATISFIED_LOCKTIME',
    good: lockTime(WANTED_HEIGHT),
  },
  {
    rule: 'bip65',
    name: 'final input',
    lock: CLTV,
    bad: lockTime(WANTED_HEIGHT, 0xffffffff),
    error: 'UNSATISFIED_LOCKTIME',
    good: lockTime(WANTED_HEIGHT + 1, 0xfffffffe),
  },
  {
    rule: 'bip65',
    name: 'a height against a time',
    lock: script(pushNumber(500_000_001), Op.OP_CHECKLOCKTIMEVERIFY),
    bad: lockTime(WANTED_HEIGHT),
    error: 'UNSATISFIED_LOCKTIME',
    good: lockTime(500_000_001),
  },
  {
    rule: 'bip65',
    name: 'negative number',
    lock: script(Op.OP_CHECKLOCKTIMEVERIFY, Op.OP_DROP, Op.OP_1),
    bad: () => ({ scriptSig: pushNumber(-1), sequence: 0 }),
    error: 'NEGATIVE_LOCKTIME',
    good: () => ({ scriptSig: pushNumber(0), sequence: 0 }),
  },
  {
    rule: 'bip65',
    name: 'nothing on the stack',
    lock: script(Op.OP_CHECKLOCKTIMEVERIFY, Op.OP_1),
    bad: () => ({ sequence: 0 }),
    error: 'INVALID_STACK_OPERATION',
    good: () => ({ scriptSig: pushNumber(0), sequence: 0 }),
  },
  {
    rule: 'csv',
    name: 'sequence too low',
    lock: CSV,
    bad: sequence(2),
    error: 'UNSATISFIED_LOCKTIME',
    good: sequence(3),
  },
  {
    rule: 'csv',
    name: 'version 1',
    lock: CSV,
    bad: sequence(3, 1),
    error: 'UNSATISFIED_LOCKTIME',
    good: sequence(3, 2),
  },
  {
    rule: 'csv',
    name: 'disabled sequence',
    lock: CSV,
    bad: sequence(0x80000003),
    error: 'UNSATISFIED_LOCKTIME',
    good: sequence(4),
  },
  {
    rule: 'csv',
    name: 'negative number',
    lock: script(Op.OP_CHECKSEQUENCEVERIFY, Op.OP_DROP, Op.OP_1),
    bad: () => ({ scriptSig: pushNumber(-1) }),
    error: 'NEGATIVE_LOCKTIME',
    // The disable flag in the script's number makes it a NOP.
    good: () => ({ scriptSig: pushNumber(2 ** 31) }),
  },
  {
    rule: 'segwit',
    name: 'dummy that is not empty',
    lock: MULTISIG,
    bad: signed(asIs, Op.OP_1),
    error: 'SIG_NULLDUMMY',
    good: signed(asIs, Op.OP_0),
  },
];

for (const { rule, name, lock, bad, error, good } of CASES) {
  test(`${rule}: ${name}`, async () => {
    // Relative locks of the spends have passed when the rule starts, so that the script alone decides.
    const start = FIRST_HEIGHT + 10;
    const rules = await RuleChain.open({ params: regtestWith({ activation: { [rule]: start } }) });
    const [before, after, valid] = await rules.fund([lock, lock, lock]);
    assert(before !== undefined && after !== undefined && valid !== undefined);
    await rules.extendTo(start - 1);
    await rules.accept(spend(before, bad));
    await rules.reject(scriptFailure(error), spend(after, bad));
    await rules.accept(spend(valid, good));
  });
}

test('a high S is accepted before DERSIG as after it', async () => {
  const rules = await RuleChain.open({ params: regtestWith({ activation: { bip66: FIRST_HEIGHT + 1 } }) });
  const coins = await rules.fund([key.p2pk, key.p2pk]);
  for (const coin of coins) await rules.accept(spend(coin, signed(highS)));
});

const FALSE_SCRIPT = Uint8Array.of(Op.OP_0);

/** Each breaks the one rule that the exception leaves out. */
const EXCEPTIONS: readonly {
  readonly without: string;
  readonly flags: readonly string[];
  readonly lock: Uint8Array;
  readonly unlock: Unlock;
  readonly error: ScriptErrorCode;
}[] = [
  {
    without: 'P2SH',
    flags: [],
    lock: p2shScript(FALSE_SCRIPT),
    unlock: { scriptSig: pushData(FALSE_SCRIPT) },
    error: 'EVAL_FALSE',
  },
  {
    without: 'WITNESS',
    flags: ['P2SH'],
    lock: script(Op.OP_0, pushData(new Uint8Array(32).fill(1))),
    unlock: {},
    error: 'WITNESS_PROGRAM_WITNESS_EMPTY',
  },
  {
    without: 'TAPROOT',
    flags: ['P2SH', 'WITNESS'],
    lock: script(Op.OP_1, pushData(new Uint8Array(32).fill(1))),
    unlock: {},
    error: 'WITNESS_PROGRAM_WITNESS_EMPTY',
  },
];

for (const { without, flags, lock, unlock, error } of EXCEPTIONS) {
  test(`scriptFlagExceptions: the block named is free of ${without}, any other is not`, async () => {
    // The hash of the block is wanted in the parameters, so it is built first.
    const plain = await RuleChain.open();
    const coin = await plain.fundOne(lock);
    const breaking = spend(coin, () => unlock);
    const named = await plain.reject(scriptFailure(error), breaking);
    const usual = ['P2SH', 'WITNESS', 'TAPROOT'];
    for (const [names, allowed] of [
      [flags, true],
      [[...flags, without], false],
      [usual, false],
    ] as const) {
      const rules = await RuleChain.open({
        params: regtestWith({ scriptFlagExceptions: { [named.hash]: names } }),
        blocks: 0,
      });
      await rules.follow(plain.builder);
      await rules.reject(scriptFailure(error), breaking);
      if (allowed) assert.equal((await rules.chain.submitBlock(named)).kind, 'connected');
      else await rules.refuses(named, scriptFailure(error));
    }
  });
}

test('P2SH, WITNESS and TAPROOT hold from the first block on, whatever the height of segwit', async () => {
  const rules = await RuleChain.open({ params: regtestWith({ activation: { segwit: 1000, taproot: 1000 } }) });
  for (const { lock, unlock, error } of EXCEPTIONS) {
    const coin = await rules.fundOne(lock);
    await rules.reject(
      scriptFailure(error),
      spend(coin, () => unlock),
    );
  }
});
