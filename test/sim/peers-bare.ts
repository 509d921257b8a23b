/**
 * A node as libp2p makes it by default, in the modelled network: 300 connections for both directions together, whoever comes
 * first; it dials whom the DHT names; no netgroups, nothing remembered over a restart but its bootstrap nodes.
 */
import type { PeersHost, PeersWorld } from './peers-world.ts';

const MAX_CONNECTIONS = 300;
/** kad-dht's table refresh and the parallelism of its queries. */
const WALK_MS = 300_000;
const ASKED = 10;

export class BareNode implements PeersHost {
  readonly id: string;
  readonly address: string;
  readonly isHonest = true;
  readonly pingMs = 50;
  readonly #world: PeersWorld;
  readonly #bootstrap: readonly PeersHost[];
  readonly #peers = new Map<PeersHost, 'inbound' | 'outbound'>();
  #life = 0;
  isOnline = false;

  constructor(world: PeersWorld, bootstrap: readonly PeersHost[]) {
    this.#world = world;
    this.#bootstrap = bootstrap;
    ({ id: this.id, address: this.address } = world.newPlace());
    world.add(this);
  }

  async start(): Promise<void> {
    this.isOnline = true;
    this.#life += 1;
    for (const host of this.#bootstrap) void this.#dial(host);
    this.#walkAfter(5_000, this.#life);
  }

  async stop(): Promise<void> {
    this.isOnline = false;
    for (const host of this.#peers.keys()) host.lost(this);
    this.#peers.clear();
  }

  neighbours(): PeersHost[] {
    return [...this.#peers.keys()];
  }

  outbound(): PeersHost[] {
    return [...this.#peers].filter(([, direction]) => direction === 'outbound').map(([host]) => host);
  }

  accept(from: PeersHost): boolean {
    if (!this.isOnline || this.#peers.size >= MAX_CONNECTIONS || this.#peers.has(from)) return false;
    this.#peers.set(from, 'inbound');
    return true;
  }

  lost(from: PeersHost): void {
    this.#peers.delete(from);
  }

  closest(): readonly PeersHost[] {
    return this.#world.pickSome(this.neighbours(), 20);
  }

  sample(): readonly PeersHost[] {
    return [];
  }

  #walkAfter(delayMs: number, life: number): void {
    this.#world.clock.after(delayMs, () => {
      if (!this.isOnline || this.#life !== life) return;
      for (const host of this.#world.pickSome(this.neighbours(), ASKED)) {
        for (const named of host.closest()) void this.#dial(named);
      }
      this.#walkAfter(WALK_MS, life);
    });
  }

  async #dial(host: PeersHost): Promise<void> {
    if (this.#peers.size >= MAX_CONNECTIONS || this.#peers.has(host)) return;
    const life = this.#life;
    const reached = await this.#world.dial(this, host.id, host.address);
    if (reached === undefined) return;
    if (!this.isOnline || this.#life !== life) reached.lost(this);
    else if (!this.#peers.has(reached)) this.#peers.set(reached, 'outbound');
  }
}
