/** What Bitcoin Core's AreInputsStandard and IsWitnessStandard say on both sides of each limit, and when. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Transaction, TxOutput } from '#primitives';
import { Op, pushData } from '#script';
import { multisigScript, p2shScript, testKey } from '../../support/keys.ts';
import { repeated, script } from '../../support/script.ts';
import { taprootKeyLock, taprootSignature, tapscriptLock } from '../../support/taproot.ts';
import { buildTx, type Lock, pay, rawTx, type TestCoin } from '../../support/tx-builder.ts';
import { createHarness } from './harness.ts';
import {
  AMPLE,
  declareCases,
  dropping,
  EASY,
  mandatory,
  nonMandatory,
  p2wshScript,
  paying,
  sh,
  shWsh,
  trueScript,
  type Unlock,
  wsh,
} from './standard-cases.ts';

const TRUE = Uint8Array.of(Op.OP_1);
const INPUTS = 'bad-txns-nonstandard-inputs';
const WITNESS = 'bad-witness-nonstandard';
const key = testKey(1);

const bytes = (length: number): Uint8Array => new Uint8Array(length);
const items = (count: number): Uint8Array[] => Array.from({ length: count }, () => bytes(0));
/** Not all zero: such a program would be false as a value. */
const program = (version: number, length: number): Uint8Array => script(version, pushData(bytes(length).fill(1)));
/** A true script with so many signature operations that never run. */
const sigOps = (count: number): Uint8Array =>
  script(Op.OP_0, Op.OP_IF, repeated(Op.OP_CHECKSIG, count), Op.OP_ENDIF, Op.OP_1);
/** The same, as one check of `keys` keys, counted as 20 if their number is not said just before. */
const multisigOps = (...before: number[]): Uint8Array =>
  script(Op.OP_0, Op.OP_IF, ...before, Op.OP_CHECKMULTISIG, Op.OP_ENDIF, Op.OP_1);

const wideMultisig: Lock = { kind: 'multisig', required: 1, keys: Array.from({ length: 16 }, (_, at) => testKey(at)) };

describe('inputs', () => {
  declareCases([
    { name: 'OP_TRUE', spends: [{ lock: TRUE }], verdict: INPUTS },
    { name: 'the second of two', spends: [EASY, { lock: TRUE }], verdict: INPUTS },
    { name: 'version 1 of two bytes', spends: [{ lock: program(Op.OP_1, 2) }], verdict: INPUTS },
    { name: 'version 1 of 33 bytes', spends: [{ lock: program(Op.OP_1, 33) }], verdict: INPUTS },
    { name: 'version 2', spends: [{ lock: program(Op.OP_2, 32) }], verdict: INPUTS },
    { name: 'version 0 of 21 bytes', spends: [{ lock: program(Op.OP_0, 21), witness: [TRUE] }], verdict: INPUTS },
    {
      name: 'bare multisig of more keys than an output may have',
      spends: [
        {
          lock: multisigScript(
            1,
            wideMultisig.keys.map(({ publicKey }) => publicKey),
          ),
        },
      ],
      build: (coin) => buildTx([{ coin, lock: wideMultisig }], [pay(AMPLE)]),
      verdict: 'accepted',
    },
    { name: 'P2SH of OP_TRUE', spends: [sh(TRUE)], verdict: 'accepted' },
    { name: 'P2SH of 15 signature operations', spends: [sh(sigOps(15))], verdict: 'accepted' },
    { name: 'P2SH of 16 signature operations', spends: [sh(sigOps(16))], verdict: INPUTS },
    { name: 'P2SH of a multisig of 15', spends: [sh(multisigOps(Op.OP_15))], verdict: 'accepted' },
    { name: 'P2SH of a multisig of 16', spends: [sh(multisigOps(Op.OP_16))], verdict: INPUTS },
    { name: 'P2SH of a multisig of unknown width', spends: [sh(multisigOps(Op.OP_1, Op.OP_NOP))], verdict: INPUTS },
    { name: 'P2SH without a redeem script', spends: [{ lock: p2shScript(TRUE) }], verdict: INPUTS },
    { name: 'P2SH and a reserved opcode', spends: [sh(dropping(1), Uint8Array.of(Op.OP_RESERVED))], verdict: INPUTS },
    { name: 'P2SH and a push of 520 bytes', spends: [sh(dropping(1), pushData(bytes(520)))], verdict: 'accepted' },
    { name: 'P2SH and a push of 521 bytes', spends: [sh(dropping(1), pushData(bytes(521)))], verdict: INPUTS },
    { name: 'P2SH and 1000 elements', spends: [sh(TRUE, repeated(Op.OP_1, 999))], verdict: mandatory('STACK_SIZE') },
    { name: 'P2SH and 1001 elements', spends: [sh(TRUE, repeated(Op.OP_1, 1_000))], verdict: INPUTS },
    {
      name: 'a reserved opcode is a push, and no matter for P2WSH',
      spends: [{ ...EASY, scriptSig: Uint8Array.of(Op.OP_RESERVED) }],
      verdict: mandatory('BAD_OPCODE'),
    },
  ]);
});

describe('witnesses', () => {
  declareCases([
    { name: 'for a key hash', spends: [{ lock: key.p2pkh, witness: [TRUE] }], verdict: WITNESS },
    { name: 'for P2SH without a program', spends: [{ ...sh(TRUE), witness: [TRUE] }], verdict: WITNESS },
    { name: 'of the second input', spends: [EASY, { ...sh(TRUE), witness: [TRUE] }], verdict: WITNESS },
    { name: 'none, where the other input has one', spends: [EASY, sh(TRUE)], verdict: 'accepted' },
    {
      name: 'none, where one is needed',
      spends: [{ lock: EASY.lock }],
      verdict: mandatory('WITNESS_PROGRAM_WITNESS_EMPTY'),
    },
    {
      name: 'for a key hash program: no limits',
      spends: [{ lock: program(Op.OP_0, 20), witness: [bytes(81), TRUE, TRUE] }],
      verdict: mandatory('WITNESS_PROGRAM_MISMATCH'),
    },
    {
      name: 'for a program of 21 bytes in P2SH: no limits',
      spends: [{ ...sh(program(Op.OP_0, 21)), witness: [bytes(81), TRUE] }],
      verdict: mandatory('WITNESS_PROGRAM_WRONG_LENGTH'),
    },
    {
      name: 'for version 1 in P2SH: no limits',
      spends: [{ ...sh(program(Op.OP_1, 32)), witness: [TRUE, Uint8Array.of(0x50)] }],
      verdict: nonMandatory('DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM'),
    },
    {
      name: 'for version 2 of 32 bytes in P2SH: no limits',
      spends: [{ ...sh(program(Op.OP_2, 32)), witness: [bytes(81), bytes(3_601)] }],
      verdict: nonMandatory('DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM'),
    },
  ]);
});

describe('witness script hashes', () => {
  for (const [form, spend] of [
    ['P2WSH', wsh],
    ['P2SH-P2WSH', shWsh],
  ] as const) {
    declareCases([
      { name: `${form}: script of 3600 bytes`, spends: [spend(trueScript(3_600))], verdict: 'accepted' },
      { name: `${form}: script of 3601 bytes`, spends: [spend(trueScript(3_601))], verdict: WITNESS },
      { name: `${form}: 100 items`, spends: [spend(dropping(100), items(100))], verdict: 'accepted' },
      { name: `${form}: 101 items`, spends: [spend(dropping(101), items(101))], verdict: WITNESS },
      { name: `${form}: item of 80 bytes`, spends: [spend(dropping(1), [bytes(80)])], verdict: 'accepted' },
      { name: `${form}: item of 81 bytes`, spends: [spend(dropping(1), [bytes(81)])], verdict: WITNESS },
      { name: `${form}: last item of 81 bytes`, spends: [spend(dropping(2), [bytes(0), bytes(81)])], verdict: WITNESS },
    ]);
  }
});

const tapscript = (leaf: Uint8Array, stack: readonly Uint8Array[], leafVersion?: number): Unlock => {
  const { scriptPubKey, witness } = tapscriptLock(leaf, leafVersion);
  return { lock: scriptPubKey, witness: [...stack, ...witness] };
};

const keySpend = (coin: TestCoin, annex?: Uint8Array): Transaction => {
  const outputs: readonly TxOutput[] = [pay(AMPLE)];
  const unsigned = rawTx([{ coin }], outputs);
  const signature = taprootSignature(unsigned, coin, key, annex === undefined ? {} : { annex });
  return rawTx([{ coin, witness: annex === undefined ? [signature] : [signature, annex] }], outputs);
};

describe('taproot witnesses', () => {
  const lock = taprootKeyLock(key);
  const annex = Uint8Array.of(0x50);
  const { witness: plain = [] } = tapscript(TRUE, []);
  declareCases([
    { name: 'key path', spends: [{ lock }], build: (coin) => keySpend(coin), verdict: 'accepted' },
    { name: 'key path with annex', spends: [{ lock }], build: (coin) => keySpend(coin, annex), verdict: WITNESS },
    { name: 'an empty signature', spends: [{ lock, witness: [bytes(0)] }], verdict: mandatory('SCHNORR_SIG_SIZE') },
    {
      name: 'a signature that looks like an annex, alone',
      spends: [{ lock, witness: [annex] }],
      verdict: mandatory('SCHNORR_SIG_SIZE'),
    },
    {
      name: 'script path with annex',
      spends: [{ ...tapscript(TRUE, []), witness: [...plain, annex] }],
      verdict: WITNESS,
    },
    { name: 'item of 80 bytes', spends: [tapscript(dropping(1), [bytes(80)])], verdict: 'accepted' },
    { name: 'item of 81 bytes', spends: [tapscript(dropping(1), [bytes(81)])], verdict: WITNESS },
    { name: '101 items', spends: [tapscript(dropping(101), items(101))], verdict: 'accepted' },
    { name: 'script of 3601 bytes', spends: [tapscript(trueScript(3_601), [])], verdict: 'accepted' },
    { name: 'empty control block', spends: [{ lock, witness: [TRUE, bytes(0)] }], verdict: WITNESS },
    {
      name: 'another leaf version: no limits',
      spends: [tapscript(dropping(1), [bytes(81)], 0xc2)],
      verdict: nonMandatory('DISCOURAGE_UPGRADABLE_TAPROOT_VERSION'),
    },
  ]);
});

describe('anchors', () => {
  const anchor = script(Op.OP_1, pushData(Uint8Array.of(0x4e, 0x73)));
  const wrapped = { lock: p2shScript(anchor), scriptSig: pushData(anchor) };
  declareCases([
    { name: 'with nothing', spends: [{ lock: anchor }], verdict: 'accepted' },
    { name: 'beside another input', spends: [EASY, { lock: anchor }], verdict: 'accepted' },
    { name: 'with a witness', spends: [{ lock: anchor, witness: [TRUE] }], verdict: WITNESS },
    { name: 'with an empty element', spends: [{ lock: anchor, witness: [bytes(0)] }], verdict: WITNESS },
    {
      name: 'with a scriptSig',
      spends: [{ lock: anchor, scriptSig: Uint8Array.of(Op.OP_1) }],
      verdict: mandatory('WITNESS_MALLEATED'),
    },
    {
      name: 'in P2SH, where it is an unknown program',
      spends: [wrapped],
      verdict: nonMandatory('DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM'),
    },
    {
      name: 'in P2SH with a witness: no limits',
      spends: [{ ...wrapped, witness: [bytes(81)] }],
      verdict: nonMandatory('DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM'),
    },
    { name: 'with one more byte', spends: [{ lock: script(Op.OP_1, pushData(bytes(3))) }], verdict: INPUTS },
  ]);
});

describe('of two reasons the first in Core’s order', () => {
  const badWitness = { ...sh(TRUE), witness: [TRUE] };
  const all = [paying(key.p2pkh, 10_000_000n)];
  const tooMuch = [paying(key.p2pkh, 10_000_001n)];
  const manySigOps = Array.from({ length: 201 }, () => paying(multisigScript(1, [key.publicKey]), 1_000n));
  declareCases([
    { name: 'relative lock, input', spends: [{ lock: TRUE, sequence: 9 }], verdict: 'non-BIP68-final' },
    { name: 'value, input', spends: [{ lock: TRUE }], outputs: tooMuch, verdict: 'bad-txns-in-belowout' },
    { name: 'value, witness', spends: [badWitness], outputs: tooMuch, verdict: 'bad-txns-in-belowout' },
    { name: 'witness of the first input, kind of the second', spends: [badWitness, { lock: TRUE }], verdict: INPUTS },
    { name: 'input, signature operations', spends: [{ lock: TRUE }], outputs: manySigOps, verdict: INPUTS },
    { name: 'witness, signature operations', spends: [badWitness], outputs: manySigOps, verdict: WITNESS },
    { name: 'signature operations', outputs: manySigOps, verdict: 'bad-txns-too-many-sigops' },
    { name: 'signature operations up to the limit', outputs: manySigOps.slice(1), verdict: 'accepted' },
    { name: 'input, fee', spends: [{ lock: TRUE }], outputs: all, verdict: INPUTS },
    { name: 'witness, fee', spends: [badWitness], outputs: all, verdict: WITNESS },
    { name: 'fee', outputs: all, verdict: 'min relay fee not met' },
    {
      name: 'witness, script',
      spends: [{ lock: p2wshScript(TRUE), witness: [bytes(81), dropping(1)] }],
      verdict: WITNESS,
    },
    {
      name: 'script',
      spends: [{ lock: p2wshScript(TRUE), witness: [dropping(1)] }],
      verdict: mandatory('WITNESS_PROGRAM_MISMATCH'),
    },
  ]);
});

describe('who is to blame', () => {
  it('nobody, for what is only not standard', async () => {
    await using h = await createHarness();
    const tx = rawTx([{ coin: h.builder.coin(1), witness: [TRUE] }], [pay(AMPLE)]);
    assert.deepEqual(await h.mempool.submit(tx, 'peer'), { kind: 'policy', code: WITNESS });
  });

  it('and what was in a block must be standard to come back', async () => {
    await using h = await createHarness();
    const branch = h.builder.fork(h.builder.height);
    const plain = buildTx([h.builder.coin(1)], [pay(AMPLE)]);
    const odd = buildTx([h.builder.coin(2)], [paying(TRUE)]);
    await h.connect(h.builder.mine({ transactions: [plain, odd] }));
    await h.connect(...branch.mineMany(2));
    assert.deepEqual(h.txids(), [plain.txid]);
  });
});
