/** Runs one script on a stack: Core's EvalScript (script/interpreter.cpp). What each opcode does is in the ops files. */
import { createExecution, type Handler } from './execution.ts';
import { ScriptFlag } from './flags.ts';
import { MAX_OPS_PER_SCRIPT, MAX_SCRIPT_ELEMENT_SIZE, MAX_SCRIPT_SIZE, MAX_STACK_SIZE } from './limits.ts';
import { Op } from './opcodes.ts';
import { CONTROL_OPS } from './ops-control.ts';
import { NUMBER_OPS } from './ops-number.ts';
import { SIGNATURE_OPS } from './ops-signature.ts';
import { STACK_OPS } from './ops-stack.ts';
import type { ScriptErrorCode } from './script-error.ts';
import { type ScriptSigVersion, SigVersion, type TaprootContext } from './sig-version.ts';
import type { SignatureChecker } from './signature-checker.ts';

/** By opcode; opcodes without a handler fail when executed. */
const HANDLERS: readonly (Handler | undefined)[] = handlersByOpcode();

/** CVE-2010-5137: these fail even in a branch that is not executed. */
const DISABLED: ReadonlySet<number> = new Set([
  Op.OP_CAT,
  Op.OP_SUBSTR,
  Op.OP_LEFT,
  Op.OP_RIGHT,
  Op.OP_INVERT,
  Op.OP_AND,
  Op.OP_OR,
  Op.OP_XOR,
  Op.OP_2MUL,
  Op.OP_2DIV,
  Op.OP_MUL,
  Op.OP_DIV,
  Op.OP_MOD,
  Op.OP_LSHIFT,
  Op.OP_RSHIFT,
]);

/**
 * Runs `script` on `stack`, which it changes; undefined means that it ran to its end, whatever is on the stack.
 * `taproot` is needed for tapscript only. Elements of the stack are neither kept nor changed.
 */
export function evalScript(
  stack: Uint8Array[],
  script: Uint8Array,
  flags: number,
  checker: SignatureChecker,
  version: ScriptSigVersion,
  taproot?: TaprootContext,
): ScriptErrorCode | undefined {
  // BIP342 lifts the limits on script size and operations; the block's weight and the sigop budget bound them.
  const limited = version !== SigVersion.TAPSCRIPT;
  // The scriptSig of every spend of a bare witness program.
  if (script.length === 0) return undefined;
  if (limited && script.length > MAX_SCRIPT_SIZE) return 'SCRIPT_SIZE';
  const x = createExecution(stack, script, flags, checker, version, taproot);
  const { reader, altStack } = x;
  const constScriptCode = version === SigVersion.BASE && (flags & ScriptFlag.CONST_SCRIPTCODE) !== 0;

  for (; !reader.atEnd; x.instruction++) {
    const executing = x.firstFalse < 0;
    if (!reader.next()) return 'BAD_OPCODE';
    const { opcode } = reader;
    if (reader.dataLength > MAX_SCRIPT_ELEMENT_SIZE) return 'PUSH_SIZE';
    if (limited && opcode > Op.OP_16 && ++x.opCount > MAX_OPS_PER_SCRIPT) return 'OP_COUNT';
    if (DISABLED.has(opcode)) return 'DISABLED_OPCODE';
    if (constScriptCode && opcode === Op.OP_CODESEPARATOR) return 'OP_CODESEPARATOR';

    if (opcode <= Op.OP_PUSHDATA4) {
      if (executing) {
        const { data } = reader;
        if (x.requireMinimal && !isMinimalPush(data, opcode)) return 'MINIMALDATA';
        stack.push(data);
      }
    } else if (executing || (opcode >= Op.OP_IF && opcode <= Op.OP_ENDIF)) {
      const handler = HANDLERS[opcode];
      const error = handler === undefined ? 'BAD_OPCODE' : handler(x, opcode);
      if (error !== undefined) return error;
    }
    if (stack.length + altStack.length > MAX_STACK_SIZE) return 'STACK_SIZE';
  }
  return x.conditionDepth === 0 ? undefined : 'UNBALANCED_CONDITIONAL';
}

/** Core's CheckMinimalPush: the shortest opcode for these bytes was used. */
function isMinimalPush(data: Uint8Array, opcode: number): boolean {
  const { length } = data;
  const [first] = data;
  if (first === undefined) return opcode === Op.OP_0;
  if (length === 1 && ((first >= 1 && first <= 16) || first === 0x81)) return false;
  if (length < Op.OP_PUSHDATA1) return opcode === length;
  if (length <= 0xff) return opcode === Op.OP_PUSHDATA1;
  return length > 0xffff || opcode === Op.OP_PUSHDATA2;
}

function handlersByOpcode(): (Handler | undefined)[] {
  const table: (Handler | undefined)[] = new Array(256).fill(undefined);
  for (const part of [STACK_OPS, NUMBER_OPS, CONTROL_OPS, SIGNATURE_OPS]) {
    for (const [opcode, handler] of Object.entries(part)) table[Number(opcode)] = handler;
  }
  return table;
}
