/**
 * Readers of a stream of server-sent events, whatever it tells of. Bounds: readers, and what waits for one of them: beyond
 * that it is dropped, and learns what it missed from the state that its next connection begins with.
 */
import type { Clock, TimerHandle } from '#util';

export type EventReader = {
  readonly write: (text: string) => void;
  /** Written and not sent yet. */
  readonly waitingBytes: () => number;
  /** Ends its connection. */
  readonly drop: () => void;
};

export type ReaderTerms = {
  readonly maxReaders: number;
  readonly maxWaitingBytes: number;
  /** The first one has come, and the last one has left. */
  readonly onFirst?: () => void;
  readonly onEmpty?: () => void;
};

/** A comment that shows that the connection stands. */
const KEEP_ALIVE_MS = 15_000;

export class EventReaders implements Disposable {
  readonly #clock: Clock;
  readonly #terms: ReaderTerms;
  readonly #readers = new Set<EventReader>();
  #keepAliveTimer: TimerHandle | undefined;
  /** Readers that are there or about to be. */
  #places = 0;

  constructor(clock: Clock, terms: ReaderTerms) {
    this.#clock = clock;
    this.#terms = terms;
  }

  get isFull(): boolean {
    return this.#places >= this.#terms.maxReaders;
  }

  get isEmpty(): boolean {
    return this.#readers.size === 0;
  }

  /** Until the signal aborts, or the reader is dropped. `begin` gives what it gets first. Not to be called when full. */
  async add(reader: EventReader, gone: AbortSignal, begin: () => Promise<string>): Promise<void> {
    this.#places++;
    const leave = (): void => {
      this.#places--;
      this.#leave(reader);
    };
    gone.addEventListener('abort', leave, { once: true });
    const text = await begin();
    if (gone.aborted) return;
    this.#readers.add(reader);
    if (this.#readers.size === 1) this.#terms.onFirst?.();
    reader.write(text);
    this.#keepAliveTimer ??= this.#clock.after(KEEP_ALIVE_MS, () => this.#keepAlive());
  }

  send(text: string): void {
    if (text === '') return;
    for (const reader of this.#readers) {
      if (reader.waitingBytes() <= this.#terms.maxWaitingBytes) reader.write(text);
      else this.#drop(reader);
    }
  }

  [Symbol.dispose](): void {
    this.#keepAliveTimer?.cancel();
    for (const reader of this.#readers) this.#drop(reader);
  }

  #drop(reader: EventReader): void {
    this.#leave(reader);
    reader.drop();
  }

  #leave(reader: EventReader): void {
    if (this.#readers.delete(reader) && this.#readers.size === 0) this.#terms.onEmpty?.();
  }

  #keepAlive(): void {
    this.#keepAliveTimer = undefined;
    if (this.isEmpty) return;
    this.send(':\n\n');
    this.#keepAliveTimer = this.#clock.after(KEEP_ALIVE_MS, () => this.#keepAlive());
  }
}

/** `json` has no line breaks, so one `data` line holds it. */
export function eventText(name: string, json: string): string {
  return `event: ${name}\ndata: ${json}\n\n`;
}
