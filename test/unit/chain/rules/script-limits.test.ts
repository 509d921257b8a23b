/** The limits of the script language, in blocks: at each limit a spend that connects, behind it one that does not. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sha256 } from '#crypto';
import { Op, pushData, pushNumber, type ScriptErrorCode } from '#script';
import { ANYONE_CAN_SPEND } from '../../../support/keys.ts';
import { RuleChain } from '../../../support/rule-chain.ts';
import { repeated, script } from '../../../support/script.ts';
import { declareSpends } from '../../../support/spend-cases.ts';
import { tapscriptLock } from '../../../support/taproot.ts';
import { type RawSpend, rawTx } from '../../../support/tx-builder.ts';

const MAX_SCRIPT_BYTES = 10_000;
const MAX_OPS = 201;
const MAX_STACK = 1000;
const MAX_ELEMENT_BYTES = 520;
const MAX_KEYS = 20;

type Spending = { readonly lock: Uint8Array; readonly unlock?: Omit<RawSpend, 'coin'> };

/** A script of so many bytes that leaves one true element: pushes that are dropped again, and OP_1. */
function scriptOfSize(bytes: number): Uint8Array {
  const block = script(pushData(new Uint8Array(MAX_ELEMENT_BYTES)), Op.OP_DROP);
  const blocks = Math.floor((bytes - 1) / block.length);
  const rest = bytes - 1 - blocks * block.length;
  return script(...Array.from({ length: blocks }, () => block), repeated(Op.OP_NOP, rest), Op.OP_1);
}

const p2wsh = (witnessScript: Uint8Array, ...stack: readonly Uint8Array[]): Spending => ({
  lock: script(Op.OP_0, pushData(sha256(witnessScript))),
  unlock: { witness: [...stack, witnessScript] },
});
const tapscript = (leaf: Uint8Array, ...stack: readonly Uint8Array[]): Spending => {
  const { scriptPubKey, witness } = tapscriptLock(leaf);
  return { lock: scriptPubKey, unlock: { witness: [...stack, ...witness] } };
};
const bare = (lock: Uint8Array): Spending => ({ lock });

const items = (count: number): Uint8Array[] => Array.from({ length: count }, () => Uint8Array.of(1));
/** Drops `count` elements. */
const drops = (count: number): Uint8Array => repeated(Op.OP_DROP, count);
const noKeys = (keys: number): Uint8Array =>
  script(Op.OP_0, Op.OP_0, repeated(Op.OP_0, keys), pushNumber(keys), Op.OP_CHECKMULTISIG);

type Limit = readonly [name: string, limit: number, spendingOf: (size: number) => Spending, error: ScriptErrorCode];

const LIMITS: readonly Limit[] = [
  [
    'bytes of an unlocking script',
    MAX_SCRIPT_BYTES,
    (size) => ({ lock: ANYONE_CAN_SPEND, unlock: { scriptSig: scriptOfSize(size) } }),
    'SCRIPT_SIZE',
  ],
  ['bytes of a witness script', MAX_SCRIPT_BYTES, (size) => p2wsh(scriptOfSize(size)), 'SCRIPT_SIZE'],
  ['operations', MAX_OPS, (size) => bare(script(repeated(Op.OP_NOP, size), Op.OP_1)), 'OP_COUNT'],
  [
    'operations that do not run',
    MAX_OPS,
    (size) => bare(script(Op.OP_0, Op.OP_IF, repeated(Op.OP_NOP, size - 2), Op.OP_ENDIF, Op.OP_1)),
    'OP_COUNT',
  ],
  ['operations in a witness script', MAX_OPS, (size) => p2wsh(script(repeated(Op.OP_NOP, size), Op.OP_1)), 'OP_COUNT'],
  [
    'operations and keys',
    MAX_OPS,
    (size) => bare(script(noKeys(MAX_KEYS), Op.OP_DROP, repeated(Op.OP_NOP, size - MAX_KEYS - 2), Op.OP_1)),
    'OP_COUNT',
  ],
  ['elements on the stack', MAX_STACK, (size) => bare(repeated(Op.OP_1, size)), 'STACK_SIZE'],
  [
    'elements on both stacks',
    MAX_STACK,
    (size) => bare(script(Op.OP_1, Op.OP_TOALTSTACK, repeated(Op.OP_1, size - 1))),
    'STACK_SIZE',
  ],
  [
    'elements when a tapscript starts',
    MAX_STACK,
    (size) => tapscript(script(drops(size - 1)), ...items(size)),
    'STACK_SIZE',
  ],
  [
    'bytes of an element',
    MAX_ELEMENT_BYTES,
    (size) => bare(script(pushData(new Uint8Array(size)), Op.OP_1)),
    'PUSH_SIZE',
  ],
  [
    'bytes of an element that is not pushed',
    MAX_ELEMENT_BYTES,
    (size) => bare(script(Op.OP_0, Op.OP_IF, pushData(new Uint8Array(size)), Op.OP_ENDIF, Op.OP_1)),
    'PUSH_SIZE',
  ],
  [
    'bytes of an element in a witness',
    MAX_ELEMENT_BYTES,
    (size) => p2wsh(script(Op.OP_DROP, Op.OP_1), new Uint8Array(size)),
    'PUSH_SIZE',
  ],
  [
    'bytes of an element in a taproot witness',
    MAX_ELEMENT_BYTES,
    (size) => tapscript(script(Op.OP_DROP, Op.OP_1), new Uint8Array(size)),
    'PUSH_SIZE',
  ],
  ['keys', MAX_KEYS, (size) => bare(noKeys(size)), 'PUBKEY_COUNT'],
  [
    'signatures against two keys',
    2,
    (size) =>
      bare(
        script(
          Op.OP_0,
          repeated(Op.OP_0, size),
          pushNumber(size),
          Op.OP_0,
          Op.OP_0,
          Op.OP_2,
          Op.OP_CHECKMULTISIG,
          Op.OP_NOT,
        ),
      ),
    'SIG_COUNT',
  ],
  ['bytes of a number', 4, (size) => bare(script(pushData(repeated(1, size)), Op.OP_1ADD)), 'UNKNOWN_ERROR'],
];

describe('at the limit and behind it', () => {
  declareSpends(
    LIMITS.flatMap(([name, limit, spendingOf, error]) =>
      [undefined, error].map((expected) => {
        const size = expected === undefined ? limit : limit + 1;
        const { lock, unlock } = spendingOf(size);
        return { name: `${size} ${name}`, lock, spend: (coin) => rawTx([{ coin, ...unlock }]), error: expected };
      }),
    ),
  );
});

test('a locking script of more than 10,000 bytes never becomes a coin', async () => {
  const rules = await RuleChain.open();
  const [within, beyond] = await rules.fund([scriptOfSize(MAX_SCRIPT_BYTES), scriptOfSize(MAX_SCRIPT_BYTES + 1)]);
  assert(within !== undefined && beyond !== undefined);
  await rules.reject('bad-txns-inputs-missingorspent', { transactions: [rawTx([{ coin: beyond }])] });
  await rules.accept({ transactions: [rawTx([{ coin: within }])] });
});

test('a tapscript may be longer, and have more operations', async () => {
  const rules = await RuleChain.open();
  const long = tapscript(script(repeated(Op.OP_NOP, MAX_SCRIPT_BYTES + 1), Op.OP_1));
  const coin = await rules.fundOne(long.lock);
  await rules.accept({ transactions: [rawTx([{ coin, ...long.unlock }])] });
});

/** Opcodes in a branch that does not run. */
const NOT_RUN: readonly [name: string, opcode: number, error: ScriptErrorCode | undefined][] = [
  ['OP_CAT', Op.OP_CAT, 'DISABLED_OPCODE'],
  ['OP_MUL', Op.OP_MUL, 'DISABLED_OPCODE'],
  ['OP_VERIF', Op.OP_VERIF, 'BAD_OPCODE'],
  ['OP_VER', Op.OP_VER, undefined],
  ['OP_RESERVED', Op.OP_RESERVED, undefined],
  ['OP_RETURN', Op.OP_RETURN, undefined],
  ['OP_CHECKSIGADD', Op.OP_CHECKSIGADD, undefined],
  ['0xff', Op.OP_INVALIDOPCODE, undefined],
];

describe('opcodes that fail although they do not run, and those that need not', () => {
  declareSpends(
    NOT_RUN.map(([name, opcode, error]) => {
      const lock = script(Op.OP_0, Op.OP_IF, opcode, Op.OP_ENDIF, Op.OP_1);
      return { name, lock, spend: (coin) => rawTx([{ coin }]), error };
    }),
  );
});
