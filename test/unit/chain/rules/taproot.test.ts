/** Taproot and tapscript (BIP341, BIP342) in blocks: spends that connect, and such as differ by one thing and do not. */
import { describe, it } from 'node:test';
import { Op, pushData, pushNumber, type ScriptErrorCode } from '#script';
import { p2shScript, testKey } from '../../../support/keys.ts';
import { RuleChain, scriptFailure } from '../../../support/rule-chain.ts';
import { script } from '../../../support/script.ts';
import { declareSpends, type SpendCase } from '../../../support/spend-cases.ts';
import {
  type TaprootSigning,
  taprootKeyLock,
  taprootSignature,
  tapscriptLock,
  xOnly,
} from '../../../support/taproot.ts';
import { rawTx, type TestCoin } from '../../../support/tx-builder.ts';

const key = testKey(5);
const other = testKey(6);
const NOTHING = new Uint8Array();
const flip = (bytes: Uint8Array, at: number): Uint8Array => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));

type Sign = (by?: typeof key, signing?: TaprootSigning) => Uint8Array;

type Case = Omit<SpendCase, 'spend'> & {
  /** Gets a signer for the spend of the coin. */
  readonly witness: (sign: Sign) => readonly Uint8Array[];
  readonly scriptSig?: Uint8Array;
};

function declare(cases: readonly Case[]): void {
  declareSpends(
    cases.map(({ witness, scriptSig = NOTHING, ...rest }) => ({
      ...rest,
      spend: (coin) => {
        const unsigned = rawTx([{ coin, scriptSig }]);
        const sign: Sign = (by = key, signing = {}) => taprootSignature(unsigned, coin, by, signing);
        return rawTx([{ coin, scriptSig, witness: witness(sign) }]);
      },
    })),
  );
}

const KEY_LOCK = taprootKeyLock(key);
const ANNEX = script(0x50, 1, 2, 3);

describe('the key path', () => {
  declare([
    { name: 'a signature', lock: KEY_LOCK, witness: (sign) => [sign()] },
    { name: 'of another key', lock: KEY_LOCK, witness: (sign) => [sign(other)], error: 'SCHNORR_SIG' },
    { name: 'with a hash type', lock: KEY_LOCK, witness: (sign) => [sign(key, { hashType: 1 })] },
    { name: '63 bytes', lock: KEY_LOCK, witness: (sign) => [sign().subarray(1)], error: 'SCHNORR_SIG_SIZE' },
    { name: 'nothing', lock: KEY_LOCK, witness: () => [NOTHING], error: 'SCHNORR_SIG_SIZE' },
    {
      name: 'hash type 0 spelled out',
      lock: KEY_LOCK,
      witness: (sign) => [script(sign(), 0)],
      error: 'SCHNORR_SIG_HASHTYPE',
    },
    {
      name: 'an unknown hash type',
      lock: KEY_LOCK,
      witness: (sign) => [script(sign(), 4)],
      error: 'SCHNORR_SIG_HASHTYPE',
    },
    { name: 'an annex', lock: KEY_LOCK, witness: (sign) => [sign(key, { annex: ANNEX }), ANNEX] },
    {
      name: 'an annex that is not signed',
      lock: KEY_LOCK,
      witness: (sign) => [sign(), ANNEX],
      error: 'SCHNORR_SIG',
    },
    { name: 'no witness', lock: KEY_LOCK, witness: () => [], error: 'WITNESS_PROGRAM_WITNESS_EMPTY' },
    {
      name: 'an unlocking script',
      lock: KEY_LOCK,
      scriptSig: pushData(Uint8Array.of(1)),
      witness: (sign) => [sign()],
      error: 'WITNESS_MALLEATED',
    },
    {
      name: 'inside P2SH it means nothing',
      lock: p2shScript(KEY_LOCK),
      scriptSig: pushData(KEY_LOCK),
      witness: () => [Uint8Array.of(7)],
    },
    {
      name: 'a program of 33 bytes means nothing',
      lock: script(Op.OP_1, pushData(new Uint8Array(33).fill(1))),
      witness: () => [],
    },
  ]);
});

/** A lock by one script, and the witness that ends with it. */
function leaf(leafScript: Uint8Array, leafVersion?: number) {
  const lock = tapscriptLock(leafScript, leafVersion);
  const [, control] = lock.witness;
  return { lock: lock.scriptPubKey, end: lock.witness, control, leafScript };
}

const ONE_KEY = leaf(script(pushData(xOnly(key)), Op.OP_CHECKSIG));
const byScript =
  (from: { readonly leafScript: Uint8Array }, by = key) =>
  (sign: Sign) =>
    sign(by, { script: from.leafScript });

describe('the script path', () => {
  declare([
    {
      name: 'a script and its signature',
      lock: ONE_KEY.lock,
      witness: (sign) => [byScript(ONE_KEY)(sign), ...ONE_KEY.end],
    },
    {
      name: 'of another key',
      lock: ONE_KEY.lock,
      witness: (sign) => [byScript(ONE_KEY, other)(sign), ...ONE_KEY.end],
      error: 'SCHNORR_SIG',
    },
    {
      name: 'an empty signature is a failed check, no error',
      lock: ONE_KEY.lock,
      witness: () => [NOTHING, ...ONE_KEY.end],
      error: 'EVAL_FALSE',
    },
    {
      name: 'another script',
      lock: ONE_KEY.lock,
      witness: () => [Uint8Array.of(Op.OP_1), ONE_KEY.control],
      error: 'WITNESS_PROGRAM_MISMATCH',
    },
    {
      name: 'the other parity',
      lock: ONE_KEY.lock,
      witness: (sign) => [byScript(ONE_KEY)(sign), ONE_KEY.leafScript, flip(ONE_KEY.control, 0)],
      error: 'WITNESS_PROGRAM_MISMATCH',
    },
    {
      name: '32 bytes',
      lock: ONE_KEY.lock,
      witness: () => [ONE_KEY.leafScript, ONE_KEY.control.subarray(0, 32)],
      error: 'TAPROOT_WRONG_CONTROL_SIZE',
    },
    {
      name: 'a path cut short',
      lock: ONE_KEY.lock,
      witness: () => [ONE_KEY.leafScript, script(ONE_KEY.control, new Uint8Array(31))],
      error: 'TAPROOT_WRONG_CONTROL_SIZE',
    },
    {
      name: 'an annex',
      lock: ONE_KEY.lock,
      witness: (sign) => [sign(key, { script: ONE_KEY.leafScript, annex: ANNEX }), ...ONE_KEY.end, ANNEX],
    },
    {
      name: 'an annex that is not signed',
      lock: ONE_KEY.lock,
      witness: (sign) => [byScript(ONE_KEY)(sign), ...ONE_KEY.end, ANNEX],
      error: 'SCHNORR_SIG',
    },
    {
      name: 'an element too many',
      lock: ONE_KEY.lock,
      witness: (sign) => [Uint8Array.of(1), byScript(ONE_KEY)(sign), ...ONE_KEY.end],
      error: 'CLEANSTACK',
    },
  ]);
});

const TRUE = Uint8Array.of(1);
const TWO_OF_TWO = leaf(
  script(pushData(xOnly(key)), Op.OP_CHECKSIG, pushData(xOnly(other)), Op.OP_CHECKSIGADD, Op.OP_2, Op.OP_NUMEQUAL),
);
const BRANCH = leaf(script(Op.OP_IF, Op.OP_1, Op.OP_ELSE, Op.OP_0, Op.OP_ENDIF));
const UNKNOWN_KEY = leaf(script(pushData(new Uint8Array(33).fill(2)), Op.OP_CHECKSIG));
const EMPTY_KEY = leaf(script(Op.OP_0, Op.OP_CHECKSIG));
const OLD_MULTISIG = leaf(script(Op.OP_0, Op.OP_0, Op.OP_0, Op.OP_CHECKMULTISIG));

describe('tapscript’s operations', () => {
  declare([
    {
      name: 'CHECKSIGADD, both sign',
      lock: TWO_OF_TWO.lock,
      witness: (sign) => [byScript(TWO_OF_TWO, other)(sign), byScript(TWO_OF_TWO)(sign), ...TWO_OF_TWO.end],
    },
    {
      name: 'CHECKSIGADD, one signs',
      lock: TWO_OF_TWO.lock,
      witness: (sign) => [NOTHING, byScript(TWO_OF_TWO)(sign), ...TWO_OF_TWO.end],
      error: 'EVAL_FALSE',
    },
    {
      name: 'CHECKSIGADD, in the wrong order',
      lock: TWO_OF_TWO.lock,
      witness: (sign) => [byScript(TWO_OF_TWO)(sign), byScript(TWO_OF_TWO, other)(sign), ...TWO_OF_TWO.end],
      error: 'SCHNORR_SIG',
    },
    {
      name: 'CHECKMULTISIG',
      lock: OLD_MULTISIG.lock,
      witness: () => OLD_MULTISIG.end,
      error: 'TAPSCRIPT_CHECKMULTISIG',
    },
    { name: 'OP_IF with 1', lock: BRANCH.lock, witness: () => [TRUE, ...BRANCH.end] },
    {
      name: 'OP_IF with 2',
      lock: BRANCH.lock,
      witness: () => [Uint8Array.of(2), ...BRANCH.end],
      error: 'TAPSCRIPT_MINIMALIF',
    },
    {
      name: 'OP_IF with a zero byte',
      lock: BRANCH.lock,
      witness: () => [Uint8Array.of(0), ...BRANCH.end],
      error: 'TAPSCRIPT_MINIMALIF',
    },
    {
      name: 'a key of an unknown type and any signature',
      lock: UNKNOWN_KEY.lock,
      witness: () => [TRUE, ...UNKNOWN_KEY.end],
    },
    { name: 'an empty key', lock: EMPTY_KEY.lock, witness: () => [TRUE, ...EMPTY_KEY.end], error: 'PUBKEYTYPE' },
  ]);
});

const valid = (name: string, from: ReturnType<typeof leaf>): Case => ({
  name,
  lock: from.lock,
  witness: () => from.end,
});
const failing = (name: string, from: ReturnType<typeof leaf>, error: ScriptErrorCode): Case => ({
  ...valid(name, from),
  error,
});

describe('what may get a meaning later', () => {
  const cutShort = script(Op.OP_PUSHDATA1, 200, 1);
  declare([
    ...[80, 98, 126, 137, 141, 149, 187, 254].map((opcode) =>
      valid(`OP_SUCCESS${opcode} in front of what would fail`, leaf(script(opcode, Op.OP_RETURN, cutShort))),
    ),
    valid('OP_SUCCESS in a branch that does not run', leaf(script(Op.OP_0, Op.OP_IF, 254, Op.OP_ENDIF))),
    failing('a push cut short before OP_SUCCESS', leaf(script(cutShort, 254)), 'BAD_OPCODE'),
    failing('255 is none', leaf(script(Op.OP_INVALIDOPCODE)), 'BAD_OPCODE'),
    valid('a leaf version unknown yet', leaf(Uint8Array.of(Op.OP_RETURN), 0xc2)),
    failing('the known one', leaf(Uint8Array.of(Op.OP_RETURN)), 'OP_RETURN'),
    ...[2, 3, 16].map((version) => ({
      name: `witness version ${version}`,
      lock: script(pushNumber(version), pushData(new Uint8Array(32).fill(1))),
      witness: () => [NOTHING, TRUE],
    })),
  ]);
});

/** Checks the one signature `checks` times; padding makes the witness so many bytes larger. */
function manyChecks(checks: number, padding: number) {
  const pairs = new Uint8Array((checks - 1) * 2).map((_, i) => (i % 2 === 0 ? Op.OP_2DUP : Op.OP_CHECKSIGVERIFY));
  return leaf(script(pairs, Op.OP_CHECKSIG, new Uint8Array(padding).fill(Op.OP_NOP)));
}

describe('the budget of signature checks: 50 for each, and the bytes of the witness', () => {
  // Bytes: count 1, signature 65, key 33, control block 34, script 1 + 7 + padding; 50 are free.
  const spend = (padding: number): Omit<Case, 'name'> => {
    const from = manyChecks(4, padding);
    return { lock: from.lock, witness: (sign) => [byScript(from)(sign), xOnly(key), ...from.end] };
  };
  declare([
    { name: 'four checks in 200', ...spend(9) },
    { name: 'four checks in 199', ...spend(8), error: 'TAPSCRIPT_VALIDATION_WEIGHT' },
  ]);

  it('counts the whole witness, an annex too', async () => {
    const rules = await RuleChain.open();
    const from = manyChecks(4, 0);
    const spends = (coin: TestCoin, bytes: number) => {
      const annex = new Uint8Array(bytes).fill(0x50);
      const signature = taprootSignature(rawTx([{ coin }]), coin, key, { script: from.leafScript, annex });
      return { transactions: [rawTx([{ coin, witness: [signature, xOnly(key), ...from.end, annex] }])] };
    };
    const coin = await rules.fundOne(from.lock);
    await rules.reject(scriptFailure('TAPSCRIPT_VALIDATION_WEIGHT'), spends(coin, 7));
    await rules.accept(spends(coin, 8));
  });
});
