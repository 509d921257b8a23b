/**
 * The block that the pool agrees with. While a change of the chain is being worked in there is none, and nothing is
 * admitted: at a tip in between a double spend of what is about to come back would be taken first. In Core a lock
 * (cs_main) keeps submissions out of a reorganisation.
 */
import type { ChainReader } from '#chain';
import type { BlockHash } from '#primitives';

export class SyncedTip {
  readonly #chain: Pick<ChainReader, 'tip'>;
  readonly #signal: AbortSignal;
  #hash: BlockHash | undefined;
  #arrival = Promise.withResolvers<void>();

  /** After the signal aborts nobody waits any more. */
  constructor(chain: Pick<ChainReader, 'tip'>, signal: AbortSignal) {
    this.#chain = chain;
    this.#signal = signal;
    this.#hash = chain.tip().hash;
    signal.addEventListener('abort', () => this.#arrival.resolve(), { once: true });
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

  /** Resolves when it is the chain's tip: the chain may have moved before it told anybody. */
  async caughtUp(): Promise<void> {
    while (this.#hash !== this.#chain.tip().hash && !this.#signal.aborted) await this.#arrival.promise;
  }
}
