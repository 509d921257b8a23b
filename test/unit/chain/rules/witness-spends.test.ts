/** Spends of every standard kind of output, good and corrupted, and the rules around witness programs (BIP141). */
import { describe, test } from 'node:test';
import { hash160, sha256 } from '#crypto';
import { Op, pushData, type ScriptErrorCode } from '#script';
import { ANYONE_CAN_SPEND, p2shScript, testKey } from '../../../support/keys.ts';
import { RuleChain, regtestWith, scriptFailure } from '../../../support/rule-chain.ts';
import { script } from '../../../support/script.ts';
import { corrupted, OUTPUT_KINDS, type OutputKind, outputScript, signedTx } from '../../../support/signed-tx.ts';
import { declareSpends } from '../../../support/spend-cases.ts';
import { type RawSpend, rawTx } from '../../../support/tx-builder.ts';

/** A signature that is wrong, but none to leave out: Schnorr checks fail at once, others give false. */
function errorOfCorrupted(kind: OutputKind): ScriptErrorCode {
  return kind.startsWith('p2tr') ? 'SCHNORR_SIG' : 'EVAL_FALSE';
}

describe('standard outputs', () => {
  declareSpends(
    OUTPUT_KINDS.flatMap((kind) => [
      { name: kind, lock: outputScript(kind), spend: (coin) => signedTx([kind], 0, [coin]).tx },
      {
        name: kind,
        lock: outputScript(kind),
        spend: (coin) => corrupted(signedTx([kind], 0, [coin]), 0).tx,
        error: errorOfCorrupted(kind),
      },
    ]),
  );
});

test('one transaction spends them all', async () => {
  const rules = await RuleChain.open();
  const coins = await rules.fund(OUTPUT_KINDS.map(outputScript));
  const signed = signedTx(OUTPUT_KINDS, 0, coins);
  await rules.reject(scriptFailure('EVAL_FALSE'), { transactions: [corrupted(signed, 4).tx] });
  await rules.accept({ transactions: [signed.tx] });
});

const key = testKey(4);
const TRUE = Uint8Array.of(1);
const NOTHING = new Uint8Array();
const p2wsh = (witnessScript: Uint8Array): Uint8Array => script(Op.OP_0, pushData(sha256(witnessScript)));
const P2WPKH = script(Op.OP_0, pushData(hash160(key.publicKey)));
const FREE = p2wsh(ANYONE_CAN_SPEND);
const BRANCH = script(Op.OP_IF, Op.OP_1, Op.OP_ELSE, Op.OP_1, Op.OP_ENDIF);

type Row = readonly [name: string, lock: Uint8Array, unlock: Omit<RawSpend, 'coin'>, error?: ScriptErrorCode];

const ROWS: readonly Row[] = [
  ['a witness script', FREE, { witness: [ANYONE_CAN_SPEND] }],
  ['another witness script', FREE, { witness: [Uint8Array.of(Op.OP_2)] }, 'WITNESS_PROGRAM_MISMATCH'],
  ['no witness', FREE, {}, 'WITNESS_PROGRAM_WITNESS_EMPTY'],
  ['an element too many', FREE, { witness: [TRUE, ANYONE_CAN_SPEND] }, 'CLEANSTACK'],
  ['an unlocking script', FREE, { scriptSig: pushData(TRUE), witness: [ANYONE_CAN_SPEND] }, 'WITNESS_MALLEATED'],
  ['inside P2SH', p2shScript(FREE), { scriptSig: pushData(FREE), witness: [ANYONE_CAN_SPEND] }],
  [
    'inside P2SH, with another push',
    p2shScript(FREE),
    { scriptSig: script(Op.OP_1, pushData(FREE)), witness: [ANYONE_CAN_SPEND] },
    'WITNESS_MALLEATED_P2SH',
  ],
  [
    'inside P2SH, pushed in a longer form',
    p2shScript(FREE),
    { scriptSig: script(Op.OP_PUSHDATA1, FREE.length, FREE), witness: [ANYONE_CAN_SPEND] },
    'WITNESS_MALLEATED_P2SH',
  ],
  [
    'inside P2SH, without its witness',
    p2shScript(FREE),
    { scriptSig: pushData(FREE) },
    'WITNESS_PROGRAM_WITNESS_EMPTY',
  ],
  ['a witness for what needs none', ANYONE_CAN_SPEND, { witness: [TRUE] }, 'WITNESS_UNEXPECTED'],
  [
    'a witness for plain P2SH',
    p2shScript(ANYONE_CAN_SPEND),
    { scriptSig: pushData(ANYONE_CAN_SPEND), witness: [TRUE] },
    'WITNESS_UNEXPECTED',
  ],
  ['one element for a key hash', P2WPKH, { witness: [TRUE] }, 'WITNESS_PROGRAM_MISMATCH'],
  ['three elements for a key hash', P2WPKH, { witness: [NOTHING, TRUE, TRUE] }, 'WITNESS_PROGRAM_MISMATCH'],
  ['another key for a key hash', P2WPKH, { witness: [NOTHING, testKey(5).publicKey] }, 'EQUALVERIFY'],
  ['an empty signature for a key hash', P2WPKH, { witness: [NOTHING, key.publicKey] }, 'EVAL_FALSE'],
  [
    'version 0 and 21 bytes',
    script(Op.OP_0, pushData(new Uint8Array(21).fill(1))),
    { witness: [TRUE] },
    'WITNESS_PROGRAM_WRONG_LENGTH',
  ],
  ['41 bytes are no program', script(Op.OP_0, pushData(new Uint8Array(41).fill(1))), {}],
  [
    '41 bytes are no program, so no witness',
    script(Op.OP_0, pushData(new Uint8Array(41).fill(1))),
    { witness: [TRUE] },
    'WITNESS_UNEXPECTED',
  ],
  ['a program of zeros is false', script(Op.OP_2, pushData(new Uint8Array(32))), {}, 'EVAL_FALSE'],
  [
    'an operation in front of P2SH',
    p2shScript(ANYONE_CAN_SPEND),
    { scriptSig: script(Op.OP_NOP, pushData(ANYONE_CAN_SPEND)) },
    'SIG_PUSHONLY',
  ],
  // What only policy asks for.
  ['an operation in front of a bare script', ANYONE_CAN_SPEND, { scriptSig: script(Op.OP_1, Op.OP_NOP) }],
  ['OP_IF with 2', p2wsh(BRANCH), { witness: [Uint8Array.of(2), BRANCH] }],
  [
    'P2SH with more than one element left',
    p2shScript(ANYONE_CAN_SPEND),
    { scriptSig: script(Op.OP_1, pushData(ANYONE_CAN_SPEND)) },
  ],
];

describe('witness programs', () => {
  declareSpends(
    ROWS.map(([name, lock, unlock, error]) => ({ name, lock, spend: (coin) => rawTx([{ coin, ...unlock }]), error })),
  );
});

test('before segwit starts its programs cannot be spent at all: no witness is allowed, and none is too little', async () => {
  const rules = await RuleChain.open({ params: regtestWith({ activation: { segwit: 105 } }) });
  const coin = await rules.fundOne(FREE);
  await rules.reject(scriptFailure('WITNESS_PROGRAM_WITNESS_EMPTY'), { transactions: [rawTx([{ coin }])] });
  const transactions = [rawTx([{ coin, witness: [ANYONE_CAN_SPEND] }])];
  await rules.reject('unexpected-witness', { transactions }, 'mutated');
  await rules.extendTo(105);
  await rules.accept({ transactions });
});
