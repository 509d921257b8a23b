/**
 * What we think of peers. An offence costs points by its severity; points fade with a half-life; at a threshold the
 * peer is disconnected, at a higher one banned: its id, and its host unless that is local (ids are free, hosts less
 * so). Bans are kept in a file and outlive restarts and reconnections, unlike gossipsub's scores.
 * Peers that the operator asked for are disconnected for what they do, never banned.
 */
import { type OffenceName, offences } from '#protocol';
import type { Clock, Logger } from '#util';
import { hostKey, isLocalIp } from './addresses.ts';
import { BoundedMap } from './bounded-map.ts';
import type { JsonFile } from './json-file.ts';
import type { PeerIdText } from './port.ts';

/** One table for all that punishment is. Three serious offences within a few minutes are a ban, two a disconnect. */
const POINTS = { fatal: 100, serious: 40, minor: 5, incompatible: 0 } as const;
const DISCONNECT_AT = 60;
const BAN_AT = 100;

const MAX_SCORES = 8192;
const MAX_BANS = 10_000;

export type Judgement = 'noted' | 'disconnect' | 'ban';

type Score = { points: number; at: number };
type StoredBan = { readonly subject: string; readonly until: number; readonly reason: string };

export type ReputationOptions = {
  readonly penaltyHalfLifeMs: number;
  readonly banMs: number;
  readonly sparesLocalHosts: boolean;
};

export class Reputation {
  readonly #scores = new BoundedMap<string, Score>(MAX_SCORES);
  readonly #bans = new BoundedMap<string, StoredBan>(MAX_BANS);
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #file: JsonFile;
  readonly #options: ReputationOptions;

  private constructor(clock: Clock, log: Logger, file: JsonFile, options: ReputationOptions) {
    this.#clock = clock;
    this.#log = log;
    this.#file = file;
    this.#options = options;
  }

  /** Reads the bans that still hold. */
  static async open(clock: Clock, log: Logger, file: JsonFile, options: ReputationOptions): Promise<Reputation> {
    const reputation = new Reputation(clock, log, file, options);
    const stored = await file.read();
    if (Array.isArray(stored)) {
      for (const entry of stored.slice(0, MAX_BANS)) reputation.#restore(entry);
    }
    return reputation;
  }

  /** Adds the offence's points to the peer and its host, and says what follows. `ip` is undefined when unknown. */
  charge(peer: PeerIdText, ip: string | undefined, offence: OffenceName, isManual: boolean): Judgement {
    const { severity } = offences[offence];
    if (severity === 'incompatible') return 'disconnect';
    const points = this.#add(peerSubject(peer), POINTS[severity]);
    if (isManual) return severity === 'minor' ? 'noted' : 'disconnect';
    const isSpared = ip === undefined || (this.#options.sparesLocalHosts && isLocalIp(ip));
    const host = isSpared ? undefined : hostKey(ip);
    const hostPoints = host === undefined ? 0 : this.#add(hostSubject(host), POINTS[severity]);
    const worst = Math.max(points, hostPoints);
    if (worst >= BAN_AT) {
      this.#ban(peerSubject(peer), offence);
      if (host !== undefined) this.#ban(hostSubject(host), offence);
      this.#save();
      return 'ban';
    }
    return worst >= DISCONNECT_AT ? 'disconnect' : 'noted';
  }

  /** Current points, 0 for the unknown. */
  points(peer: PeerIdText): number {
    return this.#faded(peerSubject(peer));
  }

  isPeerBanned(peer: PeerIdText): boolean {
    return this.#isBanned(peerSubject(peer));
  }

  isIpBanned(ip: string): boolean {
    const host = hostKey(ip);
    return host !== undefined && this.#isBanned(hostSubject(host));
  }

  /** Waits until the bans are in their file. */
  async close(): Promise<void> {
    await this.#file.write(this.#alive());
  }

  #add(subject: string, points: number): number {
    const total = this.#faded(subject) + points;
    this.#scores.set(subject, { points: total, at: this.#clock.monotonicMs() });
    return total;
  }

  #faded(subject: string): number {
    const score = this.#scores.get(subject);
    if (score === undefined) return 0;
    const halfLives = (this.#clock.monotonicMs() - score.at) / this.#options.penaltyHalfLifeMs;
    return score.points * 2 ** -halfLives;
  }

  #ban(subject: string, reason: string): void {
    const until = this.#clock.now() + this.#options.banMs;
    this.#bans.set(subject, { subject, until, reason });
    this.#log.warn('banned', { subject, reason, untilUnixMs: until });
  }

  #isBanned(subject: string): boolean {
    const ban = this.#bans.get(subject);
    if (ban === undefined) return false;
    if (ban.until > this.#clock.now()) return true;
    this.#bans.delete(subject);
    return false;
  }

  #save(): void {
    void this.#file.write(this.#alive());
  }

  #alive(): StoredBan[] {
    const now = this.#clock.now();
    return [...this.#bans.entries()].map(([, ban]) => ban).filter((ban) => ban.until > now);
  }

  #restore(entry: unknown): void {
    if (typeof entry !== 'object' || entry === null) return;
    const { subject, until, reason } = entry as Record<string, unknown>;
    if (typeof subject !== 'string' || typeof until !== 'number' || typeof reason !== 'string') return;
    if (subject.length > 128 || until <= this.#clock.now()) return;
    this.#bans.set(subject, { subject, until, reason: reason.slice(0, 64) });
  }
}

function peerSubject(peer: PeerIdText): string {
  return `peer:${peer}`;
}

function hostSubject(host: string): string {
  return `host:${host}`;
}
