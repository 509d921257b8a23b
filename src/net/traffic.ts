/** What the streams of one peer carried, by protocol, and when last something went either way. */
import type { ByteCounts } from './operator-port.ts';

/** Ours are about forty; who speaks more has the rest under `other`. */
const MAX_PROTOCOLS = 64;
const OTHER = 'other';

type Counts = { bytesIn: number; bytesOut: number };

export class Traffic {
  readonly #byProtocol = new Map<string, Counts>();
  /** Unix milliseconds. */
  lastReceivedAt: number | undefined;
  lastSentAt: number | undefined;

  received(protocol: string, bytes: number, now: number): void {
    this.#countsOf(protocol).bytesIn += bytes;
    this.lastReceivedAt = now;
  }

  sent(protocol: string, bytes: number, now: number): void {
    this.#countsOf(protocol).bytesOut += bytes;
    this.lastSentAt = now;
  }

  byProtocol(): Readonly<Record<string, ByteCounts>> {
    return Object.fromEntries([...this.#byProtocol].map(([protocol, counts]) => [protocol, { ...counts }]));
  }

  #countsOf(protocol: string): Counts {
    const isFull = this.#byProtocol.size >= MAX_PROTOCOLS && !this.#byProtocol.has(protocol);
    const name = isFull ? OTHER : protocol;
    const known = this.#byProtocol.get(name);
    if (known !== undefined) return known;
    const counts = { bytesIn: 0, bytesOut: 0 };
    this.#byProtocol.set(name, counts);
    return counts;
  }
}
