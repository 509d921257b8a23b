/**
 * How much one host (IPv4 address or IPv6 /64) may take of us before it has proved anything: handshakes at once,
 * standing connections, new ones a second. Local hosts are exempt: many nodes on one machine are no attack. All
 * handshakes together are bounded too, and there a newcomer is not refused but takes the place of the oldest of the host
 * that has most: sockets that say nothing must not lock others out.
 */
import type { MultiaddrConnection } from '@libp2p/interface';
import type { Clock } from '#util';
import { hostKey, isLocalIp } from './addresses.ts';
import { boundNegotiation } from './negotiation.ts';
import { TokenBuckets } from './token-bucket.ts';

const MAX_PENDING = 2;
const MAX_PENDING_IN_ALL = 64;
const MAX_CONNECTIONS = 4;
const RATE = { burst: 10, perSecond: 1 };

type Pending = Pick<MultiaddrConnection, 'addEventListener' | 'abort' | 'send'>;

export type HostLimitsDeps = {
  readonly clock: Clock;
  /** Standing connections. */
  readonly connectionsOf: (host: string) => number;
  readonly sparesLocalHosts: boolean;
};

export class HostLimits {
  readonly #deps: HostLimitsDeps;
  readonly #rates: TokenBuckets;
  /** Handshakes in progress and their hosts, oldest first. */
  readonly #pending = new Map<Pending, string>();

  constructor(deps: HostLimitsDeps) {
    this.#deps = deps;
    this.#rates = new TokenBuckets(deps.clock);
  }

  /** Whether the host may connect once more. To be asked once a connection. */
  mayConnect(ip: string): boolean {
    if (this.#deps.sparesLocalHosts && isLocalIp(ip)) return true;
    const host = hostKey(ip) ?? ip;
    if ((this.#pendingByHost().get(host) ?? 0) >= MAX_PENDING) return false;
    if (this.#deps.connectionsOf(host) >= MAX_CONNECTIONS) return false;
    return this.#rates.take(host, RATE, 1);
  }

  /** The handshake begins: it counts as pending until `settled` or its close. */
  begin(connection: Pending, ip: string): void {
    if (this.#pending.size >= MAX_PENDING_IN_ALL) this.#makeRoom();
    this.#pending.set(connection, hostKey(ip) ?? ip);
    boundNegotiation(connection, () => this.#pending.has(connection));
    connection.addEventListener('close', () => this.settled(connection), { once: true });
  }

  /** The handshake is over, one way or the other. May be told twice. */
  settled(connection: Pending): void {
    this.#pending.delete(connection);
  }

  #makeRoom(): void {
    const counts = [...this.#pendingByHost()];
    const [busiest] = counts.reduce((most, next) => (next[1] > most[1] ? next : most));
    for (const [connection, host] of this.#pending) {
      if (host !== busiest) continue;
      this.settled(connection);
      connection.abort(new Error('others wait to come in'));
      return;
    }
  }

  #pendingByHost(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const host of this.#pending.values()) counts.set(host, (counts.get(host) ?? 0) + 1);
    return counts;
  }
}
