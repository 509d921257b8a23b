/** Old quirks of signature checks that blocks must keep to: what a signature covers, and what it does not. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Op, pushData, sighash } from '#script';
import { concatBytes } from '#util';
import type { BlockOptions } from '../../../support/chain-builder.ts';
import { ANYONE_CAN_SPEND, testKey } from '../../../support/keys.ts';
import { RuleChain, scriptFailure } from '../../../support/rule-chain.ts';
import { script } from '../../../support/script.ts';
import { declareSpends, type SpendCase } from '../../../support/spend-cases.ts';
import { legacySignature, pay, rawTx } from '../../../support/tx-builder.ts';

const SIGHASH_SINGLE = 3;
const [first, second] = [testKey(1), testKey(2)];

type Signing = { readonly scriptCode?: Uint8Array; readonly hashType?: number };
type Sign = (key: typeof first, signing?: Signing) => Uint8Array;

/** Spends the coin alone; `unlock` gets a signer for it that pushes. */
const unlocked =
  (unlock: (sign: Sign) => Uint8Array): SpendCase['spend'] =>
  (coin) => {
    const sign: Sign = (key, signing) => pushData(legacySignature(rawTx([{ coin }]), 0, key, coin, signing));
    return rawTx([{ coin, scriptSig: unlock(sign) }]);
  };

const CHECK_FIRST = script(pushData(first.publicKey), Op.OP_CHECKSIGVERIFY);
const CHECK_SECOND = script(pushData(second.publicKey), Op.OP_CHECKSIG);
const SEPARATED = script(CHECK_FIRST, Op.OP_CODESEPARATOR, CHECK_SECOND);

describe('OP_CODESEPARATOR: a signature covers the script behind the last one that ran', () => {
  const spending = (secondCovers: Uint8Array, firstCovers = script(CHECK_FIRST, CHECK_SECOND)) =>
    unlocked((sign) => script(sign(second, { scriptCode: secondCovers }), sign(first, { scriptCode: firstCovers })));
  // Core leaves the separator itself out of what is hashed.
  declareSpends([
    { name: 'the rest for the second key', lock: SEPARATED, spend: spending(CHECK_SECOND) },
    { name: 'the whole for the second key', lock: SEPARATED, spend: spending(SEPARATED), error: 'EVAL_FALSE' },
    {
      name: 'the rest for the first key',
      lock: SEPARATED,
      spend: spending(CHECK_SECOND, CHECK_SECOND),
      error: 'CHECKSIGVERIFY',
    },
    {
      name: 'one that does not run',
      lock: script(Op.OP_0, Op.OP_IF, Op.OP_CODESEPARATOR, Op.OP_ENDIF, CHECK_SECOND),
      spend: unlocked((sign) => sign(second)),
    },
    {
      name: 'one in the unlocking script',
      lock: CHECK_SECOND,
      spend: unlocked((sign) => script(Op.OP_CODESEPARATOR, sign(second))),
    },
  ]);
});

describe('FindAndDelete: a signature is taken out of the script that it covers', () => {
  // Only an unlocking script can hold a signature of its own transaction.
  const covered = script(pushData(first.publicKey), Op.OP_CHECKSIGVERIFY);
  const withPush = (push: (signature: Uint8Array) => Uint8Array, scriptCode = covered): SpendCase['spend'] => {
    return (coin) => {
      const signature = legacySignature(rawTx([{ coin }]), 0, first, coin, { scriptCode });
      return rawTx([{ coin, scriptSig: script(push(signature), covered) }]);
    };
  };
  const longPush = (signature: Uint8Array) => script(Op.OP_PUSHDATA1, signature.length, signature);
  const twice = (signature: Uint8Array) => script(pushData(signature), Op.OP_DROP, pushData(signature));
  declareSpends([
    { name: 'a push of the shortest form', lock: ANYONE_CAN_SPEND, spend: withPush(pushData) },
    { name: 'another form stays', lock: ANYONE_CAN_SPEND, spend: withPush(longPush), error: 'CHECKSIGVERIFY' },
    { name: 'each of two', lock: ANYONE_CAN_SPEND, spend: withPush(twice, script(Op.OP_DROP, covered)) },
    { name: 'with one left', lock: ANYONE_CAN_SPEND, spend: withPush(twice), error: 'CHECKSIGVERIFY' },
  ]);
});

describe('hash types that mean nothing sign everything', () => {
  const withType = (hashType: number): SpendCase['spend'] => unlocked((sign) => sign(second, { hashType }));
  declareSpends(
    [0, 4, 0x50, 0x84, 0xff].map((type) => ({ name: `${type}`, lock: CHECK_SECOND, spend: withType(type) })),
  );
});

test('SIGHASH_SINGLE without an output of the same number signs the number one', async () => {
  const rules = await RuleChain.open();
  const [coin, signed] = await rules.fund([ANYONE_CAN_SPEND, second.p2pk]);
  assert(coin !== undefined && signed !== undefined);
  const one = Uint8Array.of(1, ...new Uint8Array(31));
  const spending = (outputs: number, hashType: number): BlockOptions => {
    const scriptSig = pushData(concatBytes(second.sign(one), Uint8Array.of(hashType)));
    const each = Array.from({ length: outputs }, () => pay(1n, { kind: 'anyone' }));
    return { transactions: [rawTx([{ coin }, { coin: signed, scriptSig }], each)] };
  };
  await rules.reject(scriptFailure('EVAL_FALSE'), spending(1, sighash.SIGHASH_ALL));
  await rules.reject(scriptFailure('EVAL_FALSE'), spending(2, SIGHASH_SINGLE));
  await rules.accept(spending(1, SIGHASH_SINGLE));
});
