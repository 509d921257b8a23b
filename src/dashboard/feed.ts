/**
 * Readers of `/feed` and the one watch that they share: begun for the first, ended after the last. Bounds: readers, and what
 * waits for one of them, beyond which it is dropped; the source bounds what it tells.
 */
import { serving } from '#rpc';
import type { Clock } from '#util';
import type { DashboardSource, Watch } from './port.ts';

const MAX_READERS = 16;
/** A state of 500 long log lines and 50 blocks that 128 peers told of has some 700 kB. */
const MAX_WAITING_BYTES = 1 << 20;

export class DashboardFeed implements Disposable {
  readonly #source: DashboardSource;
  readonly #readers: serving.EventReaders;
  #watch: Promise<Watch> | undefined;
  /** Readers that are there or about to be. */
  #users = 0;

  constructor(source: DashboardSource, clock: Clock) {
    this.#source = source;
    this.#readers = new serving.EventReaders(clock, { maxReaders: MAX_READERS, maxWaitingBytes: MAX_WAITING_BYTES });
  }

  get isFull(): boolean {
    return this.#readers.isFull;
  }

  /** Until the signal aborts, or the reader is dropped. Not to be called when full. Rejects where the node cannot be watched. */
  add(reader: serving.EventReader, gone: AbortSignal): Promise<void> {
    this.#users++;
    const leave = (): void => {
      this.#users--;
      if (this.#users === 0) this.#end();
    };
    gone.addEventListener('abort', leave, { once: true });
    return this.#readers.add(reader, gone, async () => {
      this.#watch ??= this.#source.watch((name, data) =>
        this.#readers.send(serving.eventText(name, JSON.stringify(data))),
      );
      return serving.eventText('state', JSON.stringify((await this.#watch).state()));
    });
  }

  [Symbol.dispose](): void {
    this.#readers[Symbol.dispose]();
    this.#end();
  }

  #end(): void {
    const watch = this.#watch;
    this.#watch = undefined;
    // One that could not begin has been told of to who waited for it.
    void watch?.then(
      (begun) => begun[Symbol.dispose](),
      () => {},
    );
  }
}
