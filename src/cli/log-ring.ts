/** The newest log lines, for who looks at a running node. Bound: MAX_LINES; each is taken apart only when somebody looks. */
import type { LogLine, LogSource } from '#dashboard';
import { logLine } from './log-lines.ts';

const MAX_LINES = 500;

export class LogRing implements LogSource {
  /** A ring once it is full: the oldest is where the next one goes. */
  readonly #lines: string[] = [];
  #written = 0;
  readonly #listeners = new Set<(line: LogLine) => void>();

  /** A line as pino made it. */
  readonly write = (json: string): void => {
    const number = this.#written++;
    this.#lines[number % MAX_LINES] = json;
    if (this.#listeners.size === 0) return;
    const line = logLine(json, number);
    for (const listener of this.#listeners) listener(line);
  };

  readonly recent = (): readonly LogLine[] => {
    const count = Math.min(this.#written, MAX_LINES);
    return Array.from({ length: count }, (_, at) => {
      const number = this.#written - count + at;
      return logLine(this.#lines[number % MAX_LINES] ?? '{}', number);
    });
  };

  readonly listen = (listener: (line: LogLine) => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}
