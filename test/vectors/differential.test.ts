/**
 * Random scripts in our interpreter and in bitcore-lib's, which was written by others: same verdict, same reason.
 * Left out is what bitcore-lib does differently from Bitcoin Core 27: CLEANSTACK (it looks at another stack),
 * CONST_SCRIPTCODE (unknown to it), discouraged NOPs without the lock time flags (an older rule), and OP_VER (its
 * parser stops there).
 */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { loadSecp256k1 } from '#crypto';
import type { Transaction } from '#primitives';
import { ScriptFlag, TxSighash, TxSignatureChecker, verifyScript } from '#script';
import { concatBytes, type Random, seededRandom, toHex } from '#util';
import { ALL_FLAG_BITS, creditAndSpend, fillFlags, packagedPath } from '../support/core-vectors.ts';
import { randomPush, randomScript } from '../support/random-script.ts';

type Interpreter = {
  errstr: string;
  verify: (sig: object, pub: object, tx: object, input: number, flags: number, witness: [], sats: number) => boolean;
};
type Bitcore = {
  readonly Script: { readonly Interpreter: new () => Interpreter } & (new (bytes: Buffer) => object);
  readonly Transaction: new (bytes: Buffer) => object;
};

const RUNS = 4000;
const UNKNOWN_TO_BITCORE = ScriptFlag.CLEANSTACK | ScriptFlag.CONST_SCRIPTCODE;
const LOCK_TIMES = ScriptFlag.CHECKLOCKTIMEVERIFY | ScriptFlag.CHECKSEQUENCEVERIFY;

function randomFlags(random: Random): number {
  let flags = 0;
  for (const bit of ALL_FLAG_BITS) if (random.below(3) === 0) flags |= bit;
  flags = fillFlags(flags) & ~UNKNOWN_TO_BITCORE;
  return (flags & ScriptFlag.DISCOURAGE_UPGRADABLE_NOPS) === 0 ? flags : flags | LOCK_TIMES;
}

function runBitcore(lib: Bitcore, sig: Uint8Array, pub: Uint8Array, spend: Transaction, flags: number): string {
  const interpreter = new lib.Script.Interpreter();
  const scripts = [sig, pub].map((script) => new lib.Script(Buffer.from(script))) as [object, object];
  const tx = new lib.Transaction(Buffer.from(spend.raw));
  if (interpreter.verify(...scripts, tx, 0, flags, [], 0)) return 'OK';
  // It tells some errors in more detail than Core does.
  const error = interpreter.errstr.replace('SCRIPT_ERR_', '').replace('SIG_NULLFAIL', 'NULLFAIL');
  return ['UNKNOWN_ERROR', 'EVAL_FALSE', 'SIG_DER'].find((general) => error.startsWith(general)) ?? error;
}

const path = packagedPath('bitcore-lib');

test('random scripts end as in bitcore-lib', { skip: path === undefined && 'bitcore-lib is not installed' }, (t) => {
  const lib = createRequire(import.meta.url)('bitcore-lib') as Bitcore;
  const random = seededRandom(4);
  const secp = loadSecp256k1();
  const results = new Map<string, number>();
  for (let i = 0; i < RUNS; i++) {
    const sig = concatBytes(...Array.from({ length: random.below(6) }, () => randomPush(random)));
    const pub = randomScript(random);
    const flags = randomFlags(random);
    const { spend, output } = creditAndSpend(sig, pub, [], 0n);
    const checker = new TxSignatureChecker(new TxSighash(spend, [output]), 0, secp);
    const result = verifyScript(sig, pub, [], flags, checker) ?? 'OK';
    assert.equal(result, runBitcore(lib, sig, pub, spend, flags), `${toHex(sig)} ${toHex(pub)} under ${flags}`);
    results.set(result, (results.get(result) ?? 0) + 1);
  }
  assert.ok((results.get('OK') ?? 0) > RUNS / 10, 'not all fail');
  t.diagnostic(`bitcore-lib: ${RUNS} random scripts, ${results.get('OK')} valid, ${results.size} kinds of result`);
});
