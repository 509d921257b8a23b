/** Decides submissions one at a time in their order. What waits is bounded; when it is too much the newest is refused. */
import { Histogram } from '#meter';
import { type Clock, Serial, Slices } from '#util';
import type { MempoolOptions } from './options.ts';
import type { MempoolFigures, TxOrigin } from './port.ts';
import { Refusals } from './refusals.ts';

type Bounds = Pick<MempoolOptions, 'maxPending' | 'maxPendingPerOrigin' | 'maxPendingBytes'>;

export class SubmitQueue {
  /** Of whoever submits here. */
  readonly refusals = new Refusals();
  readonly #bounds: Bounds;
  readonly #serial = new Serial();
  readonly #slices: Slices;
  readonly #clock: Clock;
  readonly #decideSeconds = new Histogram();
  /** By origin; those without any are not in the map, so it is bounded like the queue. */
  readonly #waiting = new Map<TxOrigin, number>();
  #waitingOfPeers = 0;
  #bytesOfPeers = 0;
  #refused = 0;

  constructor(bounds: Bounds, clock: Clock) {
    this.#slices = new Slices(clock);
    this.#clock = clock;
    this.#bounds = bounds;
  }

  /** Submissions that found no room, since the start. */
  get refused(): number {
    return this.#refused;
  }

  figures(): Omit<MempoolFigures, 'unbroadcast'> {
    const waiting = this.#waitingOfPeers + (this.#waiting.get('local') ?? 0);
    return { waiting, decideSeconds: this.#decideSeconds.figures(), refused: this.refusals.byReason() };
  }

  /** Undefined when there is no room. `bytes`: of what waits. */
  async submit<T>(bytes: number, origin: TxOrigin, decide: () => Promise<T>): Promise<T | undefined> {
    if (!this.#hasRoom(bytes, origin)) {
      this.#refused += 1;
      return undefined;
    }
    this.#count(bytes, origin, 1);
    try {
      return await this.#serial.run(async () => {
        await this.#slices.rest();
        return this.#timed(decide);
      });
    } finally {
      this.#count(bytes, origin, -1);
    }
  }

  async #timed<T>(decide: () => Promise<T>): Promise<T> {
    const startedMs = this.#clock.monotonicMs();
    const decided = await decide();
    this.#decideSeconds.add((this.#clock.monotonicMs() - startedMs) / 1000);
    return decided;
  }

  /** Resolves when everything that was submitted before is decided. */
  idle(): Promise<void> {
    return this.#serial.idle();
  }

  /** A user of this node waits apart from the peers: they cannot crowd it out. */
  #hasRoom(bytes: number, origin: TxOrigin): boolean {
    const own = this.#waiting.get(origin) ?? 0;
    if (origin === 'local') return own < this.#bounds.maxPending;
    return (
      own < this.#bounds.maxPendingPerOrigin &&
      this.#waitingOfPeers < this.#bounds.maxPending &&
      this.#bytesOfPeers + bytes <= this.#bounds.maxPendingBytes
    );
  }

  #count(bytes: number, origin: TxOrigin, by: 1 | -1): void {
    const own = (this.#waiting.get(origin) ?? 0) + by;
    if (own === 0) this.#waiting.delete(origin);
    else this.#waiting.set(origin, own);
    if (origin === 'local') return;
    this.#waitingOfPeers += by;
    this.#bytesOfPeers += by * bytes;
  }
}
