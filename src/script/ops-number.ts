/** Arithmetic. Operands have at most 4 bytes; results may have 5, and then serve only as data. */
import { drop, type Handler, type HandlerTable, peekNumber, verifyTop } from './execution.ts';
import { Op } from './opcodes.ts';
import { encodeScriptNum } from './script-num.ts';

function unary(compute: (a: number) => number): Handler {
  return (x) => {
    if (x.stack.length < 1) return 'INVALID_STACK_OPERATION';
    const a = peekNumber(x, 1);
    if (a === undefined) return 'UNKNOWN_ERROR';
    drop(x.stack, 1);
    x.stack.push(encodeScriptNum(compute(a)));
    return undefined;
  };
}

/** (a b -- result); true is 1, false 0. */
function binary(compute: (a: number, b: number) => number | boolean): Handler {
  return (x) => {
    if (x.stack.length < 2) return 'INVALID_STACK_OPERATION';
    const a = peekNumber(x, 2);
    const b = peekNumber(x, 1);
    if (a === undefined || b === undefined) return 'UNKNOWN_ERROR';
    drop(x.stack, 2);
    x.stack.push(encodeScriptNum(Number(compute(a, b))));
    return undefined;
  };
}

const numEqual = binary((a, b) => a === b);

/** (x min max -- whether min <= x < max). */
const within: Handler = (x) => {
  if (x.stack.length < 3) return 'INVALID_STACK_OPERATION';
  const value = peekNumber(x, 3);
  const min = peekNumber(x, 2);
  const max = peekNumber(x, 1);
  if (value === undefined || min === undefined || max === undefined) return 'UNKNOWN_ERROR';
  drop(x.stack, 3);
  x.stack.push(encodeScriptNum(Number(min <= value && value < max)));
  return undefined;
};

export const NUMBER_OPS: HandlerTable = {
  [Op.OP_1ADD]: unary((a) => a + 1),
  [Op.OP_1SUB]: unary((a) => a - 1),
  [Op.OP_NEGATE]: unary((a) => -a),
  [Op.OP_ABS]: unary(Math.abs),
  [Op.OP_NOT]: unary((a) => (a === 0 ? 1 : 0)),
  [Op.OP_0NOTEQUAL]: unary((a) => (a === 0 ? 0 : 1)),
  [Op.OP_ADD]: binary((a, b) => a + b),
  [Op.OP_SUB]: binary((a, b) => a - b),
  [Op.OP_BOOLAND]: binary((a, b) => a !== 0 && b !== 0),
  [Op.OP_BOOLOR]: binary((a, b) => a !== 0 || b !== 0),
  [Op.OP_NUMEQUAL]: numEqual,
  [Op.OP_NUMEQUALVERIFY]: (x, opcode) => numEqual(x, opcode) ?? verifyTop(x, 'NUMEQUALVERIFY'),
  [Op.OP_NUMNOTEQUAL]: binary((a, b) => a !== b),
  [Op.OP_LESSTHAN]: binary((a, b) => a < b),
  [Op.OP_GREATERTHAN]: binary((a, b) => a > b),
  [Op.OP_LESSTHANOREQUAL]: binary((a, b) => a <= b),
  [Op.OP_GREATERTHANOREQUAL]: binary((a, b) => a >= b),
  [Op.OP_MIN]: binary(Math.min),
  [Op.OP_MAX]: binary(Math.max),
  [Op.OP_WITHIN]: within,
};
