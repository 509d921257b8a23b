/**
 * The operator's bans: of peer ids and of subnets, each with when it was made, when it ends and why. A full list refuses
 * one more: to drop an older one would silently let somebody in.
 */
import { BlockList, isIPv6 } from 'node:net';
import type { Clock } from '#util';
import type { PeerIdText } from '../port.ts';
import type { BanTarget } from './ban-target.ts';

/** Lists that people share have some thousands. */
export const MAX_BANS = 10_000;

export type BanEntry = {
  readonly target: BanTarget;
  readonly createdMs: number;
  readonly untilMs: number;
  readonly reason: string;
};

export class BanList {
  /** By the text of the target, oldest first. */
  readonly #bans = new Map<string, BanEntry>();
  readonly #clock: Clock;
  /** The subnets among them. Node's list cannot take one back, so it is made anew when one ends. */
  #subnets: BlockList | undefined;
  #firstEndMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    this.#sweep();
    return this.#bans.size;
  }

  /** Replaces what there was of the same target. False if the list is full. */
  add(ban: BanEntry): boolean {
    this.#sweep();
    if (this.#bans.size >= MAX_BANS && !this.#bans.has(ban.target.text)) return false;
    this.#bans.set(ban.target.text, ban);
    this.#changed();
    return true;
  }

  /** False if exactly this was not banned. */
  delete(target: BanTarget): boolean {
    this.#sweep();
    const wasThere = this.#bans.delete(target.text);
    if (wasThere) this.#changed();
    return wasThere;
  }

  clear(): void {
    this.#bans.clear();
    this.#changed();
  }

  has(target: BanTarget): boolean {
    this.#sweep();
    return this.#bans.has(target.text);
  }

  hasPeer(peer: PeerIdText): boolean {
    this.#sweep();
    return this.#bans.get(peer)?.target.kind === 'peer';
  }

  /** Whether a subnet of the list holds this address. */
  hasIp(ip: string): boolean {
    this.#sweep();
    this.#subnets ??= blockListOf(this.#bans.values());
    return holds(this.#subnets, ip);
  }

  /** Oldest first. */
  entries(): BanEntry[] {
    this.#sweep();
    return [...this.#bans.values()];
  }

  #sweep(): void {
    const now = this.#clock.now();
    if (now < this.#firstEndMs) return;
    for (const [text, { untilMs }] of this.#bans) if (untilMs <= now) this.#bans.delete(text);
    this.#changed();
  }

  #changed(): void {
    this.#subnets = undefined;
    this.#firstEndMs = Number.POSITIVE_INFINITY;
    for (const { untilMs } of this.#bans.values()) this.#firstEndMs = Math.min(this.#firstEndMs, untilMs);
  }
}

/** Whether this one target is, or holds, the peer. `ip` is undefined when unknown. */
export function isAbout(target: BanTarget, peer: PeerIdText, ip: string | undefined): boolean {
  if (target.kind === 'peer') return target.text === peer;
  return ip !== undefined && holds(blockListOf([{ target }]), ip);
}

function blockListOf(bans: Iterable<Pick<BanEntry, 'target'>>): BlockList {
  const list = new BlockList();
  for (const { target } of bans) {
    if (target.kind === 'subnet') list.addSubnet(target.network, target.prefixBits, target.family);
  }
  return list;
}

/** Node's list knows an IPv4 address in the form ::ffff:1.2.3.4 too. */
function holds(list: BlockList, ip: string): boolean {
  const [bare = ''] = ip.split('%');
  return list.check(bare, isIPv6(bare) ? 'ipv6' : 'ipv4');
}
