/**
 * What we think of peers. An offence costs points by its severity; points fade with a half-life; at a threshold the
 * peer is disconnected, at a higher one discouraged, as Core calls a ban that nobody decided on: its id, and its host unless
 * that is local (ids are free, hosts less so). Peers that the operator asked for are disconnected for what they do, never
 * discouraged. Beside these stand the operator's own bans, which hold for everybody.
 * Both are kept in one file and outlive restarts and reconnections, unlike gossipsub's scores.
 */
import { type OffenceName, offences } from '#protocol';
import type { Clock, Logger } from '#util';
import { hostKey, isLocalIp } from './addresses.ts';
import { type BanEntry, BanList } from './bans/ban-list.ts';
import { type BanTarget, parseSubnet } from './bans/ban-target.ts';
import { type Discouraged, MAX_DISCOURAGED, parseStoredBans, toStored } from './bans/stored.ts';
import { BoundedMap } from './bounded-map.ts';
import type { JsonFile } from './json-file.ts';
import { type Ban, type BanOptions, MAX_REASON_LENGTH, type Standing } from './operator-port.ts';
import type { PeerIdText } from './port.ts';

/** One table for all that punishment is. Three serious offences within a few minutes are a ban, two a disconnect. */
const POINTS = { fatal: 100, serious: 40, minor: 5, incompatible: 0 } as const;
const DISCONNECT_AT = 60;
const BAN_AT = 100;

const MAX_SCORES = 8192;
/** Core's DEFAULT_MISBEHAVING_BANTIME, for a ban by hand that does not say how long. */
const DEFAULT_BAN_MS = 24 * 3_600_000;

export type Judgement = 'noted' | 'disconnect' | 'ban';
export type BanVerdict = 'banned' | 'already-banned' | 'full' | 'in-the-past';

type Score = { points: number; at: number };

/** `banMs`: how long who is discouraged stays out. `sparesLocalHosts`: see the tuning of `options.ts`. */
export type ReputationOptions = {
  readonly penaltyHalfLifeMs: number;
  readonly banMs: number;
  readonly sparesLocalHosts: boolean;
};

export class Reputation {
  readonly #scores = new BoundedMap<string, Score>(MAX_SCORES);
  /** Those of whom nothing was heard for longest are forgotten first. */
  readonly #discouraged = new BoundedMap<string, Discouraged>(MAX_DISCOURAGED);
  readonly #byHand: BanList;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #file: JsonFile;
  readonly #options: ReputationOptions;
  #dropped = 0;

  private constructor(clock: Clock, log: Logger, file: JsonFile, options: ReputationOptions) {
    this.#byHand = new BanList(clock);
    this.#clock = clock;
    this.#log = log;
    this.#file = file;
    this.#options = options;
  }

  /** Reads the bans that still hold. */
  static async open(clock: Clock, log: Logger, file: JsonFile, options: ReputationOptions): Promise<Reputation> {
    const reputation = new Reputation(clock, log, file, options);
    const { bans, discouraged } = parseStoredBans(await file.read());
    const now = clock.now();
    for (const ban of bans) if (ban.untilMs > now) reputation.#byHand.add(ban);
    for (const entry of discouraged) if (entry.until > now) reputation.#discouraged.set(entry.subject, entry);
    return reputation;
  }

  /** Adds the offence's points to the peer and its host, and says what follows. `ip` is undefined when unknown. */
  charge(peer: PeerIdText, ip: string | undefined, offence: OffenceName, isManual: boolean): Judgement {
    const judgement = this.#judge(peer, ip, offence, isManual);
    if (judgement !== 'noted') this.#dropped += 1;
    return judgement;
  }

  /** Current points, 0 for the unknown. */
  points(peer: PeerIdText): number {
    return this.#faded(peerSubject(peer));
  }

  /** By hand or for offences. */
  isPeerBanned(peer: PeerIdText): boolean {
    return this.isPeerBannedByHand(peer) || this.#isDiscouraged(peerSubject(peer));
  }

  isIpBanned(ip: string): boolean {
    const host = hostKey(ip);
    return this.#byHand.hasIp(ip) || (host !== undefined && this.#isDiscouraged(hostSubject(host)));
  }

  /** What nobody is exempt from. */
  isPeerBannedByHand(peer: PeerIdText): boolean {
    return this.#byHand.hasPeer(peer);
  }

  /** Bans by hand. As Core: who asks for a single address in a banned subnet is told that it is banned already. */
  ban(target: BanTarget, { untilMs = this.#clock.now() + DEFAULT_BAN_MS, reason = '' }: BanOptions): BanVerdict {
    const createdMs = this.#clock.now();
    if (untilMs <= createdMs) return 'in-the-past';
    if (this.#byHand.has(target) || (isSingle(target) && this.#byHand.hasIp(target.network))) return 'already-banned';
    const ban: BanEntry = { target, createdMs, untilMs, reason: reason.slice(0, MAX_REASON_LENGTH) };
    if (!this.#byHand.add(ban)) return 'full';
    this.#log.info('banned by hand', { subject: target.text, untilUnixMs: untilMs });
    this.#save();
    return 'banned';
  }

  /** Lifts what stands for exactly this target. False if nothing did. */
  unban(target: BanTarget): boolean {
    const subject = subjectOf(target);
    const wasDiscouraged = subject !== undefined && this.#isDiscouraged(subject);
    if (subject !== undefined) {
      this.#discouraged.delete(subject);
      this.#scores.delete(subject);
    }
    const wasBanned = this.#byHand.delete(target);
    if (wasBanned || wasDiscouraged) this.#save();
    return wasBanned || wasDiscouraged;
  }

  clearBans(): void {
    this.#byHand.clear();
    for (const { subject } of this.#stillDiscouraged()) {
      this.#discouraged.delete(subject);
      this.#scores.delete(subject);
    }
    this.#save();
  }

  /** The operator's first; of either kind oldest first. */
  bans(): Ban[] {
    return [...this.#byHand.entries().map(byHand), ...this.#stillDiscouraged().map(forOffences)];
  }

  standing(): Standing {
    return {
      dropped: this.#dropped,
      banned: this.#byHand.size,
      discouraged: this.#stillDiscouraged().length,
    };
  }

  /** Waits until the bans are in their file. */
  async close(): Promise<void> {
    await this.#file.write(this.#stored());
  }

  #judge(peer: PeerIdText, ip: string | undefined, offence: OffenceName, isManual: boolean): Judgement {
    const { severity } = offences[offence];
    if (severity === 'incompatible') return 'disconnect';
    const points = this.#add(peerSubject(peer), POINTS[severity]);
    if (isManual) return severity === 'minor' ? 'noted' : 'disconnect';
    const isSpared = ip === undefined || (this.#options.sparesLocalHosts && isLocalIp(ip));
    const host = isSpared ? undefined : hostKey(ip);
    const hostPoints = host === undefined ? 0 : this.#add(hostSubject(host), POINTS[severity]);
    const worst = Math.max(points, hostPoints);
    if (worst >= BAN_AT) {
      this.#discourage(peerSubject(peer), offence);
      if (host !== undefined) this.#discourage(hostSubject(host), offence);
      this.#save();
      return 'ban';
    }
    return worst >= DISCONNECT_AT ? 'disconnect' : 'noted';
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

  #discourage(subject: string, reason: string): void {
    const created = this.#clock.now();
    const until = created + this.#options.banMs;
    this.#discouraged.set(subject, { subject, created, until, reason });
    this.#log.warn('banned', { subject, reason, untilUnixMs: until });
  }

  #isDiscouraged(subject: string): boolean {
    const entry = this.#discouraged.get(subject);
    if (entry === undefined) return false;
    if (entry.until > this.#clock.now()) return true;
    this.#discouraged.delete(subject);
    return false;
  }

  #stillDiscouraged(): Discouraged[] {
    const now = this.#clock.now();
    return [...this.#discouraged.entries()].map(([, entry]) => entry).filter(({ until }) => until > now);
  }

  #save(): void {
    void this.#file.write(this.#stored());
  }

  #stored(): unknown {
    return toStored({ bans: this.#byHand.entries(), discouraged: this.#stillDiscouraged() });
  }
}

function byHand({ target, createdMs, untilMs, reason }: BanEntry): Ban {
  return { address: target.text, createdAt: createdMs, bannedUntil: untilMs, reason, isByHand: true };
}

function forOffences({ subject, created, until, reason }: Discouraged): Ban {
  const who = subject.slice(subject.indexOf(':') + 1);
  const address = subject.startsWith(HOST_PREFIX) ? (parseSubnet(who)?.text ?? who) : who;
  return { address, createdAt: created, bannedUntil: until, reason, isByHand: false };
}

const PEER_PREFIX = 'peer:';
const HOST_PREFIX = 'host:';

function peerSubject(peer: PeerIdText): string {
  return `${PEER_PREFIX}${peer}`;
}

function hostSubject(host: string): string {
  return `${HOST_PREFIX}${host}`;
}

/** The subject that was discouraged, as `bans` lists it; undefined for a subnet that is no host. */
function subjectOf(target: BanTarget): string | undefined {
  if (target.kind === 'peer') return peerSubject(target.text);
  const isHost = target.prefixBits === (target.family === 'ipv4' ? 32 : 64);
  const host = isHost || isSingle(target) ? hostKey(target.network) : undefined;
  return host && hostSubject(host);
}

/** One address. */
function isSingle(target: BanTarget): target is Extract<BanTarget, { readonly kind: 'subnet' }> {
  return target.kind === 'subnet' && target.prefixBits === (target.family === 'ipv4' ? 32 : 128);
}
