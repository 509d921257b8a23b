/**
 * Bodies on their way into the chain: heaviest branch first, lowest height first, a few calls at a time, so that the chain is never idle and
 * little is decoded ahead. Also the memory bound of the download: readers wait while `maxBytes` are undecided.
 * Invariants: a body leaves only when the chain has decided on it; an operational failure (a full disk) blames nobody,
 * keeps the body and is tried again later, with a reason that people can read.
 */
import type { BlockVerdict } from '#chain';
import type { ValidationFailure } from '#consensus';
import { Block } from '#primitives';
import { NodeError, type TimerHandle } from '#util';
import { Backoff } from './backoff.ts';
import type { Slot } from './batches.ts';
import type { PeerId, SyncDeps } from './port.ts';

export type Body = {
  readonly slot: Slot;
  /** 0 for what the heaviest branch needs. */
  readonly rank: number;
  /** Who served these bytes. */
  readonly from: PeerId;
  readonly bytes: Uint8Array;
};

export type BodyVerdict =
  | { readonly kind: 'stored' }
  | { readonly kind: 'invalid'; readonly failure: ValidationFailure };

export type IntakeOptions = {
  /** Bytes received and not decided, in memory. One body a reader may come on top. */
  readonly maxBytes: number;
  /** Calls of submitBlock under way: the scripts of some run while the next ones are decoded and checked. */
  readonly depth: number;
};

const MIN_RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;

type IntakeDeps = Pick<SyncDeps, 'chain' | 'fatal' | 'clock' | 'log'> & {
  readonly decided: (body: Body, verdict: BodyVerdict) => void;
  /** Called when taking bodies stopped, and when it goes on. */
  readonly paused: () => void;
  readonly resumed: () => void;
};

export class Intake {
  readonly #deps: IntakeDeps;
  readonly #options: IntakeOptions;
  readonly #retry = new Backoff(MIN_RETRY_MS, MAX_RETRY_MS);
  /** What is needed last first: the next one is taken from the end. */
  readonly #waiting: Body[] = [];
  readonly #running = new Set<Promise<void>>();
  #readers: (() => void)[] = [];
  #bytes = 0;
  #isPaused = false;
  /** The one body with which a paused intake tries whether things work again. */
  #probe: Body | undefined;
  /** Stands until the chain decides on a body again. */
  #pausedReason = '';
  #timer: TimerHandle | undefined;
  #isDisposed = false;

  constructor(deps: IntakeDeps, options: IntakeOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** Bytes received and not decided. */
  get bytes(): number {
    return this.#bytes;
  }

  get isFull(): boolean {
    return this.#bytes >= this.#options.maxBytes;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Why nothing was taken the last time; empty while all goes well. */
  get pausedReason(): string {
    return this.#pausedReason;
  }

  /** Takes ownership of the bytes. */
  add(body: Body): void {
    this.#bytes += body.bytes.length;
    this.#insert(body);
    this.#pump();
  }

  /** Resolves when there is room again (also when disposed). */
  room(): Promise<void> {
    if (!this.isFull || this.#isDisposed) return Promise.resolve();
    return new Promise((resolve) => this.#readers.push(resolve));
  }

  /** Waits for the calls under way; bodies that still wait are dropped. */
  async dispose(): Promise<void> {
    this.#isDisposed = true;
    this.#timer?.cancel();
    this.#waiting.length = 0;
    this.#wakeReaders();
    await Promise.all(this.#running);
  }

  #insert(body: Body): void {
    let low = 0;
    let high = this.#waiting.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#waiting[middle];
      if (other !== undefined && isLater(other, body)) low = middle + 1;
      else high = middle;
    }
    this.#waiting.splice(low, 0, body);
  }

  #pump(): void {
    while (!this.#isDisposed && !this.#isPaused && this.#running.size < this.#options.depth) {
      const body = this.#waiting.pop();
      if (body === undefined) return;
      this.#call(body);
    }
  }

  #call(body: Body): void {
    const call = this.#submit(body)
      .catch((error: unknown) => this.#deps.fatal(error))
      .finally(() => {
        this.#running.delete(call);
        this.#pump();
      });
    this.#running.add(call);
  }

  async #submit(body: Body): Promise<void> {
    let verdict: BlockVerdict;
    try {
      verdict = await this.#deps.chain.submitBlock(new Block(body.bytes));
    } catch (error) {
      if (!(error instanceof NodeError)) throw error;
      return this.#pause(body, error.message);
    }
    this.#decided(body, verdict.kind === 'invalid' ? verdict : { kind: 'stored' });
  }

  #decided(body: Body, verdict: BodyVerdict): void {
    this.#bytes -= body.bytes.length;
    if (!this.isFull) this.#wakeReaders();
    if (this.#isDisposed) return;
    this.#deps.decided(body, verdict);
    if (this.#isPaused && body !== this.#probe) return;
    this.#retry.succeed();
    this.#pausedReason = '';
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#probe = undefined;
    this.#deps.resumed();
  }

  #pause(body: Body, reason: string): void {
    this.#insert(body);
    if (this.#isDisposed || (this.#isPaused && body !== this.#probe)) return;
    const { clock, log, paused } = this.#deps;
    const waitMs = this.#retry.fail(clock.monotonicMs());
    const isNew = !this.#isPaused;
    this.#isPaused = true;
    this.#probe = undefined;
    this.#pausedReason = reason;
    log.warn('blocks cannot be stored; trying again later', { reason, waitMs });
    this.#timer = clock.after(waitMs, () => {
      this.#probe = this.#waiting.pop();
      if (this.#probe !== undefined) this.#call(this.#probe);
    });
    if (isNew) paused();
  }

  #wakeReaders(): void {
    const readers = this.#readers;
    this.#readers = [];
    for (const wake of readers) wake();
  }
}

function isLater(a: Body, b: Body): boolean {
  return a.rank === b.rank ? a.slot.height > b.slot.height : a.rank > b.rank;
}
