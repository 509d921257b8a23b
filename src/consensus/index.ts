export { bip30Applies } from './bip30.ts';
export { checkBlock, checkBlockBody, contextualCheckBlock } from './block-rules.ts';
export { failure, type ValidationFailure } from './failure.ts';
export { checkBlockHeader, contextualCheckBlockHeader, lastCheckpointHeight, medianTimePast } from './header-rules.ts';
export * as limits from './limits.ts';
export { calculateSequenceLocks, evaluateSequenceLocks, isFinalTx } from './lock-times.ts';
export { merkleRoot } from './merkle.ts';
export { BUILT_IN_NETWORKS, parseNetworkParams } from './network-file.ts';
export type { HeaderView, NetworkParams } from './params.ts';
export {
  adjustmentInterval,
  blockProof,
  compactToTarget,
  nextWorkRequired,
  permittedDifficultyTransition,
} from './pow.ts';
export { scriptFlagsForBlock } from './script-flags.ts';
export { transactionSigOpCost } from './sigops.ts';
export { blockSubsidy } from './subsidy.ts';
export { checkTransaction, checkTxInputs } from './tx-rules.ts';
export { witnessCommitmentIndex, witnessCommitmentScript } from './witness-commitment.ts';
