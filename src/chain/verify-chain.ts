/**
 * Checks the last blocks of the active chain anew (Core's CVerifyDB): 0 reads them, 1 checks each alone, 2 reads what
 * they spent, 3 takes them back from the coins, 4 connects them again with all scripts. Coins are changed on trial only.
 */
import { type Block, DecodeError } from '#primitives';
import { type Clock, errorText, NodeError, nextTurn, Slices } from '#util';
import type { ScriptVerifier } from '#verify';
import { checkBlockAlone } from './accept.ts';
import type { ActiveChain } from './active-chain.ts';
import { BlockChange, type BlockChangeDeps } from './block-change.ts';
import type { BlockIndex } from './block-index.ts';
import type { BlockStorage } from './block-storage.ts';
import type { CoinsCache } from './coins-cache.ts';
import { CoinsOverlay } from './coins-overlay.ts';
import { disconnectBlock } from './disconnect.ts';
import type { HeaderId } from './header-tree.ts';
import type { ChainVerification, VerifyChainOptions } from './port.ts';
import { readStoredBlock } from './stored-block.ts';
import type { BlockUndo } from './undo-codec.ts';

/** Coins changed on trial: level 3 ends there, as Core's ends when its cache is full. */
const MAX_OVERLAY_BYTES = 64 << 20;

export type VerifyChainDeps = Pick<BlockChangeDeps, 'params'> & {
  readonly active: ActiveChain;
  readonly coins: CoinsCache;
  readonly index: BlockIndex;
  readonly storage: BlockStorage;
  readonly verifier: ScriptVerifier;
  readonly mustRunScripts: (id: HeaderId) => boolean;
  readonly clock: Clock;
};

class Corrupted extends Error {}

/** From level 3 on the chain must hold still. Throws the signal's reason, and NodeError where nothing can be read. */
export async function verifyChain(deps: VerifyChainDeps, options: VerifyChainOptions): Promise<ChainVerification> {
  const run = new Verification(deps, options);
  try {
    return await run.run();
  } catch (error) {
    const isBad = error instanceof Corrupted || (error instanceof NodeError && error.code === 'CORRUPT_DATA');
    if (!isBad) throw error;
    return { result: 'corrupted', blocks: run.blocks, detail: errorText(error) };
  }
}

class Verification {
  blocks = 0;
  readonly #deps: VerifyChainDeps;
  readonly #options: VerifyChainOptions;
  readonly #overlay: CoinsOverlay;
  #isL3Skipped = false;

  constructor(deps: VerifyChainDeps, options: VerifyChainOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#overlay = new CoinsOverlay(deps.coins);
  }

  async run(): Promise<ChainVerification> {
    const { active, index } = this.#deps;
    const { level, depth, signal } = this.#options;
    const ids = this.#lastBlocks(depth);
    let isCut = false;
    const takenBack: HeaderId[] = [];
    for (const id of ids) {
      signal?.throwIfAborted();
      if (!index.hasData(id) && active.lowestReversible > 0) {
        isCut = true;
        break;
      }
      if (await this.#checkBlock(id)) takenBack.push(id);
      this.blocks++;
      await nextTurn();
    }
    if (level >= 4 && !this.#isL3Skipped) {
      for (const id of takenBack.reverse()) {
        await this.#connect(id);
        await nextTurn();
      }
    }
    if (this.#isL3Skipped) return { result: 'skipped-l3-checks', blocks: this.blocks };
    return { result: isCut ? 'skipped-missing-blocks' : 'success', blocks: this.blocks };
  }

  /** From the tip down; never genesis, which cannot be taken back. */
  #lastBlocks(depth: number): HeaderId[] {
    const { active, index } = this.#deps;
    const height = active.tip === undefined ? 0 : index.tree.heightOf(active.tip);
    const count = depth <= 0 || depth > height ? height : depth;
    return Array.from({ length: count }, (_, below) => active.at(height - below)).filter((id) => id !== undefined);
  }

  /** True if it was taken back. */
  async #checkBlock(id: HeaderId): Promise<boolean> {
    const { index, params, storage } = this.#deps;
    const { level } = this.#options;
    const { hash } = index.tree.entry(id);
    const block = decoded(await readStoredBlock(index, storage, id));
    const failure = level >= 1 ? checkBlockAlone(params, block) : undefined;
    if (failure !== undefined) throw new Corrupted(`found bad block ${hash}: ${failure.code}`);
    const undoAt = level >= 2 ? index.undoPosition(id) : undefined;
    const undo = undoAt === undefined ? undefined : await storage.readUndo(undoAt, block.header);
    if (level < 3 || this.#isL3Skipped) return false;
    if (this.#overlay.bytes > MAX_OVERLAY_BYTES) {
      this.#isL3Skipped = true;
      return false;
    }
    this.#takeBack(id, block, undo);
    return true;
  }

  #takeBack(id: HeaderId, block: Block, undo: BlockUndo | undefined): void {
    const entry = this.#deps.index.tree.entry(id);
    if (undo === undefined) throw new Corrupted(`the undo data of block ${entry.hash} are missing`);
    const isClean = disconnectBlock(block, entry, undo, this.#overlay, this.#deps.params);
    if (!isClean) throw new Corrupted(`the coins do not match block ${entry.hash}`);
  }

  async #connect(id: HeaderId): Promise<void> {
    const { clock, index, mustRunScripts, params, storage, verifier } = this.#deps;
    const { signal } = this.#options;
    signal?.throwIfAborted();
    const block = decoded(await readStoredBlock(index, storage, id));
    const entry = index.tree.entry(id);
    const change = new BlockChange({ params, coins: this.#overlay }, block, entry);
    const failure = await change.apply(new Slices(clock).rest);
    if (failure !== undefined) throw new Corrupted(`found unconnectable block ${entry.hash}: ${failure.code}`);
    const jobs = mustRunScripts(id) ? change.jobs : [];
    const failed = await verifier.verify(jobs, { signal });
    if (failed !== undefined) throw new Corrupted(`found unconnectable block ${entry.hash}: ${failed.error}`);
  }
}

function decoded(block: Block): Block {
  try {
    void block.transactions;
    return block;
  } catch (error) {
    if (error instanceof DecodeError) throw new Corrupted(`block ${block.hash} does not decode: ${error.message}`);
    throw error;
  }
}
