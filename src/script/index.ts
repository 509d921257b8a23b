export {
  type AddressPrefixes,
  decodeAddress,
  decodeWif,
  encodeAddress,
  encodeWif,
  type SecretKey,
} from './address.ts';
export { scriptToAsm } from './asm.ts';
export { pushData, pushNumber } from './build.ts';
export * as encoding from './encoding-checks.ts';
export { ScriptFlag } from './flags.ts';
export { signatureHash } from './legacy-sighash.ts';
export * as limits from './limits.ts';
export { Op } from './opcodes.ts';
export { ScriptReader } from './parse.ts';
export { isPayToScriptHash, isPushOnly, isUnspendable, witnessProgram } from './patterns.ts';
export { redeemScriptOf } from './redeem-script.ts';
export { type ScriptErrorCode, scriptErrorText } from './script-error.ts';
export { SigVersion } from './sig-version.ts';
export * as sighash from './sighash-type.ts';
export { type SignatureChecker, TxSignatureChecker } from './signature-checker.ts';
export { countP2shSigOps, countSigOps, countWitnessSigOps } from './sigops.ts';
export { type SolvedScript, solver } from './solver.ts';
export * as taproot from './taproot.ts';
export * as templates from './templates.ts';
export { TxSighash } from './tx-sighash.ts';
export { verifyScript } from './verify-script.ts';
