/** Runs async tasks one after another, in the order of the calls. */
export class Serial {
  #last: Promise<unknown> = Promise.resolve();
  #pending = 0;

  /** Tasks waiting or running. */
  get pending(): number {
    return this.#pending;
  }

  /** Queues the task; a failed one does not stop those behind it. */
  run<T>(task: () => Promise<T> | T): Promise<T> {
    this.#pending++;
    const result = this.#last.then(task);
    this.#last = result
      .catch(() => {})
      .finally(() => {
        this.#pending--;
      });
    return result;
  }

  /** Resolves when everything queued so far is done. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
