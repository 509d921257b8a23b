/**
 * A modelled network for the rules about peers: hosts with addresses, who reaches whom, and how long that takes. No bytes
 * travel; what hosts tell of others is whatever they answer. Driven by a manual clock and seeded chance.
 */
import { multiaddr } from '@multiformats/multiaddr';
import { createNetGroups } from '../../src/net/addrman/net-groups.ts';
import { groupsByText } from '../../src/net/make-slots.ts';
import { type Random, sleep } from '../../src/util/index.ts';
import type { ManualClock } from '../support/manual-clock.ts';

export type PeersHost = {
  readonly id: string;
  /** Multiaddr without /p2p/ id. */
  readonly address: string;
  readonly isHonest: boolean;
  readonly isOnline: boolean;
  readonly pingMs: number;
  /** Another host has connected and identified itself; false refuses it. */
  readonly accept: (from: PeersHost) => boolean;
  /** The connection with it is gone. */
  readonly lost: (from: PeersHost) => void;
  /** Peers near some key, as it says: at most 20. */
  readonly closest: () => readonly PeersHost[];
  /** Some of the addresses that it knows, as it says. */
  readonly sample: () => readonly PeersHost[];
};

const ROUND_TRIP_MS = 100;
const DIAL_TIMEOUT_MS = 5_000;
/** How long it takes to notice that a peer has gone without a word: a ping and its patience. */
export const SILENCE_MS = 50_000;

export class PeersWorld {
  readonly clock: ManualClock;
  readonly random: Random;
  readonly groups = createNetGroups();
  readonly groupOf = groupsByText(this.groups);
  readonly hosts = new Map<string, PeersHost>();
  /** Walks through the DHT: how many hosts were asked, and how many of these were seeds. */
  readonly lookups = { all: 0, ofSeeds: 0 };
  readonly seedIds = new Set<string>();
  readonly #clouds: readonly string[];
  #made = 0;

  constructor(clock: ManualClock, random: Random) {
    this.clock = clock;
    this.random = random;
    this.#clouds = Array.from({ length: 10 }, () => this.#newGroup());
  }

  /** An id and an address in a network of its own, or in one of a few large ones, where a third of all hosts are. */
  newPlace(group?: string): { readonly id: string; readonly address: string } {
    this.#made += 1;
    const inCloud = this.random.below(3) === 0 ? this.pick(this.#clouds) : undefined;
    const [c, d] = [this.random.below(256), 1 + this.random.below(254)];
    const address = `/ip4/${group ?? inCloud ?? this.#newGroup()}.${c}.${d}/tcp/8333`;
    return { id: `host${String(this.#made).padStart(6, '0')}`, address };
  }

  add(host: PeersHost): void {
    this.hosts.set(host.id, host);
  }

  /** Resolves to the host that answered there and accepted. Hosts that are gone do not answer at all. */
  async dial(from: PeersHost, id: string, address: string): Promise<PeersHost | undefined> {
    const host = this.hosts.get(id);
    if (host?.isOnline !== true || host.address !== address || host === from) {
      await sleep(this.clock, DIAL_TIMEOUT_MS);
      return undefined;
    }
    await sleep(this.clock, 2 * ROUND_TRIP_MS);
    return from.isOnline && host.isOnline && host.accept(from) ? host : undefined;
  }

  multiaddrOf(host: PeersHost): ReturnType<typeof multiaddr> {
    return multiaddr(host.address);
  }

  pick<T>(list: readonly T[]): T {
    const chosen = list[this.random.below(list.length)];
    if (chosen === undefined) throw new Error('nothing to pick from');
    return chosen;
  }

  /** Distinct ones. */
  pickSome<T>(list: readonly T[], count: number): T[] {
    if (list.length <= count) return [...list];
    const chosen = new Set<T>();
    while (chosen.size < count) chosen.add(this.pick(list));
    return [...chosen];
  }

  #newGroup(): string {
    // Public, whatever the second number is.
    return `${11 + this.random.below(80)}.${this.random.below(256)}`;
  }
}
