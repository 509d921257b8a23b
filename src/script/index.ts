export {
  decodeAddress,
  decodeWif,
  encodeAddress,
  encodeWif,
} from './address.ts';
export { pushData, pushNumber } from './build.ts';
export { ScriptFlag } from './flags.ts';
export { signatureHash } from './legacy-sighash.ts';
export { Op } from './opcodes.ts';
export { ScriptReader } from './parse.ts';
export { isPayToScriptHash, isPushOnly, isUnspendable, witnessProgram } from './patterns.ts';
export { redeemScriptOf } from './redeem-script.ts';
export { type ScriptErrorCode, scriptErrorText } from './script-error.ts';
export { SIGHASH_ALL } from './sighash-type.ts';
export { type SignatureChecker, TxSignatureChecker } from './signature-checker.ts';
export { countP2shSigOps, countSigOps, countWitnessSigOps } from './sigops.ts';
export { type SolvedScript, solver } from './solver.ts';
export { annexOf, isTapscriptControl } from './taproot.ts';
export { TxSighash } from './tx-sighash.ts';
export { verifyScript } from './verify-script.ts';
