export { pushData, pushNumber } from './build.ts';
export { MANDATORY_SCRIPT_FLAGS, ScriptFlag, STANDARD_SCRIPT_FLAGS } from './flags.ts';
export { Op, opcodeName } from './opcodes.ts';
export { ScriptReader } from './parse.ts';
export { isPayToScriptHash, isPushOnly, isUnspendable, type WitnessProgram, witnessProgram } from './patterns.ts';
export { type ScriptErrorCode, scriptErrorText } from './script-error.ts';
export { countP2shSigOps, countSigOps, countWitnessSigOps } from './sigops.ts';
