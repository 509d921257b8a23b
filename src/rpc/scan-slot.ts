/** At most one scan of a kind at a time (Core's CoinsViewScanReserver): how far it is, and how it is ended. */

type Running = { readonly abort: AbortController; share: number; height: number };

export class ScanSlot {
  #running: Running | undefined;

  /** 0 to 100; undefined when none runs. */
  get progress(): number | undefined {
    return this.#running && Math.floor(this.#running.share * 100);
  }

  /** Of the block at work, in a scan of blocks; undefined when none runs. */
  get height(): number | undefined {
    return this.#running?.height;
  }

  /** Whether there was one. */
  abort(): boolean {
    this.#running?.abort.abort(new Error('the scan was aborted'));
    return this.#running !== undefined;
  }

  /** Undefined, and nothing is run, while another runs. `scan` hears of the abort by its signal. */
  run<T>(
    scan: (signal: AbortSignal, onProgress: (share: number, height?: number) => void) => Promise<T>,
  ): Promise<T> | undefined {
    if (this.#running !== undefined) return undefined;
    const running: Running = { abort: new AbortController(), share: 0, height: 0 };
    this.#running = running;
    return scan(running.abort.signal, (share, height = 0) => {
      running.share = share;
      running.height = height;
    }).finally(() => {
      this.#running = undefined;
    });
  }
}
