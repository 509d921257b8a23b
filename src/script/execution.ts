/**
 * The state of one running script, and the small steps that opcode handlers share.
 * Stack elements are never changed in place: they may be views of the script, or shared constants.
 */
import { assert } from '#util';
import { ScriptFlag } from './flags.ts';
import { ScriptReader } from './parse.ts';
import type { ScriptErrorCode } from './script-error.ts';
import { castToBool, decodeScriptNum } from './script-num.ts';
import type { ScriptSigVersion, TaprootContext } from './sig-version.ts';
import type { SignatureChecker } from './signature-checker.ts';

export type Execution = {
  readonly script: Uint8Array;
  readonly reader: ScriptReader;
  readonly stack: Uint8Array[];
  readonly altStack: Uint8Array[];
  readonly flags: number;
  readonly version: ScriptSigVersion;
  readonly checker: SignatureChecker;
  /** Present in tapscript only. */
  readonly taproot: TaprootContext | undefined;
  readonly requireMinimal: boolean;
  /** Index of the running instruction. */
  instruction: number;
  /** Counted operations, up to MAX_OPS_PER_SCRIPT. */
  opCount: number;
  /** Open IFs, and the depth (from 0) of the outermost false one, or -1: all that can be observed of them. */
  conditionDepth: number;
  firstFalse: number;
  /** Offset behind the last executed OP_CODESEPARATOR, and the script from there on once it was asked for. */
  codeStart: number;
  scriptCode: Uint8Array | undefined;
};

/** Runs one opcode; undefined means go on. */
export type Handler = (x: Execution, opcode: number) => ScriptErrorCode | undefined;
export type HandlerTable = Readonly<Record<number, Handler>>;

const TRUE = Uint8Array.of(1);
const FALSE = new Uint8Array(0);

export function createExecution(
  stack: Uint8Array[],
  script: Uint8Array,
  flags: number,
  checker: SignatureChecker,
  version: ScriptSigVersion,
  taproot: TaprootContext | undefined,
): Execution {
  return {
    script,
    reader: new ScriptReader(script),
    stack,
    altStack: [],
    flags,
    version,
    checker,
    taproot,
    requireMinimal: (flags & ScriptFlag.MINIMALDATA) !== 0,
    instruction: 0,
    opCount: 0,
    conditionDepth: 0,
    firstFalse: -1,
    codeStart: 0,
    scriptCode: undefined,
  };
}

/** The element `depth` places from the top, 1 being the top; the caller has checked that it is there. */
export function peek(stack: readonly Uint8Array[], depth: number): Uint8Array {
  const item = stack[stack.length - depth];
  assert(item !== undefined, 'the stack size was checked');
  return item;
}

/** The number `depth` places from the top, which must be there; undefined when it is no valid number. */
export function peekNumber(x: Execution, depth: number, maxBytes?: number): number | undefined {
  return decodeScriptNum(peek(x.stack, depth), x.requireMinimal, maxBytes);
}

export function drop(stack: Uint8Array[], count: number): void {
  stack.length -= count;
}

export function bool(value: boolean): Uint8Array {
  return value ? TRUE : FALSE;
}

/** A handler that needs `depth` elements and cannot fail otherwise. */
export function plain(depth: number, effect: (stack: Uint8Array[]) => unknown): Handler {
  return ({ stack }) => {
    if (stack.length < depth) return 'INVALID_STACK_OPERATION';
    effect(stack);
    return undefined;
  };
}

/** What every ...VERIFY opcode ends with: takes a true element away, fails on a false one. */
export function verifyTop(x: Execution, error: ScriptErrorCode): ScriptErrorCode | undefined {
  if (!castToBool(peek(x.stack, 1))) return error;
  drop(x.stack, 1);
  return undefined;
}
