/** What to tell the operator when data on the disk are damaged: the one place that knows which flag mends what. */
import { NodeError } from '#util';

/** `chainstate`: the coins are built anew from index and block files; `all`: the index, too, from the block files. */
export type ReindexKind = 'chainstate' | 'all';

const HINTS: Readonly<Record<ReindexKind, string>> = {
  chainstate: 'start with --reindex-chainstate to rebuild the coins (a pruned directory needs --reindex)',
  all: 'start with --reindex to rebuild the data directory from its block files',
};

/** `kind`: what rebuilds it. */
export function damaged(kind: ReindexKind, what: string, cause?: unknown): NodeError {
  return new NodeError('CORRUPT_DATA', `${what}; ${HINTS[kind]}`, { cause });
}
