/**
 * How much this node uploads in 24 hours (Core's -maxuploadtarget). When what is left is only enough for a full block
 * every ten minutes, blocks older than a week are not served any more; everything else always is. The count begins
 * anew with each cycle and each start, as in Core.
 */
import type { Clock, TimerHandle } from '#util';

/** Core's MAX_UPLOAD_TIMEFRAME. */
const CYCLE_MS = 24 * 3_600_000;
const BLOCK_INTERVAL_MS = 10 * 60_000;
/** Core's MAX_BLOCK_SERIALIZED_SIZE. */
const MAX_BLOCK_BYTES = 4_000_000;
/** Between two looks at what the network has sent. */
const LOOK_MS = 10_000;

/** As Core's getnettotals shows it under `uploadtarget`. */
export type UploadStatus = {
  readonly cycleMs: number;
  /** 0: no limit. */
  readonly targetBytes: number;
  readonly isReached: boolean;
  readonly servesHistoricalBlocks: boolean;
  readonly bytesLeftInCycle: number;
  readonly timeLeftInCycleMs: number;
};

export class UploadTarget implements Disposable {
  readonly #targetBytes: number;
  readonly #clock: Clock;
  #cycleStartMs: number | undefined;
  #sentInCycle = 0;
  /** What `sent` was told last. */
  #total = 0;
  /** Served since, and not in that total yet. */
  #ahead = 0;
  #timer: TimerHandle | undefined;

  /** `targetBytes` in 24 hours; 0 for no limit. */
  constructor(targetBytes: number, clock: Clock) {
    this.#targetBytes = targetBytes;
    this.#clock = clock;
  }

  /** Looks at what was sent from now on; `bytesOut` gives all since the start. */
  follow(bytesOut: () => Promise<number>): void {
    if (this.#targetBytes === 0) return;
    this.#timer = this.#clock.after(LOOK_MS, () => {
      bytesOut()
        .then(
          (total) => this.sent(total),
          // The network is about to end, and the node with it.
          () => {},
        )
        .finally(() => this.#timer !== undefined && this.follow(bytesOut));
    });
  }

  /** The network has sent so many bytes in all. */
  sent(total: number): void {
    this.#record(Math.max(0, total - this.#total));
    this.#total = total;
    this.#ahead = 0;
  }

  /** So many bytes are about to be sent: counted until the network has counted them. */
  serving(bytes: number): void {
    this.#ahead += bytes;
  }

  /** Core's OutboundTargetReached, for blocks older than a week. */
  get servesHistoricalBlocks(): boolean {
    if (this.#targetBytes === 0) return true;
    const reserved = Math.floor(this.#timeLeftMs() / BLOCK_INTERVAL_MS) * MAX_BLOCK_BYTES;
    return reserved < this.#targetBytes && this.#sent() < this.#targetBytes - reserved;
  }

  get status(): UploadStatus {
    const left = Math.max(0, this.#targetBytes - this.#sent());
    return {
      cycleMs: CYCLE_MS,
      targetBytes: this.#targetBytes,
      isReached: this.#targetBytes > 0 && left === 0,
      servesHistoricalBlocks: this.servesHistoricalBlocks,
      bytesLeftInCycle: left,
      timeLeftInCycleMs: this.#targetBytes === 0 ? 0 : this.#timeLeftMs(),
    };
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #record(bytes: number): void {
    const nowMs = this.#clock.monotonicMs();
    if (this.#cycleStartMs === undefined || nowMs > this.#cycleStartMs + CYCLE_MS) {
      this.#cycleStartMs = nowMs;
      this.#sentInCycle = 0;
    }
    this.#sentInCycle += bytes;
  }

  #sent(): number {
    return this.#sentInCycle + this.#ahead;
  }

  #timeLeftMs(): number {
    if (this.#cycleStartMs === undefined) return CYCLE_MS;
    return Math.max(0, this.#cycleStartMs + CYCLE_MS - this.#clock.monotonicMs());
  }
}
