/** Runs so many tasks at once and lets so many wait, first come, first served. Beyond that the newest is refused. */

export class WorkQueue {
  readonly #maxRunning: number;
  readonly #maxWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(maxRunning: number, maxWaiting: number) {
    this.#maxRunning = maxRunning;
    this.#maxWaiting = maxWaiting;
  }

  get isFull(): boolean {
    return this.#running >= this.#maxRunning && this.#waiting.length >= this.#maxWaiting;
  }

  /** Undefined when there is no room; nothing was run then. */
  run(task: () => Promise<void>): Promise<void> | undefined {
    if (this.#running < this.#maxRunning) return this.#start(task);
    if (this.isFull) return undefined;
    const turn = Promise.withResolvers<void>();
    this.#waiting.push(turn.resolve);
    return turn.promise.then(() => this.#start(task));
  }

  async #start(task: () => Promise<void>): Promise<void> {
    this.#running++;
    try {
      await task();
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }
}
