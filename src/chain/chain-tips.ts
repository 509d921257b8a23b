/** The ends of all branches that are known, and what is known of each (Core's getchaintips). */
import type { ActiveChain } from './active-chain.ts';
import type { BlockIndex } from './block-index.ts';
import type { Candidates } from './candidates.ts';
import type { HeaderId } from './header-tree.ts';
import type { ChainTip } from './port.ts';

export type ChainTipsDeps = {
  readonly active: ActiveChain;
  readonly index: BlockIndex;
  readonly candidates: Pick<Candidates, 'isComplete'>;
};

/** The tip, and each header beside the active chain that has no child; highest first. One pass over all headers. */
export function chainTips(deps: ChainTipsDeps): ChainTip[] {
  const { active, index } = deps;
  const { tree } = index;
  const ends = new Set<HeaderId>(active.tip === undefined ? [] : [active.tip]);
  for (let id = 0; id < tree.size; id++) {
    if (active.contains(id)) continue;
    const parent = tree.parentOf(id);
    // The tip itself is one, whatever stands on it.
    if (parent !== undefined && parent !== active.tip) ends.delete(parent);
    ends.add(id);
  }
  return [...ends]
    .sort((a, b) => tree.heightOf(b) - tree.heightOf(a) || b - a)
    .map((id) => {
      const branchLength = tree.heightOf(id) - tree.heightOf(active.forkWith(id));
      return { entry: tree.entry(id), branchLength, status: statusOf(deps, id) };
    });
}

function statusOf({ active, candidates, index }: ChainTipsDeps, id: HeaderId): ChainTip['status'] {
  if (active.contains(id)) return 'active';
  if (index.isFailed(id)) return 'invalid';
  if (!candidates.isComplete(id)) return 'headers-only';
  return index.hasPassed(id) ? 'valid-fork' : 'valid-headers';
}
