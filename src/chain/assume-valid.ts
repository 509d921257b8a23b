/** Which blocks' scripts need not run: those below a block that the network's parameters (or the operator) vouch for. */
import { blockProof, type NetworkParams } from '#consensus';
import type { HeaderId, HeaderTree } from './header-tree.ts';

/** Work on top, as time at the best header's difficulty: nobody makes that up to slip an invalid block in. */
const MIN_BURIED_SECONDS = 2n * 7n * 24n * 60n * 60n;

/**
 * Core's ConnectBlock: the block is an ancestor of `assumeValid` and of the best header, that header has the minimum
 * chain work, and two weeks of work lie between.
 */
export function scriptsAssumedValid(
  params: NetworkParams,
  tree: HeaderTree,
  bestHeader: HeaderId,
  id: HeaderId,
): boolean {
  if (params.assumeValid === undefined) return false;
  const assumed = tree.find(params.assumeValid);
  if (assumed === undefined || !tree.isAncestor(id, assumed) || !tree.isAncestor(id, bestHeader)) return false;
  if (tree.workOf(bestHeader) < params.minimumChainWork) return false;
  const workOnTop = tree.workOf(bestHeader) - tree.workOf(id);
  const { bits } = tree.entry(bestHeader);
  // Core's GetBlockProofEquivalentTime.
  return (workOnTop * BigInt(params.pow.targetSpacingSeconds)) / blockProof(bits) > MIN_BURIED_SECONDS;
}
