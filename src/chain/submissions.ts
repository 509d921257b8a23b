/** Blocks that were submitted and are not decided yet. */
export class Submissions {
  readonly #open = new Set<Promise<unknown>>();
  #newest: Promise<unknown> | undefined;

  /** `isNewest`: nothing else would be the tip once it is valid. Settles like `submission`. */
  async track<T>(submission: Promise<T>, isNewest: boolean): Promise<T> {
    this.#open.add(submission);
    if (isNewest) this.#newest = submission;
    try {
      return await submission;
    } finally {
      this.#open.delete(submission);
      if (this.#newest === submission) this.#newest = undefined;
    }
  }

  /** Resolves when all that were submitted so far are decided. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#open);
  }

  /** Undefined when no block is open that would be the tip; resolves when none is any more. */
  newestDecided(): Promise<void> | undefined {
    return this.#newest && this.#untilNoneIs();
  }

  async #untilNoneIs(): Promise<void> {
    while (this.#newest !== undefined) await Promise.allSettled([this.#newest]);
  }
}
