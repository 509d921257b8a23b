/**
 * A number of bytes that may be held at once. Whoever wants more waits in line; the first in line gets through when
 * its bytes fit, or when nothing is held at all, so that something larger than the whole budget passes alone.
 */
type Waiter = { readonly bytes: number; readonly admit: () => void };

export class ByteBudget {
  readonly #limit: number;
  readonly #line: Waiter[] = [];
  #held = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes held now. */
  get held(): number {
    return this.#held;
  }

  /** Resolves once `bytes` are ours. Rejects with the signal's reason; then nothing was taken. */
  async acquire(bytes: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#line.length === 0 && this.#fits(bytes)) {
      this.#held += bytes;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        this.#line.splice(this.#line.indexOf(waiter), 1);
        reject(signal.reason);
        this.#admitNext();
      };
      const waiter: Waiter = {
        bytes,
        admit: () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      this.#line.push(waiter);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Takes `bytes` without waiting: for what is there already. A negative number gives back. */
  adjust(bytes: number): void {
    this.#held += bytes;
    if (bytes < 0) this.#admitNext();
  }

  #fits(bytes: number): boolean {
    return this.#held <= 0 || this.#held + bytes <= this.#limit;
  }

  #admitNext(): void {
    for (let first = this.#line[0]; first !== undefined && this.#fits(first.bytes); first = this.#line[0]) {
      this.#line.shift();
      this.#held += first.bytes;
      first.admit();
    }
  }
}
