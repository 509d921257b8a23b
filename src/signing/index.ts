export { messageHash, publicKeyOf, recoverCompact, signCompact } from './keys.ts';
export { analyzePsbt, type InputAnalysis } from './psbt/analyze.ts';
export { blankPsbt, decodePsbt, encodePsbt, inputKeys, isFinal, type Psbt, sortedXpubs } from './psbt/codec.ts';
export { finalWitnessOf, setWitnessUtxo, sourceOf, witnessUtxoOf } from './psbt/input.ts';
export { combinePsbts, joinPsbts } from './psbt/join.ts';
export * as psbtMap from './psbt/psbt-map.ts';
export {
  extractTransaction,
  finalizePsbt,
  psbtSigner,
  removeUnnecessarySources,
  signPsbtInput,
  updatePsbtOutput,
} from './psbt/sign-psbt.ts';
export * as psbtValues from './psbt/values.ts';
export {
  combineTransactions,
  MISSING_AMOUNT,
  type SigningRules,
  signTransaction,
} from './sign-transaction.ts';
