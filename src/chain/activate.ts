/**
 * Moves the active chain to the block with most work, however far the fork lies back (Core's ActivateBestChain).
 * Works in steps of a few blocks; after each the coins cache, the active chain and the observers agree.
 */
import type { NetworkParams, ValidationFailure } from '#consensus';
import { Block } from '#primitives';
import { type Logger, NodeError } from '#util';
import type { ScriptVerifier } from '#verify';
import type { ActiveChain } from './active-chain.ts';
import type { BlockIndex } from './block-index.ts';
import type { BlockStorage } from './block-storage.ts';
import type { Candidates } from './candidates.ts';
import type { CoinsCache } from './coins-cache.ts';
import { CoinsView } from './coins-view.ts';
import { connectBlock, disconnectBlock, externalInputKeys } from './connect.ts';
import type { HeaderId } from './header-tree.ts';
import type { ChainChange, ConnectedBlock } from './port.ts';

/** Blocks in one step: bounds the blocks held for observers and the work between two flush checks. */
const STEP_BLOCKS = 16;

export type ActivateDeps = {
  readonly params: NetworkParams;
  readonly index: BlockIndex;
  readonly active: ActiveChain;
  readonly coins: CoinsCache;
  readonly candidates: Candidates;
  readonly storage: BlockStorage;
  readonly verifier: ScriptVerifier;
  readonly log: Logger;
  readonly onStep: (change: ChainChange) => Promise<void>;
  readonly onInvalid: (id: HeaderId, failure: ValidationFailure) => void;
  /** Looked at between steps: who stops does not wait for a long way, and the next start goes on. */
  readonly isClosing: () => boolean;
};

/** A block that is in memory already, so that it need not be read back. */
export type Hint = { readonly id: HeaderId; readonly block: Block };

/** Returns when no candidate has more work than the tip, or when the chain is being closed. Throws NodeError; the state is consistent then, and a later call goes on. */
export async function activateBestChain(deps: ActivateDeps, hint?: Hint): Promise<void> {
  while (!deps.isClosing()) {
    const tip = deps.active.tip;
    const target = tip === undefined ? undefined : deps.candidates.best(tip);
    if (target === undefined || target === tip) return;
    await stepTowards(deps, target, hint);
  }
}

async function stepTowards(deps: ActivateDeps, target: HeaderId, hint?: Hint): Promise<void> {
  const { tree } = deps.index;
  const fork = deps.active.forkWith(target);
  const disconnected: ConnectedBlock[] = [];
  while (deps.active.tip !== fork && disconnected.length < STEP_BLOCKS) disconnected.push(await disconnectTip(deps));
  const connected: ConnectedBlock[] = [];
  if (deps.active.tip === fork) {
    const last = Math.min(tree.heightOf(target), tree.heightOf(fork) + STEP_BLOCKS);
    for (let height = tree.heightOf(fork) + 1; height <= last; height++) {
      const block = await connectTip(deps, tree.ancestorOf(target, height), hint);
      if (block === undefined) break;
      connected.push(block);
    }
  }
  const tip = deps.active.tip;
  if (tip === undefined || (disconnected.length === 0 && connected.length === 0)) return;
  deps.candidates.prune(tip);
  await deps.onStep({ disconnected, connected, tip: tree.entry(tip) });
}

/** Connects one block to the tip. Undefined if it is invalid; it is marked so then. */
async function connectTip(deps: ActivateDeps, id: HeaderId, hint?: Hint): Promise<ConnectedBlock | undefined> {
  const entry = deps.index.tree.entry(id);
  const block = hint?.id === id ? hint.block : await readBlock(deps, id);
  await deps.coins.prefetch(externalInputKeys(block));
  const view = new CoinsView(deps.coins);
  const result = await connectBlock(deps, block, entry, view);
  if ('failure' in result) {
    deps.log.warn('invalid block', { hash: entry.hash, height: entry.height, code: result.failure.code });
    deps.index.setFailed(id);
    deps.onInvalid(id, result.failure);
    return undefined;
  }
  // Undo data first: coins must never run ahead of what is needed to go back.
  const undo = deps.index.undoPosition(id) ?? (await deps.storage.appendUndo(result.spent, block.header));
  view.commit();
  deps.index.setConnected(id, undo);
  deps.active.push(id);
  return { entry, block };
}

async function disconnectTip(deps: ActivateDeps): Promise<ConnectedBlock> {
  const tip = deps.active.tip;
  const undoAt = tip === undefined ? undefined : deps.index.undoPosition(tip);
  if (tip === undefined || undoAt === undefined) {
    throw new NodeError(
      'CORRUPT_DATA',
      'the undo data of the tip are missing; rebuild the data directory by importing its block files',
    );
  }
  const entry = deps.index.tree.entry(tip);
  const block = await readBlock(deps, tip);
  const spent = await deps.storage.readUndo(undoAt, block.header);
  const view = new CoinsView(deps.coins);
  if (!disconnectBlock(block, entry.height, spent, view)) {
    throw new NodeError(
      'CORRUPT_DATA',
      `the coins do not match block ${entry.hash}; rebuild the data directory by importing its block files`,
    );
  }
  view.commit();
  deps.active.pop();
  return { entry, block };
}

async function readBlock(deps: ActivateDeps, id: HeaderId): Promise<Block> {
  const position = deps.index.blockPosition(id);
  const entry = deps.index.tree.entry(id);
  if (position === undefined) throw new NodeError('CORRUPT_DATA', `the body of block ${entry.hash} is not stored`);
  const block = new Block(await deps.storage.readBlock(position));
  if (block.hash !== entry.hash) {
    throw new NodeError(
      'CORRUPT_DATA',
      `block file ${position.file} holds another block at byte ${position.offset} than the index says`,
    );
  }
  return block;
}
