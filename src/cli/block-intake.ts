/**
 * Hands blocks to the chain in whatever order files hold them.
 *
 * A block whose parent's header is unknown waits for it. Its header is kept (bounded in number), its body while there
 * is room. When the parent turns up, the header goes to the chain at once, and the body if it was kept; bodies that
 * were not are wanted again (`wanted`), in a second pass over the files: with all headers known the chain stores
 * bodies in any order. So two passes are enough, and memory is bounded.
 */
import type { BlockVerdict, Chain } from '#chain';
import type { Block, BlockHash } from '#primitives';

export type IntakeOptions = {
  /** Bytes of waiting bodies. */
  readonly maxHeldBytes: number;
  /** Waiting headers; more blocks than that without a known parent are left out. */
  readonly maxWaiting: number;
};

type Waiting = { readonly block: Block | undefined; readonly header: Block['header'] };

export type IntakeCounts = {
  /** Blocks that became part of the data directory. */
  added: number;
  /** Blocks that were there before. */
  known: number;
  /** Blocks that break a rule. */
  invalid: number;
};

export type Rejection = { readonly hash: BlockHash; readonly code: string };

export class BlockIntake {
  readonly counts: IntakeCounts = { added: 0, known: 0, invalid: 0 };
  /** Hashes whose header is in place and whose body was not kept. */
  readonly wanted = new Set<BlockHash>();
  readonly #chain: Pick<Chain, 'getHeader' | 'hasBlock' | 'submitBlock' | 'submitHeaders'>;
  readonly #options: IntakeOptions;
  readonly #rejected: (rejection: Rejection) => void;
  readonly #waiting = new Map<BlockHash, Waiting[]>();
  #waitingCount = 0;
  #heldBytes = 0;
  #leftOut = 0;

  constructor(chain: Chain, options: IntakeOptions, rejected: (rejection: Rejection) => void) {
    this.#chain = chain;
    this.#options = options;
    this.#rejected = rejected;
  }

  /** Blocks whose parent has not turned up. */
  get orphans(): number {
    return this.#waitingCount + this.#leftOut;
  }

  /** Throws NodeError on operational failure. */
  async take(block: Block): Promise<void> {
    const { hash } = block;
    this.wanted.delete(hash);
    if (this.#chain.hasBlock(hash)) {
      this.counts.known++;
    } else if (this.#chain.getHeader(block.header.prevHash) === undefined) {
      this.#wait(block);
      return;
    } else {
      await this.#submit(block);
    }
    await this.#release(hash);
  }

  #wait(block: Block): void {
    if (this.#waitingCount >= this.#options.maxWaiting) {
      this.#leftOut++;
      return;
    }
    const isHeld = this.#heldBytes + block.size <= this.#options.maxHeldBytes;
    if (isHeld) this.#heldBytes += block.size;
    this.#waitingCount++;
    const { prevHash } = block.header;
    const siblings = this.#waiting.get(prevHash) ?? [];
    siblings.push({ header: block.header, block: isHeld ? block : undefined });
    this.#waiting.set(prevHash, siblings);
  }

  async #submit(block: Block): Promise<void> {
    const verdict: BlockVerdict = await this.#chain.submitBlock(block);
    if (verdict.kind === 'invalid') {
      this.counts.invalid++;
      this.#rejected({ hash: block.hash, code: verdict.failure.code });
    } else if (verdict.kind === 'duplicate') {
      this.counts.known++;
    } else {
      this.counts.added++;
    }
  }

  /** Everything that waited for `parent`, and what waited for that. */
  async #release(parent: BlockHash): Promise<void> {
    const parents = [parent];
    for (let next = parents.pop(); next !== undefined; next = parents.pop()) {
      const children = this.#waiting.get(next) ?? [];
      this.#waiting.delete(next);
      for (const { header, block } of children) {
        this.#waitingCount--;
        if (block !== undefined) {
          this.#heldBytes -= block.size;
          await this.#submit(block);
        } else if (this.#chain.submitHeaders([header]).kind === 'accepted') {
          this.wanted.add(header.hash);
        } else {
          this.counts.invalid++;
        }
        parents.push(header.hash);
      }
    }
  }
}
