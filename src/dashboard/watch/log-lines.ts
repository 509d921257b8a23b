/** Log lines that wait to be told. Bound: MAX_LINES, the newest are only counted. */
import type { LogLine, LogsDelta } from '../contract.ts';
import type { LogSource } from '../port.ts';

const MAX_LINES = 200;

export class WaitingLines implements Disposable {
  readonly #stop: () => void;
  #lines: LogLine[] = [];
  #leftOut = 0;

  constructor(source: LogSource, onLine: () => void) {
    this.#stop = source.listen((line) => {
      if (this.#lines.length < MAX_LINES) this.#lines.push(line);
      else this.#leftOut++;
      onLine();
    });
  }

  [Symbol.dispose](): void {
    this.#stop();
  }

  /** Undefined if there is nothing. */
  take(): LogsDelta | undefined {
    if (this.#lines.length === 0) return undefined;
    const delta = { lines: this.#lines, leftOut: this.#leftOut };
    this.#lines = [];
    this.#leftOut = 0;
    return delta;
  }
}
