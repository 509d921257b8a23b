/**
 * The block that the pool agrees with. While a change of the chain is being worked in there is none, and nothing is
 * admitted: at a tip in between a double spend of what is about to come back would be taken first. In Core a lock
 * (cs_main) keeps submissions out of a reorganisation, and out of the time in which the newest block is checked: here that
 * block's scripts would have to share the processor with them.
 */
import type { Chain } from '#chain';
import type { BlockHash } from '#primitives';

export class SyncedTip {
  readonly #chain: Pick<Chain, 'tip' | 'newestDecided'>;
  readonly #signal: AbortSignal;
  readonly #aborted: Promise<void>;
  #hash: BlockHash | undefined;
  #arrival = Promise.withResolvers<void>();

  /** After the signal aborts nobody waits any more. */
  constructor(chain: Pick<Chain, 'tip' | 'newestDecided'>, signal: AbortSignal) {
    this.#chain = chain;
    this.#signal = signal;
    this.#hash = chain.tip().hash;
    this.#aborted = new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    void this.#aborted.then(() => this.#arrival.resolve());
  }

  get hash(): BlockHash | undefined {
    return this.#hash;
  }

  depart(): void {
    this.#hash = undefined;
  }

  arrive(hash: BlockHash): void {
    const { resolve } = this.#arrival;
    this.#hash = hash;
    this.#arrival = Promise.withResolvers();
    resolve();
  }

  /** Resolves when it is the chain's tip, and no newer block is looked at: the chain may have moved before it told anybody. */
  async caughtUp(): Promise<void> {
    const newest = this.#signal.aborted ? undefined : this.#chain.newestDecided();
    if (newest !== undefined) await Promise.race([newest, this.#aborted]);
    while (this.#hash !== this.#chain.tip().hash && !this.#signal.aborted) await this.#arrival.promise;
  }
}
