/**
 * The uplink of a simulated peer: what it sends at a time shares its rate evenly, as streams of one connection do.
 * The rate may change and may be 0. Invariants: bytes pass at the rate, whoever waits; a transfer that gets no byte
 * for `timeoutMs` fails with TIMEOUT, as the network layer's progress deadline does; all waiting is the clock's.
 */
import { assert, type Clock, NodeError, type TimerHandle } from '#util';

type Transfer = {
  leftBytes: number;
  /** When it last got a byte. */
  fedMs: number;
  readonly done: (error?: unknown) => void;
};

/** Waits are no shorter: what rounding leaves of a wait would not move the clock. */
const MIN_WAIT_MS = 0.01;
/** Less than a byte: what is left by rounding. */
const NOTHING_BYTES = 1e-3;

export class SimLink {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #transfers = new Set<Transfer>();
  #bytesPerSecond: number;
  #passedBytes = 0;
  #atMs: number;
  #timer: TimerHandle | undefined;

  constructor(clock: Clock, bytesPerSecond: number, timeoutMs: number) {
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
    this.#timeoutMs = timeoutMs;
    this.#atMs = clock.monotonicMs();
  }

  get bytesPerSecond(): number {
    return this.#bytesPerSecond;
  }

  /** Bytes that went over it, those of unfinished transfers included. */
  get passedBytes(): number {
    this.#pass();
    return this.#passedBytes;
  }

  setRate(bytesPerSecond: number): void {
    assert(bytesPerSecond >= 0, 'a rate is not negative');
    this.#pass();
    this.#bytesPerSecond = bytesPerSecond;
    this.#arm();
  }

  /** Resolves when all bytes are across; rejects with the signal's reason, or when nothing passes for too long. */
  send(bytes: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = (): void => transfer.done(signal.reason);
      const transfer: Transfer = {
        leftBytes: bytes,
        fedMs: this.#clock.monotonicMs(),
        done: (error) => {
          signal.removeEventListener('abort', onAbort);
          this.#pass();
          this.#transfers.delete(transfer);
          this.#arm();
          if (error === undefined) resolve();
          else reject(error);
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#pass();
      this.#transfers.add(transfer);
      this.#arm();
    });
  }

  /** Books what has passed since the last change. */
  #pass(): void {
    const nowMs = this.#clock.monotonicMs();
    const share = this.#share();
    for (const transfer of share > 0 ? this.#transfers : []) {
      const bytes = Math.min(transfer.leftBytes, ((nowMs - this.#atMs) * share) / 1000);
      transfer.leftBytes -= bytes;
      transfer.fedMs = nowMs;
      this.#passedBytes += bytes;
    }
    this.#atMs = nowMs;
  }

  #share(): number {
    return this.#transfers.size === 0 ? 0 : this.#bytesPerSecond / this.#transfers.size;
  }

  /** Wakes when the next transfer is across, or has waited for too long. */
  #arm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    let waitMs = Number.POSITIVE_INFINITY;
    const share = this.#share();
    for (const { leftBytes, fedMs } of this.#transfers) {
      const endMs = share > 0 ? (leftBytes / share) * 1000 : fedMs + this.#timeoutMs - this.#atMs;
      waitMs = Math.min(waitMs, endMs);
    }
    if (waitMs < Number.POSITIVE_INFINITY)
      this.#timer = this.#clock.after(Math.max(MIN_WAIT_MS, waitMs), () => this.#wake());
  }

  #wake(): void {
    this.#timer = undefined;
    this.#pass();
    for (const transfer of [...this.#transfers]) {
      if (transfer.leftBytes <= NOTHING_BYTES) transfer.done();
      else if (this.#atMs - transfer.fedMs >= this.#timeoutMs)
        transfer.done(new NodeError('TIMEOUT', 'no byte in time'));
    }
    if (this.#timer === undefined) this.#arm();
  }
}
