/** Opcodes that only move elements: constants, stack, sizes, equality, hashes. */
import { hash160, hash256, ripemd160, sha1, sha256 } from '#crypto';
import { equalBytes } from '#util';
import {
  bool,
  drop,
  type Execution,
  type Handler,
  type HandlerTable,
  peek,
  peekNumber,
  plain,
  verifyTop,
} from './execution.ts';
import { Op } from './opcodes.ts';
import type { ScriptErrorCode } from './script-error.ts';
import { castToBool, encodeScriptNum } from './script-num.ts';

const toAltStack: Handler = ({ stack, altStack }) => {
  const top = stack.pop();
  if (top === undefined) return 'INVALID_STACK_OPERATION';
  altStack.push(top);
  return undefined;
};

const fromAltStack: Handler = ({ stack, altStack }) => {
  const top = altStack.pop();
  if (top === undefined) return 'INVALID_ALTSTACK_OPERATION';
  stack.push(top);
  return undefined;
};

/** (xn ... x1 x0 n -- xn ... x1 x0 xn); OP_ROLL takes the original away. */
function pickOrRoll(x: Execution, opcode: number): ScriptErrorCode | undefined {
  const { stack } = x;
  if (stack.length < 2) return 'INVALID_STACK_OPERATION';
  const n = peekNumber(x, 1);
  if (n === undefined) return 'UNKNOWN_ERROR';
  drop(stack, 1);
  if (n < 0 || n >= stack.length) return 'INVALID_STACK_OPERATION';
  const chosen = peek(stack, n + 1);
  if (opcode === Op.OP_ROLL) stack.splice(stack.length - n - 1, 1);
  stack.push(chosen);
  return undefined;
}

const equal = plain(2, (stack) => {
  const same = equalBytes(peek(stack, 1), peek(stack, 2));
  drop(stack, 2);
  stack.push(bool(same));
});

function hashing(hash: (data: Uint8Array) => Uint8Array): Handler {
  return plain(1, (stack) => {
    const digest = hash(peek(stack, 1));
    drop(stack, 1);
    stack.push(digest);
  });
}

function constants(): Record<number, Handler> {
  const handlers: Record<number, Handler> = {};
  for (let opcode: number = Op.OP_1NEGATE; opcode <= Op.OP_16; opcode++) {
    if (opcode === Op.OP_RESERVED) continue;
    const value = encodeScriptNum(opcode - (Op.OP_1 - 1));
    handlers[opcode] = plain(0, (stack) => stack.push(value));
  }
  return handlers;
}

export const STACK_OPS: HandlerTable = {
  ...constants(),
  [Op.OP_TOALTSTACK]: toAltStack,
  [Op.OP_FROMALTSTACK]: fromAltStack,
  [Op.OP_2DROP]: plain(2, (stack) => drop(stack, 2)),
  [Op.OP_2DUP]: plain(2, (stack) => stack.push(peek(stack, 2), peek(stack, 1))),
  [Op.OP_3DUP]: plain(3, (stack) => stack.push(peek(stack, 3), peek(stack, 2), peek(stack, 1))),
  [Op.OP_2OVER]: plain(4, (stack) => stack.push(peek(stack, 4), peek(stack, 3))),
  [Op.OP_2ROT]: plain(6, (stack) => stack.push(...stack.splice(-6, 2))),
  [Op.OP_2SWAP]: plain(4, (stack) => stack.push(...stack.splice(-4, 2))),
  [Op.OP_IFDUP]: plain(1, (stack) => castToBool(peek(stack, 1)) && stack.push(peek(stack, 1))),
  [Op.OP_DEPTH]: plain(0, (stack) => stack.push(encodeScriptNum(stack.length))),
  [Op.OP_DROP]: plain(1, (stack) => drop(stack, 1)),
  [Op.OP_DUP]: plain(1, (stack) => stack.push(peek(stack, 1))),
  [Op.OP_NIP]: plain(2, (stack) => stack.splice(-2, 1)),
  [Op.OP_OVER]: plain(2, (stack) => stack.push(peek(stack, 2))),
  [Op.OP_PICK]: pickOrRoll,
  [Op.OP_ROLL]: pickOrRoll,
  [Op.OP_ROT]: plain(3, (stack) => stack.push(...stack.splice(-3, 1))),
  [Op.OP_SWAP]: plain(2, (stack) => stack.push(...stack.splice(-2, 1))),
  [Op.OP_TUCK]: plain(2, (stack) => stack.splice(-2, 0, peek(stack, 1))),
  [Op.OP_SIZE]: plain(1, (stack) => stack.push(encodeScriptNum(peek(stack, 1).length))),
  [Op.OP_EQUAL]: equal,
  [Op.OP_EQUALVERIFY]: (x, opcode) => equal(x, opcode) ?? verifyTop(x, 'EQUALVERIFY'),
  [Op.OP_RIPEMD160]: hashing(ripemd160),
  [Op.OP_SHA1]: hashing(sha1),
  [Op.OP_SHA256]: hashing(sha256),
  [Op.OP_HASH160]: hashing(hash160),
  [Op.OP_HASH256]: hashing(hash256),
};
