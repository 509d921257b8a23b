/** What Bitcoin Core's IsStandardTx says to transactions on both sides of each limit, and when it is asked. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Transaction, type TxOutput } from '#primitives';
import { Op, pushData } from '#script';
import { multisigScript, p2shScript, testKey } from '../../support/keys.ts';
import { repeated, script } from '../../support/script.ts';
import { buildTx, outputOf, pay, rawTx } from '../../support/tx-builder.ts';
import { createHarness } from './harness.ts';
import {
  AMPLE,
  type Case,
  declareCases,
  dropping,
  EASY,
  KEYS,
  p2wshScript,
  paying,
  sh,
  type Unlock,
  weighing,
  wsh,
} from './standard-cases.ts';

const DATA = Uint8Array.of(Op.OP_RETURN);
const { p2pk, p2pkh } = testKey(1);
const P2SH = p2shScript(p2pk);
const P2WPKH = script(Op.OP_0, pushData(new Uint8Array(20).fill(1)));
const P2WSH = p2wshScript(p2pk);
const P2TR = script(Op.OP_1, pushData(new Uint8Array(32).fill(2)));
/** The shortest witness program there is; four bytes. */
const SHORT_PROGRAM = script(Op.OP_1, pushData(new Uint8Array(2)));
const ANCHOR = script(Op.OP_1, pushData(Uint8Array.of(0x4e, 0x73)));
const TRUE = Uint8Array.of(Op.OP_1);

const keyOf = (form: number, bytes: number): Uint8Array => {
  const key = new Uint8Array(bytes).fill(3);
  key[0] = form;
  return key;
};
const p2pkTo = (key: Uint8Array): Uint8Array => script(pushData(key), Op.OP_CHECKSIG);
const multisig = (required: number, keys: number): Uint8Array =>
  multisigScript(
    required,
    KEYS.slice(0, keys).map((key) => key.publicKey),
  );
const dataOf = (bytes: number): Uint8Array => script(Op.OP_RETURN, pushData(new Uint8Array(bytes)));

/** A scriptSig of exactly that many bytes: four pushes, and a redeem script that drops them. */
const longScriptSig = (bytes: number): readonly Unlock[] => {
  const redeem = dropping(4);
  const data = bytes - pushData(redeem).length - 4 * 3;
  const sizes = [0, 1, 2, 3].map((at) => Math.floor((data + at) / 4));
  return [sh(redeem, script(...sizes.map((size) => pushData(new Uint8Array(size)))))];
};

describe('versions and weight', () => {
  declareCases([
    { name: '-1', version: -1, verdict: 'version' },
    { name: '0', version: 0, verdict: 'version' },
    { name: '1', version: 1, verdict: 'accepted' },
    { name: '2', version: 2, verdict: 'accepted' },
    { name: '3, as Core 28', version: 3, verdict: 'accepted' },
    { name: '4', version: 4, verdict: 'version' },
    { name: 'the largest', version: 0x7fffffff, verdict: 'version' },
    { name: 'weight 400,000', ...weighing(400_000), verdict: 'accepted' },
    { name: 'weight 400,001', ...weighing(400_001), verdict: 'tx-size' },
  ]);
});

describe('scriptSigs', () => {
  declareCases([
    { name: '1650 bytes', spends: longScriptSig(1_650), verdict: 'accepted' },
    { name: '1651 bytes', spends: longScriptSig(1_651), verdict: 'scriptsig-size' },
    { name: 'OP_16 is a push', spends: [sh(dropping(1), Uint8Array.of(Op.OP_16))], verdict: 'accepted' },
    { name: 'OP_NOP', spends: [sh(TRUE, Uint8Array.of(Op.OP_NOP))], verdict: 'scriptsig-not-pushonly' },
    {
      name: 'a push cut short',
      spends: [{ ...EASY, scriptSig: Uint8Array.of(2, 0) }],
      verdict: 'scriptsig-not-pushonly',
    },
    {
      name: 'of the last input',
      spends: [EASY, sh(TRUE, Uint8Array.of(Op.OP_NOP))],
      verdict: 'scriptsig-not-pushonly',
    },
  ]);
});

const toScript = (name: string, scriptPubKey: Uint8Array, verdict: string): Case => ({
  name,
  outputs: [paying(scriptPubKey), pay(AMPLE)],
  verdict,
});

describe('kinds of outputs', () => {
  declareCases([
    toScript('key', p2pk, 'accepted'),
    toScript('uncompressed key', p2pkTo(keyOf(4, 65)), 'accepted'),
    toScript('hybrid key', p2pkTo(keyOf(6, 65)), 'accepted'),
    toScript('key of a wrong form', p2pkTo(keyOf(5, 33)), 'scriptpubkey'),
    toScript('key of a wrong length', p2pkTo(keyOf(4, 33)), 'scriptpubkey'),
    toScript('key hash', p2pkh, 'accepted'),
    toScript('key hash and OP_NOP', script(p2pkh, Op.OP_NOP), 'scriptpubkey'),
    toScript('script hash', P2SH, 'accepted'),
    toScript('witness key hash', P2WPKH, 'accepted'),
    toScript('witness script hash', P2WSH, 'accepted'),
    toScript('version 0 of another length', script(Op.OP_0, pushData(new Uint8Array(21))), 'scriptpubkey'),
    toScript('taproot', P2TR, 'accepted'),
    toScript('version 1 of another length', script(Op.OP_1, pushData(new Uint8Array(33))), 'accepted'),
    toScript('anchor', ANCHOR, 'accepted'),
    toScript('the shortest program', SHORT_PROGRAM, 'accepted'),
    toScript('the longest program of the last version', script(Op.OP_16, pushData(new Uint8Array(40))), 'accepted'),
    toScript('a program too long', script(Op.OP_16, pushData(new Uint8Array(41))), 'scriptpubkey'),
    toScript('1-of-1', multisig(1, 1), 'accepted'),
    toScript('3-of-3', multisig(3, 3), 'accepted'),
    toScript('1-of-4', multisig(1, 4), 'scriptpubkey'),
    toScript('0-of-1', multisig(0, 1), 'scriptpubkey'),
    toScript('2-of-1', multisig(2, 1), 'scriptpubkey'),
    toScript('nothing', new Uint8Array(0), 'scriptpubkey'),
    toScript('OP_TRUE', TRUE, 'scriptpubkey'),
    toScript('OP_RETURN alone', DATA, 'accepted'),
    toScript('OP_RETURN, 83 bytes', dataOf(80), 'accepted'),
    toScript('OP_RETURN, 84 bytes', dataOf(81), 'scriptpubkey'),
    toScript('OP_RETURN and several pushes', script(DATA, Op.OP_16, pushData(new Uint8Array(40))), 'accepted'),
    toScript('OP_RETURN and no push', script(DATA, Op.OP_NOP), 'scriptpubkey'),
    toScript('OP_RETURN and a push cut short', script(DATA, 2, 0), 'scriptpubkey'),
    { name: 'two data outputs', outputs: [paying(DATA, 0n), paying(DATA, 0n)], verdict: 'multi-op-return' },
  ]);
});

/** The last value that is dust, and the next. */
const dustBelow = (name: string, scriptPubKey: Uint8Array, threshold: bigint): Case[] => [
  {
    name: `${name}, ${threshold - 1n} sat`,
    outputs: [paying(scriptPubKey, threshold - 1n), pay(AMPLE)],
    verdict: 'dust',
  },
  { name: `${name}, ${threshold} sat`, outputs: [paying(scriptPubKey, threshold), pay(AMPLE)], verdict: 'accepted' },
];

describe('dust', () => {
  declareCases([
    ...dustBelow('key', p2pk, 576n),
    ...dustBelow('key hash', p2pkh, 546n),
    ...dustBelow('script hash', P2SH, 540n),
    ...dustBelow('bare multisig', multisig(1, 1), 582n),
    ...dustBelow('witness key hash', P2WPKH, 294n),
    ...dustBelow('witness script hash', P2WSH, 330n),
    ...dustBelow('taproot', P2TR, 330n),
    ...dustBelow('anchor', ANCHOR, 240n),
    ...dustBelow('unknown program', SHORT_PROGRAM, 240n),
    { name: 'data may hold nothing', outputs: [paying(DATA, 0n), pay(AMPLE)], verdict: 'accepted' },
  ]);

  describe('at another rate, rounded up', () => {
    declareCases(dustBelow('key hash', p2pkh, 547n), { dustRelayFeeSatPerKvb: 3_001 });
  });

  describe('at no rate', () => {
    const outputs = [paying(p2pkh, 0n)];
    declareCases([{ name: 'nothing is dust', outputs, verdict: 'accepted' }], { dustRelayFeeSatPerKvb: 0 });
  });
});

describe('options', () => {
  describe('without bare multisig', () => {
    declareCases(
      [
        toScript('1-of-1', multisig(1, 1), 'bare-multisig'),
        toScript('1-of-4 is none of the standard kinds', multisig(1, 4), 'scriptpubkey'),
        { name: 'before dust', outputs: [paying(multisig(1, 1), 0n)], verdict: 'bare-multisig' },
        toScript('hidden behind a hash', p2shScript(multisig(1, 1)), 'accepted'),
      ],
      { permitBareMultisig: false },
    );
  });

  describe('with other limits for data', () => {
    const limit = { dataCarrierBytes: 100 };
    declareCases([toScript('100 bytes', dataOf(97), 'accepted'), toScript('101', dataOf(98), 'scriptpubkey')], limit);
    describe('none', () => {
      declareCases([toScript('OP_RETURN alone', DATA, 'scriptpubkey')], { dataCarrierBytes: 0 });
    });
  });

  describe('with more bytes for a signature operation', () => {
    // Four bare multisig outputs cost 4 * 20 * 4, the key hash 4: at 100 bytes each that is 8,100 vbytes.
    const outputs = [1, 2, 3, 4].map(() => paying(multisig(1, 1), 10_000n));
    const over = (fee: bigint): TxOutput => paying(p2pkh, 10_000_000n - 40_000n - fee);
    declareCases(
      [
        { name: 'the fee of 8,099', outputs: [...outputs, over(8_099n)], verdict: 'min relay fee not met' },
        { name: 'the fee of 8,100', outputs: [...outputs, over(8_100n)], verdict: 'accepted' },
      ],
      { bytesPerSigOp: 100 },
    );
  });

  describe('on a chain that takes what is not standard', () => {
    declareCases(
      [
        { name: 'version 0', version: 0, verdict: 'accepted' },
        { name: 'any weight', ...weighing(400_001), verdict: 'accepted' },
        toScript('any output', TRUE, 'accepted'),
        { name: 'dust', outputs: [pay(0n)], verdict: 'accepted' },
        { name: 'two data outputs', outputs: [paying(DATA), paying(DATA)], verdict: 'accepted' },
        { name: 'any input', spends: [{ lock: TRUE }], verdict: 'accepted' },
        { name: 'any witness', spends: [wsh(dropping(1), [new Uint8Array(81)])], verdict: 'accepted' },
        { name: '64 bytes', outputs: [paying(SHORT_PROGRAM)], verdict: 'tx-size-small' },
      ],
      { requireStandard: false },
    );
  });
});

describe('of two reasons the first in Core’s order', () => {
  const bareSig = [{ lock: TRUE, scriptSig: Uint8Array.of(Op.OP_NOP) }];
  const late = { spends: [{ ...EASY, sequence: 0xfffffffd }], lockTime: 1_000 };
  declareCases([
    { name: 'no outputs, version', outputs: [], version: 0, verdict: 'bad-txns-vout-empty' },
    { name: 'version, weight', ...weighing(400_001), version: 0, verdict: 'version' },
    {
      name: 'weight, scriptSig',
      ...weighing(400_100),
      spends: bareSig,
      outputs: Array.from({ length: 3_000 }, () => pay(546n)),
      verdict: 'tx-size',
    },
    {
      name: 'size, pushes',
      spends: [{ lock: TRUE, scriptSig: repeated(Op.OP_NOP, 1_651) }],
      verdict: 'scriptsig-size',
    },
    {
      name: 'pushes of the first input, size of the second',
      spends: [...bareSig, { lock: TRUE, scriptSig: repeated(Op.OP_1, 1_651) }],
      verdict: 'scriptsig-not-pushonly',
    },
    { name: 'scriptSig, output', spends: bareSig, outputs: [paying(TRUE)], verdict: 'scriptsig-not-pushonly' },
    { name: 'dust, kind of the next output', outputs: [paying(p2pkh, 1n), paying(TRUE)], verdict: 'dust' },
    { name: 'kind, dust of the next output', outputs: [paying(TRUE), paying(p2pkh, 1n)], verdict: 'scriptpubkey' },
    { name: 'dust behind two data outputs', outputs: [paying(DATA), paying(DATA), pay(1n)], verdict: 'dust' },
    { name: 'version, 64 bytes', outputs: [paying(SHORT_PROGRAM)], version: 0, verdict: 'version' },
    { name: 'dust, 64 bytes', outputs: [paying(SHORT_PROGRAM, 1n)], verdict: 'dust' },
    { name: '64 bytes', outputs: [paying(SHORT_PROGRAM)], verdict: 'tx-size-small' },
    { name: '65 bytes', outputs: [paying(script(Op.OP_1, pushData(new Uint8Array(3))))], verdict: 'accepted' },
    { name: '64 bytes, lock time', ...late, outputs: [paying(SHORT_PROGRAM)], verdict: 'tx-size-small' },
    { name: 'dust, lock time', ...late, outputs: [pay(1n)], verdict: 'dust' },
    { name: 'lock time', ...late, verdict: 'non-final' },
  ]);

  it('a coinbase before its version', async () => {
    await using h = await createHarness();
    const { inputs, outputs, lockTime } = h.builder.tip.block.transactions[0] ?? assert.fail();
    assert.equal(await h.submit(Transaction.fromFields({ version: 0, inputs, outputs, lockTime })), 'coinbase');
  });

  it('dust before a conflict', async () => {
    await using h = await createHarness();
    const spend = (value: bigint): Transaction => buildTx([h.builder.coin(1)], [pay(value)]);
    assert.equal(await h.submit(spend(AMPLE)), 'accepted');
    assert.equal(await h.submit(spend(1n)), 'dust');
  });

  it('dust before a missing parent', async () => {
    await using h = await createHarness();
    const parent = rawTx([{ coin: h.builder.coin(1) }], [pay(AMPLE)]);
    assert.equal(await h.submit(rawTx([{ coin: outputOf(parent) }], [pay(1n)])), 'dust');
    assert.equal(await h.submit(rawTx([{ coin: outputOf(parent) }], [pay(546n)])), 'missing-inputs');
  });
});
