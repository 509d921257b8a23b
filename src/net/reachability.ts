/**
 * Whether others can reach us, and by what. An address counts once it is verified: AutoNAT v2 dialled it back, a
 * router's mapping was dialled back, or the operator named it. Who listens and stays without one asks up to two of
 * the relays that it chose itself to be reached by. Runs as a service of libp2p, and is told when to start and stop.
 */
import { RELAY_V2_HOP_CODEC } from '@libp2p/circuit-relay-v2';
import type { Connection, PeerId, Topology } from '@libp2p/interface';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { type Clock, errorText, type Logger, type TimerHandle } from '#util';
import { isRelayedAddress, isTcpAddress } from './addresses.ts';
import { BoundedMap } from './bounded-map.ts';
import { BY_RELAYS } from './by-relays.ts';
import type { PeerIdText, Reachability as Reach } from './port.ts';

const MAX_RELAYS = 2;
/** A relay that refused us is not asked again for this long. */
const REFUSED_MS = 600_000;
const MAX_REFUSALS = 64;

type Components = {
  readonly addressManager: { readonly getAddresses: () => Multiaddr[] };
  readonly transportManager: { readonly listen: (addresses: Multiaddr[]) => Promise<void> };
  readonly registrar: {
    readonly register: (protocol: string, topology: Topology) => Promise<string>;
    readonly unregister: (id: string) => void;
  };
};

export type ReachabilityDeps = {
  readonly clock: Clock;
  readonly log: Logger;
  readonly isProbe: (connection: Connection) => boolean;
  /** Those that we have asked: they may bring us callers. Kept here. */
  readonly relays: Set<PeerIdText>;
};

export type ReachabilityOptions = {
  /** Configured; empty if we want nobody to call. */
  readonly listen: readonly string[];
  readonly reachLookMs: number;
  /** How long an address may take to be verified before relays are asked. */
  readonly relayPatienceMs: number;
};

export class Reachability {
  readonly #components: Components;
  readonly #deps: ReachabilityDeps;
  readonly #options: ReachabilityOptions;
  /** Connected peers that carry connections of others. */
  readonly #relays = new Map<PeerIdText, Connection>();
  readonly #refusals = new BoundedMap<PeerIdText, number>(MAX_REFUSALS);
  #topology: string | undefined;
  #timer: TimerHandle | undefined;
  #unreachableSinceMs: number | undefined;
  #last: Reach | undefined;

  constructor(components: Components, deps: ReachabilityDeps, options: ReachabilityOptions) {
    this.#components = components;
    this.#deps = deps;
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#topology = await this.#components.registrar.register(RELAY_V2_HOP_CODEC, {
      onConnect: (peer: PeerId, connection) => {
        // Only whom we called: else whoever calls could make himself our way to the world.
        const isOurChoice = connection.direction === 'outbound' && !this.#deps.isProbe(connection);
        if (!isOurChoice || connection.limits !== undefined) return;
        this.#relays.set(peer.toString(), connection);
        if (this.#options.listen.includes(BY_RELAYS)) this.#look();
      },
      onDisconnect: (peer: PeerId) => {
        this.#relays.delete(peer.toString());
        this.#deps.relays.delete(peer.toString());
      },
    });
    this.#schedule();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#topology !== undefined) this.#components.registrar.unregister(this.#topology);
    this.#relays.clear();
  }

  state(): Reach {
    const addresses = this.#components.addressManager.getAddresses();
    if (addresses.some((address) => isTcpAddress(address))) return 'direct';
    if (addresses.some((address) => isRelayedAddress(address))) return 'relayed';
    return this.#options.listen.length === 0 ? 'none' : 'unverified';
  }

  #schedule(): void {
    this.#timer = this.#deps.clock.after(this.#options.reachLookMs, () => {
      this.#schedule();
      this.#look();
    });
  }

  #look(): void {
    const state = this.state();
    if (state !== this.#last) this.#tell(state);
    this.#last = state;
    if (state === 'direct' || state === 'none') {
      this.#unreachableSinceMs = undefined;
      return;
    }
    const now = this.#deps.clock.monotonicMs();
    this.#unreachableSinceMs ??= now;
    const isDue =
      this.#options.listen.includes(BY_RELAYS) || now - this.#unreachableSinceMs >= this.#options.relayPatienceMs;
    if (isDue) this.#askRelays(now);
  }

  #askRelays(now: number): void {
    const used = this.#relaysInUse();
    for (const [id, connection] of this.#relays) {
      if (used.size >= MAX_RELAYS) return;
      if (used.has(id) || connection.status !== 'open' || (this.#refusals.get(id) ?? 0) > now) continue;
      used.add(id);
      // Until it has answered: it must not be asked twice.
      this.#refusals.set(id, now + REFUSED_MS);
      void this.#reserve(id, connection);
    }
  }

  async #reserve(id: PeerIdText, connection: Connection): Promise<void> {
    const base = connection.remoteAddr.toString().replace(/\/p2p\/[^/]+$/, '');
    this.#deps.relays.add(id);
    try {
      await this.#components.transportManager.listen([multiaddr(`${base}/p2p/${id}${BY_RELAYS}`)]);
      this.#refusals.delete(id);
      this.#look();
    } catch (error) {
      this.#deps.relays.delete(id);
      this.#deps.log.debug('a relay refused us', { relay: id, error: errorText(error) });
    }
  }

  #relaysInUse(): Set<PeerIdText> {
    const used = new Set<PeerIdText>();
    for (const address of this.#components.addressManager.getAddresses()) {
      const relay = isRelayedAddress(address)
        ? address.getComponents().find(({ name }) => name === 'p2p')?.value
        : undefined;
      if (relay !== undefined) used.add(relay);
    }
    return used;
  }

  #tell(state: Reach): void {
    if (state === 'none' || (state === 'unverified' && this.#last === undefined)) return;
    const [address] = this.#components.addressManager.getAddresses();
    if (state === 'unverified') this.#deps.log.info('others cannot reach this node any more');
    else this.#deps.log.info('others can reach this node', { way: state, address: address?.toString() });
  }
}
