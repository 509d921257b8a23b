/** Decides submissions one at a time in their order. What waits is bounded; when it is too much the newest is refused. */
import type { Transaction } from '#primitives';
import { type Clock, Serial } from '#util';
import type { MempoolOptions } from './options.ts';
import type { MempoolVerdict, TxOrigin } from './port.ts';
import { Slices } from './slices.ts';

type Bounds = Pick<MempoolOptions, 'maxPending' | 'maxPendingPerOrigin' | 'maxPendingBytes'>;

const BUSY: MempoolVerdict = { kind: 'unavailable', reason: 'too many transactions wait' };

export class SubmitQueue {
  readonly #bounds: Bounds;
  readonly #decide: (tx: Transaction) => Promise<MempoolVerdict>;
  readonly #serial = new Serial();
  readonly #slices: Slices;
  /** By origin; those without any are not in the map, so it is bounded like the queue. */
  readonly #waiting = new Map<TxOrigin, number>();
  #waitingOfPeers = 0;
  #bytesOfPeers = 0;

  constructor(bounds: Bounds, clock: Clock, decide: (tx: Transaction) => Promise<MempoolVerdict>) {
    this.#slices = new Slices(clock);
    this.#bounds = bounds;
    this.#decide = decide;
  }

  async submit(tx: Transaction, origin: TxOrigin): Promise<MempoolVerdict> {
    if (!this.#hasRoom(tx, origin)) return BUSY;
    this.#count(tx, origin, 1);
    try {
      return await this.#serial.run(async () => {
        await this.#slices.rest();
        return this.#decide(tx);
      });
    } finally {
      this.#count(tx, origin, -1);
    }
  }

  /** Resolves when everything that was submitted before is decided. */
  idle(): Promise<void> {
    return this.#serial.idle();
  }

  /** A user of this node waits apart from the peers: they cannot crowd it out. */
  #hasRoom(tx: Transaction, origin: TxOrigin): boolean {
    const own = this.#waiting.get(origin) ?? 0;
    if (origin === 'local') return own < this.#bounds.maxPending;
    return (
      own < this.#bounds.maxPendingPerOrigin &&
      this.#waitingOfPeers < this.#bounds.maxPending &&
      this.#bytesOfPeers + tx.size <= this.#bounds.maxPendingBytes
    );
  }

  #count(tx: Transaction, origin: TxOrigin, by: 1 | -1): void {
    const own = (this.#waiting.get(origin) ?? 0) + by;
    if (own === 0) this.#waiting.delete(origin);
    else this.#waiting.set(origin, own);
    if (origin === 'local') return;
    this.#waitingOfPeers += by;
    this.#bytesOfPeers += by * tx.size;
  }
}
