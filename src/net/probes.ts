/**
 * Connections by which an address is tried (AutoNAT's dial backs), and those that the other end is about to close: they end
 * by themselves, are no peer's connection, and count where connections are limited.
 */
import type { Connection } from '@libp2p/interface';
import type { Clock, TimerHandle } from '#util';
import type { PeerIdText } from './port.ts';

/** AutoNAT's own time for a request. */
const PROBE_MS = 30_000;

export class Probes {
  readonly #probes = new Map<Connection, TimerHandle>();
  readonly #clock: Clock;
  readonly #close: (connection: Connection) => void;

  constructor(clock: Clock, close: (connection: Connection) => void) {
    this.#clock = clock;
    this.#close = close;
  }

  add(connection: Connection): void {
    this.#probes.set(
      connection,
      this.#clock.after(PROBE_MS, () => this.#close(connection)),
    );
  }

  closed(connection: Connection): void {
    this.#probes.get(connection)?.cancel();
    this.#probes.delete(connection);
  }

  has(connection: Connection): boolean {
    return this.#probes.has(connection);
  }

  all(): IterableIterator<Connection> {
    return this.#probes.keys();
  }

  of(peer: PeerIdText): Connection[] {
    return [...this.#probes.keys()].filter(({ remotePeer }) => remotePeer.toString() === peer);
  }

  stop(): void {
    for (const timer of this.#probes.values()) timer.cancel();
    this.#probes.clear();
  }
}
