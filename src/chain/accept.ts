/** The way into the tree: header rules, then the rules of a block that need no coins (Core's AcceptBlockHeader and AcceptBlock). */
import {
  checkBlock,
  checkBlockHeader,
  contextualCheckBlock,
  contextualCheckBlockHeader,
  failure,
  lastCheckpointHeight,
  type NetworkParams,
  type ValidationFailure,
} from '#consensus';
import { type Block, type BlockHeader, DecodeError } from '#primitives';
import type { Slices } from '#util';
import { TRANSACTIONS_AT_ONCE } from './block-change.ts';
import type { BlockIndex } from './block-index.ts';
import type { HeaderId } from './header-tree.ts';

export type AcceptDeps = {
  readonly params: NetworkParams;
  readonly index: BlockIndex;
  /** Unix seconds. */
  readonly now: () => number;
  readonly checkpoints: Checkpoints;
};

/** Remembers the highest checkpoint whose header is in the tree: looking each up for each header would cost. */
export class Checkpoints {
  readonly #params: NetworkParams;
  #last: number | undefined;

  constructor(params: NetworkParams) {
    this.#params = params;
  }

  /** Height of the last checkpoint reached; new headers below it are refused (Core's GetLastCheckpoint). */
  get last(): number | undefined {
    return this.#last;
  }

  /** To be called once the tree was filled from disk. */
  loaded(index: BlockIndex): void {
    this.#last = lastCheckpointHeight(this.#params, (hash) => index.tree.find(hash) !== undefined);
  }

  added(height: number, header: BlockHeader): void {
    const checkpoint = this.#params.checkpoints.get(height);
    if (checkpoint !== undefined && checkpoint === header.hash) this.#last = Math.max(height, this.#last ?? 0);
  }
}

export type HeaderResult =
  | { readonly kind: 'known' | 'added'; readonly id: HeaderId }
  | { readonly kind: 'failed'; readonly failure: ValidationFailure };

/** Checks one header against its parent and adds it to the tree. */
export function acceptHeader(deps: AcceptDeps, header: BlockHeader): HeaderResult {
  const { index, params } = deps;
  const known = index.tree.findBytes(header.hashBytes);
  if (known !== undefined) {
    return index.isFailed(known) ? failed(failure('cached-invalid', 'duplicate')) : { kind: 'known', id: known };
  }
  const proof = checkBlockHeader(header, params);
  if (proof !== undefined) return failed(proof);
  const parent = index.tree.findBytes(header.prevHashBytes);
  if (parent === undefined) return failed(failure('missing-prev', 'prev-blk-not-found'));
  if (index.isFailed(parent)) return failed(failure('invalid-prev', 'bad-prevblk'));
  const prev = index.tree.entry(parent);
  const context = contextualCheckBlockHeader(header, prev, params, deps.now(), deps.checkpoints.last);
  if (context !== undefined) return failed(context);
  deps.checkpoints.added(prev.height + 1, header);
  // The bytes may be a view of a whole message or block: the tree copies them.
  return { kind: 'added', id: index.addHeader(header, parent) };
}

function failed(reason: ValidationFailure): HeaderResult {
  return { kind: 'failed', failure: reason };
}

/**
 * Rules of the block alone. A block that cannot be decoded is `mutated`: the header says nothing about these bytes,
 * so another copy may be good.
 */
export function checkBlockAlone(params: NetworkParams, block: Block): ValidationFailure | undefined {
  try {
    return checkBlock(block, params);
  } catch (error) {
    if (error instanceof DecodeError) return failure('mutated', 'bad-blk-decode', error.message);
    throw error;
  }
}

/**
 * Hashes the transactions in slices, unless the header has no proof of work: all checks need their ids, and making these
 * is most of what they take.
 */
export async function hashTransactions(params: NetworkParams, block: Block, rest: Slices['rest']): Promise<void> {
  if (checkBlockHeader(block.header, params) !== undefined) return;
  for (const [at, tx] of transactionsOf(block).entries()) {
    if (at % TRANSACTIONS_AT_ONCE === 0) await rest();
    void tx.wtxidBytes;
    void tx.txidBytes;
  }
}

/** None if they cannot be decoded: the checks will say so. */
function transactionsOf(block: Block): Block['transactions'] {
  try {
    return block.transactions;
  } catch (error) {
    if (error instanceof DecodeError) return [];
    throw error;
  }
}

/** Rules of the block in its place; `id` is its header's. */
export function checkBlockInPlace(deps: AcceptDeps, block: Block, id: HeaderId): ValidationFailure | undefined {
  const parent = deps.index.tree.parentOf(id);
  return parent === undefined ? undefined : contextualCheckBlock(block, deps.index.tree.entry(parent), deps.params);
}
