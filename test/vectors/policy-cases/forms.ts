/** Forms of transactions, outputs, inputs and witnesses: Core's CheckTransaction, IsStandardTx and what looks at inputs. */
import { Transaction, type TxOutput } from '#primitives';
import { Op, pushData } from '#script';
import { multisigScript, p2shScript, testKey } from '../../support/keys.ts';
import { repeated, script } from '../../support/script.ts';
import { taprootKeyLock, taprootSignature, tapscriptLock } from '../../support/taproot.ts';
import { buildTx, pay, rawTx } from '../../support/tx-builder.ts';
import {
  dropping,
  EASY,
  KEYS,
  p2wshScript,
  paying,
  sh,
  shWsh,
  trueScript,
  type Unlock,
  weighing,
  wsh,
} from '../../unit/mempool/standard-cases.ts';
import { COIN_SATS, type Draft, type Group, PAYMENT, spending, type World } from './world.ts';

const TRUE = Uint8Array.of(Op.OP_1);
const DATA = Uint8Array.of(Op.OP_RETURN);
const ANCHOR = script(Op.OP_1, pushData(Uint8Array.of(0x4e, 0x73)));
const INPUTS = 'bad-txns-nonstandard-inputs';
const WITNESS = 'bad-witness-nonstandard';
const MAX_MONEY = 2_100_000_000_000_000n;

const bytes = (length: number): Uint8Array => new Uint8Array(length);
const program = (version: number, length: number): Uint8Array => script(version, pushData(bytes(length).fill(1)));
const dataOf = (length: number): Uint8Array => script(DATA, pushData(bytes(length)));
const multisig = (keys: number): Uint8Array =>
  multisigScript(
    1,
    KEYS.slice(0, keys).map(({ publicKey }) => publicKey),
  );

type Row = readonly [
  name: string,
  expected: string,
  unlocks: readonly Unlock[],
  outputs?: readonly TxOutput[] | undefined,
  more?: Partial<Draft> & { readonly version?: number; readonly lockTime?: number },
];

function rows(world: World, table: readonly Row[]): Draft[] {
  return table.map(([name, expected, unlocks, outputs, { version = 2, lockTime = 0, ...more } = {}]) => {
    const tx = spending(world, unlocks, { version, lockTime, ...(outputs === undefined ? {} : { outputs }) });
    return { name, expected, tx, ...more };
  });
}

/** A scriptSig of exactly that many bytes: four pushes, and a redeem script that drops them. */
function longScriptSig(length: number): Unlock {
  const redeem = dropping(4);
  const data = length - pushData(redeem).length - 4 * 3;
  const sizes = [0, 1, 2, 3].map((at) => Math.floor((data + at) / 4));
  return sh(redeem, script(...sizes.map((size) => pushData(bytes(size)))));
}

export const transactions: Group = {
  group: 'the transaction alone',
  drafts: (world) => {
    const [coinbase] = world.chain.tip.block.transactions;
    const twice = { coin: world.coin(EASY.lock), witness: EASY.witness ?? [] };
    const nullInput = { coin: { txid: bytes(32), index: 0xffffffff, output: PAYMENT } };
    const heavy = (weight: number): readonly [readonly Unlock[], readonly TxOutput[]] => {
      const { spends = [], outputs = [] } = weighing(weight);
      return [spends, outputs];
    };
    return [
      ...rows(world, [
        ['version 0', 'version', [EASY], undefined, { version: 0 }],
        ['version 1', 'allowed', [EASY], undefined, { version: 1 }],
        ['version 2', 'allowed', [EASY]],
        ['version 3', 'allowed', [EASY], undefined, { version: 3, core27: 'version' }],
        ['version 4', 'version', [EASY], undefined, { version: 4 }],
        ['version -1', 'version', [EASY], undefined, { version: -1 }],
        ['weight 400,000', 'allowed', ...heavy(400_000)],
        ['weight 400,001', 'tx-size', ...heavy(400_001)],
        ['64 bytes without witness', 'tx-size-small', [EASY], [paying(program(Op.OP_1, 2))]],
        ['65 bytes without witness', 'allowed', [EASY], [paying(program(Op.OP_1, 3))]],
        ['no outputs', 'bad-txns-vout-empty', [EASY], []],
        ['an output below zero', 'bad-txns-vout-negative', [EASY], [paying(PAYMENT.scriptPubKey, -1n)]],
        ['an output above 21 million', 'bad-txns-vout-toolarge', [EASY], [pay(MAX_MONEY + 1n)]],
        ['outputs above 21 million', 'bad-txns-txouttotal-toolarge', [EASY], [pay(MAX_MONEY), pay(1n)]],
        ['more out than in', 'bad-txns-in-belowout', [EASY], [pay(COIN_SATS + 1n)]],
        ['a megabyte without witness', 'bad-txns-oversize', [EASY], Array.from({ length: 29_500 }, () => pay(546n))],
      ]),
      { name: 'an input twice', tx: rawTx([twice, twice], [PAYMENT]), expected: 'bad-txns-inputs-duplicate' },
      { name: 'a null input', tx: rawTx([twice, nullInput], [PAYMENT]), expected: 'bad-txns-prevout-null' },
      ...(coinbase === undefined ? [] : [{ name: 'a coinbase', tx: coinbase, expected: 'coinbase' }]),
    ];
  },
};

const dust = (name: string, scriptPubKey: Uint8Array, threshold: bigint): Row[] => [
  [`dust: ${name}, ${threshold - 1n} sat`, 'dust', [EASY], [PAYMENT, paying(scriptPubKey, threshold - 1n)]],
  [`dust: ${name}, ${threshold} sat`, 'allowed', [EASY], [PAYMENT, paying(scriptPubKey, threshold)]],
];

const toScript = (name: string, expected: string, scriptPubKey: Uint8Array, flags?: readonly string[]): Row => [
  name,
  expected,
  [EASY],
  [PAYMENT, paying(scriptPubKey)],
  flags === undefined ? {} : { flags },
];

export const outputs: Group = {
  group: 'outputs',
  drafts: (world) =>
    rows(world, [
      ...dust('key', testKey(1).p2pk, 576n),
      ...dust('key hash', testKey(1).p2pkh, 546n),
      ...dust('script hash', p2shScript(TRUE), 540n),
      ...dust('bare 1-of-1', multisig(1), 582n),
      ...dust('witness key hash', program(Op.OP_0, 20), 294n),
      ...dust('witness script hash', program(Op.OP_0, 32), 330n),
      ...dust('taproot', program(Op.OP_1, 32), 330n),
      ...dust('the longest program', program(Op.OP_16, 40), 354n),
      ...dust('anchor', ANCHOR, 240n),
      ['OP_RETURN of nothing', 'allowed', [EASY], [PAYMENT, paying(DATA, 0n)]],
      toScript('OP_RETURN, 83 bytes', 'allowed', dataOf(80)),
      toScript('OP_RETURN, 84 bytes', 'scriptpubkey', dataOf(81)),
      toScript('OP_RETURN, 84 bytes where 84 may be', 'allowed', dataOf(81), ['-datacarriersize=84']),
      toScript('OP_RETURN where there may be none', 'scriptpubkey', DATA, ['-datacarrier=0']),
      toScript('OP_RETURN and what is no push', 'scriptpubkey', script(DATA, Op.OP_NOP)),
      ['two OP_RETURN', 'multi-op-return', [EASY], [PAYMENT, paying(DATA, 0n), paying(DATA, 0n)]],
      toScript('bare 1-of-3', 'allowed', multisig(3)),
      toScript('bare 1-of-4', 'scriptpubkey', multisig(4)),
      toScript('bare 1-of-1 where it is not wanted', 'bare-multisig', multisig(1), ['-permitbaremultisig=0']),
      toScript('OP_TRUE', 'scriptpubkey', TRUE),
      toScript('OP_TRUE where anything is taken', 'allowed', TRUE, ['-acceptnonstdtxn=1']),
      toScript('a program of version 0 and 31 bytes', 'scriptpubkey', program(Op.OP_0, 31)),
      toScript('a program of version 16 and 41 bytes', 'scriptpubkey', program(Op.OP_16, 41)),
    ]),
};

/** A true script with so many signature operations that never run. */
const sigOps = (count: number): Uint8Array =>
  script(Op.OP_0, Op.OP_IF, repeated(Op.OP_CHECKSIG, count), Op.OP_ENDIF, Op.OP_1);

export const inputs: Group = {
  group: 'inputs',
  drafts: (world) => {
    /** 20 signature operations each, four times what a witness pays for. */
    const bare = Array.from({ length: 200 }, () => paying(multisig(1), 1_000n));
    return rows(world, [
      ['scriptSig of 1650 bytes', 'allowed', [longScriptSig(1_650)]],
      ['scriptSig of 1651 bytes', 'scriptsig-size', [longScriptSig(1_651)]],
      ['scriptSig that is not all pushes', 'scriptsig-not-pushonly', [sh(TRUE, Uint8Array.of(Op.OP_NOP))]],
      ['OP_TRUE', INPUTS, [{ lock: TRUE }]],
      ['OP_TRUE where anything is taken', 'allowed', [{ lock: TRUE }], undefined, { flags: ['-acceptnonstdtxn=1'] }],
      ['P2SH with 15 signature operations', 'allowed', [sh(sigOps(15))]],
      ['P2SH with 16 signature operations', INPUTS, [sh(sigOps(16))]],
      ['an unknown program of version 1', INPUTS, [{ lock: program(Op.OP_1, 33) }]],
      ['an unknown program of version 2', INPUTS, [{ lock: program(Op.OP_2, 32) }]],
      ['an anchor', 'allowed', [{ lock: ANCHOR }], undefined, { core27: INPUTS }],
      ['an anchor with a witness', WITNESS, [{ lock: ANCHOR, witness: [TRUE] }], undefined, { core27: INPUTS }],
      ['signature operations of cost 16,000', 'allowed', [EASY], bare],
      ['signature operations of cost 16,001', 'bad-txns-too-many-sigops', [wsh(sigOps(1))], bare],
    ]);
  },
};

const tapscript = (leaf: Uint8Array, stack: readonly Uint8Array[], leafVersion?: number): Unlock => {
  const { scriptPubKey, witness } = tapscriptLock(leaf, leafVersion);
  return { lock: scriptPubKey, witness: [...stack, ...witness] };
};

function keyPath(world: World, annex: readonly Uint8Array[]): Transaction {
  const key = testKey(2);
  const coin = world.coin(taprootKeyLock(key));
  const unsigned = rawTx([{ coin }], [PAYMENT]);
  const [first] = annex;
  const signature = taprootSignature(unsigned, coin, key, first === undefined ? {} : { annex: first });
  return rawTx([{ coin, witness: [signature, ...annex] }], [PAYMENT]);
}

export const witnesses: Group = {
  group: 'witnesses',
  drafts: (world) => {
    const items = (count: number): Uint8Array[] => Array.from({ length: count }, () => bytes(0));
    const forms = [
      ['P2WSH', wsh],
      ['P2SH-P2WSH', shWsh],
    ] as const;
    return [
      ...rows(world, [
        ...forms.flatMap(([form, spend]): Row[] => [
          [`${form}: script of 3600 bytes`, 'allowed', [spend(trueScript(3_600))]],
          [`${form}: script of 3601 bytes`, WITNESS, [spend(trueScript(3_601))]],
          [`${form}: 100 items`, 'allowed', [spend(dropping(100), items(100))]],
          [`${form}: 101 items`, WITNESS, [spend(dropping(101), items(101))]],
          [`${form}: item of 80 bytes`, 'allowed', [spend(dropping(1), [bytes(80)])]],
          [`${form}: item of 81 bytes`, WITNESS, [spend(dropping(1), [bytes(81)])]],
        ]),
        ['tapscript: item of 80 bytes', 'allowed', [tapscript(dropping(1), [bytes(80)])]],
        ['tapscript: item of 81 bytes', WITNESS, [tapscript(dropping(1), [bytes(81)])]],
        ['tapscript: script of 3601 bytes', 'allowed', [tapscript(trueScript(3_601), [])]],
        ['a witness for a key hash', WITNESS, [{ lock: testKey(1).p2pkh, witness: [TRUE] }]],
        ['a witness for P2SH without a program', WITNESS, [{ ...sh(TRUE), witness: [TRUE] }]],
        [
          'a witness program that is not met',
          mandatory('Witness program hash mismatch'),
          [{ lock: p2wshScript(TRUE), witness: [dropping(1)] }],
        ],
        ['no witness', mandatory('Witness program was passed an empty witness'), [{ lock: p2wshScript(TRUE) }]],
      ]),
      { name: 'a key path', tx: keyPath(world, []), expected: 'allowed' },
      { name: 'a key path with an annex', tx: keyPath(world, [Uint8Array.of(0x50)]), expected: WITNESS },
    ];
  },
};

function mandatory(text: string): string {
  return `mandatory-script-verify-flag-failed (${text})`;
}

function optional(text: string): string {
  return `non-mandatory-script-verify-flag (${text})`;
}

/** Signed for another amount. */
function badlySigned(world: World): Transaction {
  const coin = world.coin(testKey(0).p2pkh);
  const { version, inputs: signed, lockTime } = buildTx([coin], [pay(1_000n)]);
  return Transaction.fromFields({ version, inputs: signed, lockTime, outputs: [PAYMENT] });
}

export const scripts: Group = {
  group: 'scripts',
  drafts: (world) => {
    const nop = sh(script(Op.OP_NOP10, TRUE));
    const never = sh(Uint8Array.of(Op.OP_0));
    const branch = script(Op.OP_IF, Op.OP_1, Op.OP_ELSE, Op.OP_1, Op.OP_ENDIF);
    const evalFalse = 'Script evaluated without error but finished with a false/empty top stack element';
    const locked = sh(script(pushData(Uint8Array.of(100)), Op.OP_CHECKLOCKTIMEVERIFY));
    const wrapped = { lock: p2shScript(program(Op.OP_2, 32)), scriptSig: pushData(program(Op.OP_2, 32)) };
    return [
      ...rows(world, [
        ['a reserved NOP', optional('NOPx reserved for soft-fork upgrades'), [nop]],
        ['false at the end', mandatory(evalFalse), [never]],
        ['more than one element', optional('Stack size must be exactly one after execution'), [sh(TRUE, TRUE)]],
        ['a long push', optional('Data push larger than necessary'), [sh(dropping(1), Uint8Array.of(1, 5))]],
        ['IF of 2', optional('OP_IF/NOTIF argument must be minimal'), [wsh(branch, [Uint8Array.of(2)])]],
        ['a program in P2SH', optional('Witness version reserved for soft-fork upgrades'), [wrapped]],
        ['a leaf version', optional('Taproot version reserved for soft-fork upgrades'), [tapscript(TRUE, [], 0xc2)]],
        ['OP_SUCCESS', optional('OP_SUCCESSx reserved for soft-fork upgrades'), [tapscript(Uint8Array.of(0x50), [])]],
        ['CHECKLOCKTIMEVERIFY that is not met', mandatory('Locktime requirement not satisfied'), [locked]],
        ['CHECKLOCKTIMEVERIFY that is met', 'allowed', [{ ...locked, sequence: 0 }], undefined, { lockTime: 100 }],
        [
          'the first input is what counts, if policy alone forbids it',
          optional('NOPx reserved for soft-fork upgrades'),
          [nop, never],
        ],
        ['the first input is what counts, if nothing allows it', mandatory(evalFalse), [never, nop]],
      ]),
      {
        name: 'a signature of something else',
        tx: badlySigned(world),
        expected: mandatory('Signature must be zero for failed CHECK(MULTI)SIG operation'),
      },
    ];
  },
};
