/**
 * How much one host (IPv4 address or IPv6 /64) may take of us before it has proved anything: handshakes at once,
 * standing connections, new ones a second. Local hosts are exempt: many nodes on one machine are no attack.
 */
import type { MultiaddrConnection } from '@libp2p/interface';
import type { Clock } from '#util';
import { hostKey, isLocalIp } from './addresses.ts';
import { TokenBuckets } from './token-bucket.ts';

const MAX_PENDING = 2;
const MAX_CONNECTIONS = 4;
const RATE = { burst: 10, perSecond: 1 };

export class HostLimits {
  readonly #pending = new Map<string, number>();
  readonly #rates: TokenBuckets;
  readonly #connectionsOf: (host: string) => number;
  /** What ends a handshake in progress, by the timeline of its connection. */
  readonly #settling = new WeakMap<object, () => void>();

  constructor(clock: Clock, connectionsOf: (host: string) => number) {
    this.#rates = new TokenBuckets(clock);
    this.#connectionsOf = connectionsOf;
  }

  /** Whether a new connection may begin its handshake; if so it counts as pending until `settled` or its close. */
  admit(connection: MultiaddrConnection, ip: string): boolean {
    if (isLocalIp(ip)) return true;
    const host = hostKey(ip) ?? ip;
    const waiting = this.#pending.get(host) ?? 0;
    if (waiting >= MAX_PENDING || this.#connectionsOf(host) >= MAX_CONNECTIONS) return false;
    if (!this.#rates.take(host, RATE, 1)) return false;
    this.#pending.set(host, waiting + 1);
    this.#settling.set(connection.timeline, () => this.#leave(host));
    connection.addEventListener('close', () => this.settled(connection), { once: true });
    return true;
  }

  /** The handshake is over, one way or the other. May be told twice. */
  settled(connection: MultiaddrConnection): void {
    this.#settling.get(connection.timeline)?.();
    this.#settling.delete(connection.timeline);
  }

  #leave(host: string): void {
    const left = (this.#pending.get(host) ?? 1) - 1;
    if (left > 0) this.#pending.set(host, left);
    else this.#pending.delete(host);
  }
}
