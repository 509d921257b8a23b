/**
 * One node, an honest network and an attacker who wants all of the node's connections: 1,000 identities in four netgroups
 * that are always there, answer quickest, tell of every block first, fill the places for inbound peers, and name each other
 * whenever somebody asks. Honest peers repeat what they were told: their answers are poisoned too.
 */
import type { PeersHost, PeersWorld } from './peers-world.ts';

const HONEST = 1_000;
const ATTACKERS = 1_000;
export const ATTACKER_GROUPS = ['201.1', '202.2', '203.3', '204.4'] as const;
const CLOSEST = 20;
/** As many of each kind as an honest peer tells of when it is asked for addresses. */
const TOLD = 60;
/** Below so many connections of the victim there are places for all that call. */
const FILLED = 100;
/** Honest nodes are on for a day on average, and then off for two hours. */
const ON_MS = 24 * 3_600_000;
const OFF_MS = 2 * 3_600_000;
/** Attackers that call in one round while all places are taken: each costs one of their own, mostly. */
const KNOCKS = 3;
/** Of ten calls to an honest node one finds it full. */
const FULL_ONE_IN = 10;

/** The node that is attacked, whatever it runs. */
export type Victim = PeersHost & { readonly neighbours: () => PeersHost[] };

export class Attack {
  readonly honest: readonly HonestHost[];
  readonly attackers: readonly AttackerHost[];
  readonly #world: PeersWorld;
  isOn = false;

  constructor(world: PeersWorld) {
    this.#world = world;
    this.honest = Array.from({ length: HONEST }, () => new HonestHost(world, this));
    this.attackers = Array.from(
      { length: ATTACKERS },
      (_, index) => new AttackerHost(world, this, ATTACKER_GROUPS[index % ATTACKER_GROUPS.length] ?? ''),
    );
    for (const host of this.honest) host.live();
  }

  /** Attackers call until they are refused, and honest nodes now and then. */
  knock(victim: Victim): void {
    const connected = new Set(victim.neighbours());
    const [guest] = this.#world.pickSome(this.honest, 1);
    if (guest?.isOnline === true && !connected.has(guest) && victim.accept(guest)) guest.met(victim);
    if (!this.isOn) return;
    const calls = connected.size < FILLED ? FILLED : KNOCKS;
    for (const attacker of this.#world.pickSome(this.attackers, calls)) {
      if (!connected.has(attacker) && !victim.accept(attacker)) return;
    }
  }
}

/** Goes and comes back under the same id and address. Says what it was told. */
export class HonestHost implements PeersHost {
  readonly id: string;
  readonly address: string;
  readonly isHonest = true;
  readonly pingMs: number;
  readonly #world: PeersWorld;
  readonly #attack: Attack;
  readonly #peers = new Set<PeersHost>();
  isOnline = true;

  constructor(world: PeersWorld, attack: Attack) {
    this.#world = world;
    this.#attack = attack;
    this.pingMs = 20 + world.random.below(200);
    ({ id: this.id, address: this.address } = world.newPlace());
    world.add(this);
  }

  live(): void {
    this.#world.clock.after(this.#world.random.below(2 * ON_MS), () => {
      this.isOnline = false;
      for (const peer of this.#peers) peer.lost(this);
      this.#peers.clear();
      this.#world.clock.after(this.#world.random.below(2 * OFF_MS), () => {
        this.isOnline = true;
        this.live();
      });
    });
  }

  accept(from: PeersHost): boolean {
    if (this.#world.random.below(FULL_ONE_IN) === 0) return false;
    this.#peers.add(from);
    return true;
  }

  met(peer: PeersHost): void {
    this.#peers.add(peer);
  }

  lost(from: PeersHost): void {
    this.#peers.delete(from);
  }

  /** The attacker's ids are all in its routing table: ids cost nothing. */
  closest(): readonly PeersHost[] {
    const { honest, attackers, isOn } = this.#attack;
    return this.#world.pickSome(isOn ? [...honest, ...attackers] : honest, CLOSEST);
  }

  sample(): readonly PeersHost[] {
    const { honest, attackers, isOn } = this.#attack;
    return [...this.#world.pickSome(honest, TOLD), ...(isOn ? this.#world.pickSome(attackers, TOLD) : [])];
  }
}

export class AttackerHost implements PeersHost {
  readonly id: string;
  readonly address: string;
  readonly isHonest = false;
  readonly isOnline = true;
  readonly pingMs = 5;
  readonly #world: PeersWorld;
  readonly #attack: Attack;

  constructor(world: PeersWorld, attack: Attack, group: string) {
    this.#world = world;
    this.#attack = attack;
    ({ id: this.id, address: this.address } = world.newPlace(group));
    world.add(this);
  }

  accept(): boolean {
    return this.#attack.isOn;
  }

  lost(): void {}

  closest(): readonly PeersHost[] {
    return this.#world.pickSome(this.#attack.attackers, CLOSEST);
  }

  sample(): readonly PeersHost[] {
    return this.#attack.attackers;
  }
}
