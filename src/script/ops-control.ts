/** Conditions, VERIFY, RETURN, lock times, and the NOPs kept for upgrades. */
import { drop, type Execution, type Handler, type HandlerTable, peek, peekNumber, verifyTop } from './execution.ts';
import { ScriptFlag } from './flags.ts';
import { Op } from './opcodes.ts';
import type { ScriptErrorCode } from './script-error.ts';
import { castToBool } from './script-num.ts';
import { SigVersion } from './sig-version.ts';

/** BIP112: the operand's bit that makes the check a NOP. */
const SEQUENCE_DISABLE_FLAG = 2 ** 31;
const LOCK_TIME_BYTES = 5;

/** Also runs in a branch that is not executed, where it only counts the depth. */
function beginIf(x: Execution, opcode: number): ScriptErrorCode | undefined {
  let value = false;
  if (x.firstFalse < 0) {
    if (x.stack.length < 1) return 'UNBALANCED_CONDITIONAL';
    const condition = peek(x.stack, 1);
    const minimal = condition.length === 0 || (condition.length === 1 && condition[0] === 1);
    // A consensus rule in tapscript (BIP342), policy before.
    if (!minimal && x.version === SigVersion.TAPSCRIPT) return 'TAPSCRIPT_MINIMALIF';
    if (!minimal && x.version === SigVersion.WITNESS_V0 && (x.flags & ScriptFlag.MINIMALIF) !== 0) return 'MINIMALIF';
    value = castToBool(condition) !== (opcode === Op.OP_NOTIF);
    drop(x.stack, 1);
  }
  if (!value && x.firstFalse < 0) x.firstFalse = x.conditionDepth;
  x.conditionDepth++;
  return undefined;
}

const toggleElse: Handler = (x) => {
  if (x.conditionDepth === 0) return 'UNBALANCED_CONDITIONAL';
  const top = x.conditionDepth - 1;
  // Inside an outer false branch the inner value cannot be observed.
  if (x.firstFalse < 0) x.firstFalse = top;
  else if (x.firstFalse === top) x.firstFalse = -1;
  return undefined;
};

const endIf: Handler = (x) => {
  if (x.conditionDepth === 0) return 'UNBALANCED_CONDITIONAL';
  x.conditionDepth--;
  if (x.firstFalse === x.conditionDepth) x.firstFalse = -1;
  return undefined;
};

/** BIP65. The operand stays on the stack, as it did when this was a NOP. */
const checkLockTime: Handler = (x) => {
  if ((x.flags & ScriptFlag.CHECKLOCKTIMEVERIFY) === 0) return undefined;
  if (x.stack.length < 1) return 'INVALID_STACK_OPERATION';
  const lockTime = peekNumber(x, 1, LOCK_TIME_BYTES);
  if (lockTime === undefined) return 'UNKNOWN_ERROR';
  if (lockTime < 0) return 'NEGATIVE_LOCKTIME';
  return x.checker.checkLockTime(lockTime) ? undefined : 'UNSATISFIED_LOCKTIME';
};

/** BIP112. */
const checkSequence: Handler = (x) => {
  if ((x.flags & ScriptFlag.CHECKSEQUENCEVERIFY) === 0) return undefined;
  if (x.stack.length < 1) return 'INVALID_STACK_OPERATION';
  const sequence = peekNumber(x, 1, LOCK_TIME_BYTES);
  if (sequence === undefined) return 'UNKNOWN_ERROR';
  if (sequence < 0) return 'NEGATIVE_LOCKTIME';
  if (Math.floor(sequence / SEQUENCE_DISABLE_FLAG) % 2 === 1) return undefined;
  return x.checker.checkSequence(sequence) ? undefined : 'UNSATISFIED_LOCKTIME';
};

const upgradableNop: Handler = (x) =>
  (x.flags & ScriptFlag.DISCOURAGE_UPGRADABLE_NOPS) !== 0 ? 'DISCOURAGE_UPGRADABLE_NOPS' : undefined;

const verify: Handler = (x) => (x.stack.length < 1 ? 'INVALID_STACK_OPERATION' : verifyTop(x, 'VERIFY'));

export const CONTROL_OPS: HandlerTable = {
  [Op.OP_NOP]: () => undefined,
  [Op.OP_IF]: beginIf,
  [Op.OP_NOTIF]: beginIf,
  [Op.OP_ELSE]: toggleElse,
  [Op.OP_ENDIF]: endIf,
  [Op.OP_VERIFY]: verify,
  [Op.OP_RETURN]: () => 'OP_RETURN',
  [Op.OP_CHECKLOCKTIMEVERIFY]: checkLockTime,
  [Op.OP_CHECKSEQUENCEVERIFY]: checkSequence,
  [Op.OP_NOP1]: upgradableNop,
  [Op.OP_NOP4]: upgradableNop,
  [Op.OP_NOP5]: upgradableNop,
  [Op.OP_NOP6]: upgradableNop,
  [Op.OP_NOP7]: upgradableNop,
  [Op.OP_NOP8]: upgradableNop,
  [Op.OP_NOP9]: upgradableNop,
  [Op.OP_NOP10]: upgradableNop,
};
