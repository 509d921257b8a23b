/**
 * The small changes that a test should notice. Each operator looks at one token and says what could stand in its
 * place, or in the place of what belongs to it.
 */
import type { Code } from './code.ts';

/** `text` in place of the tokens `first` up to, without, `end`. */
export type Edit = { readonly first: number; readonly end: number; readonly text: string };

type Operator = (code: Code, at: number) => readonly Edit[];

const instead = (at: number, texts: readonly string[]): Edit[] =>
  texts.map((text) => ({ first: at, end: at + 1, text }));

/** Signs with two operands. */
const SWAPS: Readonly<Record<string, readonly string[]>> = {
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '===': ['!=='],
  '!==': ['==='],
  '&&': ['||'],
  '||': ['&&'],
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
  '%': ['*'],
  '**': ['*'],
  '&': ['|'],
  '|': ['&'],
  '^': ['&'],
  '<<': ['>>'],
  '>>': ['<<'],
  '>>>': ['>>', '<<'],
  '+=': ['-='],
  '-=': ['+='],
  '|=': ['&='],
  '/=': ['*='],
  '>>>=': ['<<='],
};

const swapSign: Operator = (code, at) => {
  const swaps = SWAPS[code.text(at)];
  return swaps !== undefined && code.endsOperand(at - 1) ? instead(at, swaps) : [];
};

/** `!x`, `-x` and `~x` become `x`. */
const dropPrefix: Operator = (code, at) =>
  ['!', '-', '~'].includes(code.text(at)) && !code.endsOperand(at - 1) ? instead(at, ['']) : [];

/** Counting the other way; not in the head of a `for`, where that is only an endless loop. */
const swapCount: Operator = (code, at) => {
  const text = code.text(at);
  if (text !== '++' && text !== '--') return [];
  const inForHead = code.text(code.enclosing(at) - 1) === 'for';
  return inForHead ? [] : instead(at, [text === '++' ? '--' : '++']);
};

/** One more and one less. */
const changeNumber: Operator = (code, at) => {
  const { kind, text } = code.at(at);
  if (kind !== 'number') return [];
  const digits = text.replace(/n$/, '').replaceAll('_', '');
  const suffix = text.endsWith('n') ? 'n' : '';
  const write = (value: bigint): string => {
    const hex = digits.startsWith('0x') && value >= 0n;
    // In brackets, or `-0` would become `--1`.
    return value < 0n ? `(-1${suffix})` : `${hex ? `0x${value.toString(16)}` : value}${suffix}`;
  };
  return digits.includes('.') ? [] : instead(at, [write(BigInt(digits) + 1n), write(BigInt(digits) - 1n)]);
};

const CALLS: Readonly<Record<string, string>> = {
  min: 'max',
  max: 'min',
  floor: 'ceil',
  ceil: 'floor',
  trunc: 'ceil',
  every: 'some',
  some: 'every',
  findLastIndex: 'findIndex',
};

/** A function of the language that does nearly the same. */
const swapCall: Operator = (code, at) => {
  const other = CALLS[code.text(at)];
  return other !== undefined && code.text(at - 1) === '.' ? instead(at, [other]) : [];
};

const swapBoolean: Operator = (code, at) => {
  const text = code.text(at);
  return text === 'true' || text === 'false' ? instead(at, [text === 'true' ? 'false' : 'true']) : [];
};

/** Reject reasons, error codes and kinds of failure; other texts are for people. */
const CODE = /^'(?:[A-Z][A-Z0-9_]+|[a-z0-9]+(?:-[a-z0-9]+)+|consensus|mutated|checkpoint)'$/;

const changeVerdict: Operator = (code, at) => (CODE.test(code.at(at).text) ? instead(at, [`'mutant'`]) : []);

/** `if` always and never, `while` never. */
const fixCondition: Operator = (code, at) => {
  const word = code.text(at);
  if ((word !== 'if' && word !== 'while') || code.text(at + 1) !== '(') return [];
  const span = { first: at + 2, end: code.partner(at + 1) };
  return (word === 'if' ? ['true', 'false'] : ['false']).map((text) => ({ ...span, text }));
};

/** `c ? a : b` always and never. */
const fixChoice: Operator = (code, at) => {
  if (code.text(at) !== '?') return [];
  const span = { first: code.operandStart(at, 'condition'), end: at };
  return ['true', 'false'].map((text) => ({ ...span, text: `${text} ` }));
};

/** A term of a condition left out: the right one, and of the first pair also the left one. */
const dropTerm: Operator = (code, at) => {
  const sign = code.text(at);
  if (sign !== '&&' && sign !== '||') return [];
  return dropOperands(code, at, sign);
};

/** A step of a chain of rules `a() ?? b()` left out. Defaults that are no calls are left alone. */
const dropStep: Operator = (code, at) => {
  if (code.text(at) !== '??') return [];
  const calls = (first: number, end: number): boolean => code.tokens.slice(first, end).some(({ text }) => text === '(');
  if (!calls(at + 1, code.operandEnd(at, '??')) || !calls(code.operandStart(at, '??'), at)) return [];
  return dropOperands(code, at, '??');
};

function dropOperands(code: Code, at: number, sign: '&&' | '||' | '??'): Edit[] {
  const right = { first: at, end: code.operandEnd(at, sign), text: '' };
  const start = code.operandStart(at, sign);
  return code.text(start - 1) === sign ? [right] : [right, { first: start, end: at + 1, text: '' }];
}

const ASSIGNS = new Set(['=', '+=', '-=', '|=', '&=', '??=', '>>>=', '++', '--']);
const NO_STATEMENT = new Set(
  'import export const let function class if else for while do return throw try break continue'.split(' '),
);

/** A statement that calls or assigns left out. */
const dropStatement: Operator = (code, at) => {
  if (code.at(at).kind !== 'name' || NO_STATEMENT.has(code.text(at)) || !startsStatement(code, at)) return [];
  let end = at;
  let acts = false;
  for (; end < code.tokens.length && code.text(end) !== ';'; end++) {
    const text = code.text(end);
    // A member of an object or a class.
    if (text === '}' || text === '{' || text === ',' || text === ':') return [];
    if (text === '(' || ASSIGNS.has(text)) acts = true;
    if (text === '(' || text === '[') end = code.partner(end);
  }
  return acts ? [{ first: at, end, text: '' }] : [];
};

function startsStatement(code: Code, at: number): boolean {
  const before = code.text(at - 1);
  if (before === ')') return ['if', 'for', 'while'].includes(code.text(code.partner(at - 1) - 1));
  return [';', '{', '}', 'else'].includes(before) && !code.inClassBody(at);
}

/** An element of an array, or a row with a computed key of a table, left out. */
const dropEntry: Operator = (code, at) => {
  const before = code.text(at - 1);
  const open = code.enclosing(at);
  if (at - 1 !== open && before !== ',') return [];
  const isArray = code.text(open) === '[' && ['=', '(', ':', '?', 'of', 'return'].includes(code.text(open - 1));
  const isRow = code.text(open) === '{' && code.text(at) === '[' && code.text(code.partner(at) + 1) === ':';
  if (!isArray && !isRow) return [];
  let end = at;
  for (; end < code.partner(open) && code.text(end) !== ','; end++) {
    if (code.partner(end) > end) end = code.partner(end);
  }
  return end === at ? [] : [{ first: at, end: code.text(end) === ',' ? end + 1 : end, text: '' }];
};

export const OPERATORS: readonly Operator[] = [
  swapSign,
  dropPrefix,
  swapCount,
  changeNumber,
  swapCall,
  swapBoolean,
  changeVerdict,
  fixCondition,
  fixChoice,
  dropTerm,
  dropStep,
  dropStatement,
  dropEntry,
];
