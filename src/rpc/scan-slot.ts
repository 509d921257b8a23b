/** At most one scan of all coins at a time (Core's CoinsViewScanReserver): how far it is, and how it is ended. */

export class ScanSlot {
  #running: { readonly abort: AbortController; progress: number } | undefined;

  /** 0 to 100; undefined when none runs. */
  get progress(): number | undefined {
    return this.#running && Math.floor(this.#running.progress * 100);
  }

  /** Whether there was one. */
  abort(): boolean {
    this.#running?.abort.abort(new Error('the scan was aborted'));
    return this.#running !== undefined;
  }

  /** Undefined, and nothing is run, while another runs. `scan` hears of the abort by its signal. */
  run<T>(scan: (signal: AbortSignal, onProgress: (share: number) => void) => Promise<T>): Promise<T> | undefined {
    if (this.#running !== undefined) return undefined;
    const running = { abort: new AbortController(), progress: 0 };
    this.#running = running;
    return scan(running.abort.signal, (share) => {
      running.progress = share;
    }).finally(() => {
      this.#running = undefined;
    });
  }
}
