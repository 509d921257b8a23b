/**
 * So much of one kind of line an hour, as Bitcoin Core limits what one place of its source logs (LogRateLimiter): peers cause
 * lines, and must not fill the disk. What is left out is counted and told at the end of the hour.
 */
import type { Clock } from '#util';

const WINDOW_MS = 3_600_000;
/** Core's figure. */
const MAX_BYTES = 1 << 20;
/** Who asks for debug lines wants to see them. */
const MAX_DEBUG_BYTES = 32 << 20;
/** Kinds are texts of our own code; a text with a value in it would make many. All others then share one budget. */
const MAX_SOURCES = 1_000;
const OTHERS = 'other lines';
/** Level, time, marks. */
const LINE_BYTES = 60;

type Spent = { bytes: number; linesLeftOut: number };

export type LeftOut = { readonly source: string; readonly lines: number };

export class LogLimit {
  readonly #clock: Clock;
  readonly #sources = new Map<string, Spent>();
  #endMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#endMs = clock.monotonicMs() + WINDOW_MS;
  }

  /** `last`: to be written, and the last of its kind in this hour. */
  take(source: string, fields: Readonly<Record<string, unknown>>, isDebug: boolean): 'write' | 'last' | 'drop' {
    const spent = this.#spentBy(source);
    const most = isDebug ? MAX_DEBUG_BYTES : MAX_BYTES;
    if (spent.bytes > most) {
      spent.linesLeftOut++;
      return 'drop';
    }
    spent.bytes += LINE_BYTES + source.length;
    for (const [name, value] of Object.entries(fields)) spent.bytes += name.length + String(value).length;
    return spent.bytes > most ? 'last' : 'write';
  }

  /** What was left out in the hour that has ended; nothing while it lasts. */
  ended(): readonly LeftOut[] {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < this.#endMs) return [];
    this.#endMs = nowMs + WINDOW_MS;
    const leftOut = [...this.#sources].map(([source, { linesLeftOut }]) => ({ source, lines: linesLeftOut }));
    this.#sources.clear();
    return leftOut.filter(({ lines }) => lines > 0);
  }

  #spentBy(source: string): Spent {
    const key = this.#sources.has(source) || this.#sources.size < MAX_SOURCES ? source : OTHERS;
    let spent = this.#sources.get(key);
    if (spent === undefined) {
      spent = { bytes: 0, linesLeftOut: 0 };
      this.#sources.set(key, spent);
    }
    return spent;
  }
}
