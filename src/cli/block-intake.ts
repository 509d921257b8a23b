/**
 * Hands blocks to the chain in whatever order files hold them, several at a time, so that scripts run while the next
 * blocks are read.
 *
 * A block whose parent's header is unknown waits for it. Its header is kept (bounded in number), its body while there
 * is room. When the parent turns up, the header goes to the chain at once, and the body if it was kept; bodies that
 * were not are wanted again (`wanted`), in a second pass over the files: with all headers known the chain stores
 * bodies in any order. So two passes are enough, and memory is bounded.
 */
import type { Chain } from '#chain';
import type { Block, BlockHash } from '#primitives';

export type IntakeOptions = {
  /** Bytes of waiting bodies. */
  readonly maxHeldBytes: number;
  /** Waiting headers; more blocks than that without a known parent are left out. */
  readonly maxWaiting: number;
  /** Bodies given to the chain and not decided: so many at the least, and more up to so many bytes. */
  readonly pending: { readonly minBlocks: number; readonly maxBytes: number };
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
  readonly #chain: Pick<Chain, 'hasBlock' | 'submitBlock' | 'submitHeaders'>;
  readonly #options: IntakeOptions;
  readonly #rejected: (rejection: Rejection) => void;
  readonly #waiting = new Map<BlockHash, Waiting[]>();
  readonly #pending = new Set<Promise<void>>();
  #waitingCount = 0;
  #heldBytes = 0;
  #pendingBytes = 0;
  #leftOut = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(chain: Chain, options: IntakeOptions, rejected: (rejection: Rejection) => void) {
    this.#chain = chain;
    this.#options = options;
    this.#rejected = rejected;
  }

  /** Blocks whose parent has not turned up. */
  get orphans(): number {
    return this.#waitingCount + this.#leftOut;
  }

  /** Resolves when there is room for the next block. Throws NodeError on operational failure, also of an earlier one. */
  async take(block: Block): Promise<void> {
    this.#throwFailure();
    const { hash, header } = block;
    this.wanted.delete(hash);
    if (this.#chain.hasBlock(hash)) {
      this.counts.known++;
    } else {
      const place = this.#place(header);
      if (place === 'orphan') {
        this.#wait(block);
        return;
      }
      if (place === 'accepted') await this.#submit(block);
    }
    await this.#release(hash);
  }

  /** Resolves when all that was taken is decided. Throws NodeError on operational failure. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending);
    this.#throwFailure();
  }

  /** Gives the chain the header first: then the children's can follow before the body is decided. */
  #place(header: Block['header']): 'accepted' | 'orphan' | 'invalid' {
    const verdict = this.#chain.submitHeaders([header]);
    if (verdict.kind === 'accepted') return 'accepted';
    if (verdict.failure.kind === 'missing-prev') return 'orphan';
    this.counts.invalid++;
    this.#rejected({ hash: header.hash, code: verdict.failure.code });
    return 'invalid';
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
    this.#pendingBytes += block.size;
    const decision = this.#decide(block)
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#pendingBytes -= block.size;
        this.#pending.delete(decision);
      });
    this.#pending.add(decision);
    const { minBlocks, maxBytes } = this.#options.pending;
    while (this.#pending.size > minBlocks && this.#pendingBytes > maxBytes) await Promise.race(this.#pending);
  }

  async #decide(block: Block): Promise<void> {
    const verdict = await this.#chain.submitBlock(block);
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
        if (block !== undefined) this.#heldBytes -= block.size;
        parents.push(header.hash);
        if (this.#place(header) !== 'accepted') continue;
        if (block === undefined) this.wanted.add(header.hash);
        else await this.#submit(block);
      }
    }
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
