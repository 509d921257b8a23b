/**
 * Finds peers: what libp2p learns (DHT answers, identify) goes to the address manager with whoever said it, and while
 * there are too few outbound peers the DHT is walked again and again. The DHT is a hint: anyone can put anything there.
 */

import type { Connection, IdentifyResult, Libp2p, PeerId, PeerInfo } from '@libp2p/interface';
import type { KadDHT } from '@libp2p/kad-dht';
import type { Multiaddr } from '@multiformats/multiaddr';
import { type Clock, errorText, type Logger, type Random, type TimerHandle } from '#util';
import type { AddressSource } from './addrman/entry.ts';
import type { AddressManager } from './addrman/manager.ts';
import { LOCAL_GROUP, type NetGroups } from './addrman/net-groups.ts';
import { MAX_NAMED } from './bounded-dht.ts';
import type { PeerIdText } from './port.ts';
import { ProviderRecords } from './provider-records.ts';
import { withTimeLimit } from './time-limit.ts';

/**
 * Peers that libp2p's own store may hold before we prune it; it has no cap of its own. Looked at in the order of time, and
 * whenever so many have come.
 */
const MAX_STORED_PEERS = 2048;
const PRUNE_AFTER_NEW = 256;
const MAINTAIN_MS = 30_000;
const WALK_TIMEOUT_MS = 10_000;
const WALK_KEY_BYTES = 32;
/** What we cannot tell who said counts as said by one. */
const UNKNOWN_GROUP = 'dht';

export type DiscoveryDeps = {
  readonly libp2p: Libp2p;
  readonly dht: KadDHT;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly network: string;
  readonly addresses: AddressManager;
  readonly groups: NetGroups;
  readonly isShort: () => boolean;
  readonly onFound: () => void;
};

export class Discovery {
  readonly #deps: DiscoveryDeps;
  readonly #options: { readonly walkBusyMs: number; readonly walkIdleMs: number };
  readonly #providerRecords: ProviderRecords;
  readonly #stopping = new AbortController();
  #walkTimer: TimerHandle | undefined;
  #maintainTimer: TimerHandle | undefined;
  #lastWalk = Number.NEGATIVE_INFINITY;
  #pauseMs: number;
  #stored = 0;
  #isPruning = false;

  constructor(deps: DiscoveryDeps, options: { readonly walkBusyMs: number; readonly walkIdleMs: number }) {
    this.#deps = deps;
    this.#options = options;
    this.#pauseMs = options.walkBusyMs;
    this.#providerRecords = new ProviderRecords({
      ...deps,
      hasPeers: () => deps.libp2p.getPeers().length > 0,
      onProviders: (from, providers) => this.#learnFromAnswer(from, providers, 'provider'),
    });
    // What others than our walks find: the DHT asks for itself now and then. Once for each peer that is new in the store.
    deps.libp2p.addEventListener('peer:discovery', ({ detail: { id, multiaddrs } }) => {
      this.#learn(id, multiaddrs, { kind: 'dht', group: UNKNOWN_GROUP });
      this.#stored += 1;
      if (this.#stored % PRUNE_AFTER_NEW === 0) void this.#prune();
    });
  }

  /** A peer of our network said where it listens: its own word, and all that it says counts as of where it spoke from. */
  identified({ peerId, listenAddrs, signedPeerRecord, connection }: IdentifyResult): void {
    const kind = connection.direction === 'outbound' ? 'identify' : 'inbound';
    const group = this.#deps.groups.of(connection.remoteAddr);
    this.#learn(peerId, signedPeerRecord?.addresses ?? listenAddrs, { kind, group });
  }

  /** On the local network. All that is found there counts as of one source. */
  foundLocally({ id, multiaddrs }: PeerInfo): void {
    this.#learn(id, multiaddrs, { kind: 'mdns', group: LOCAL_GROUP });
  }

  start(): void {
    this.#scheduleWalk();
    this.#scheduleMaintenance();
    this.#providerRecords.start();
  }

  stop(): void {
    this.#stopping.abort();
    this.#providerRecords.stop();
    this.#walkTimer?.cancel();
    this.#maintainTimer?.cancel();
  }

  #learn(peer: PeerId, addresses: readonly Multiaddr[], source: AddressSource): void {
    const id: PeerIdText = peer.toString();
    if (id === this.#deps.libp2p.peerId.toString()) return;
    if (this.#deps.addresses.add(id, addresses, source) === 0) return;
    this.#pace(true);
    this.#deps.onFound();
  }

  #learnFromAnswer(from: PeerId, named: readonly PeerInfo[], kind: 'dht' | 'provider'): void {
    const [connection] = this.#deps.libp2p.getConnections(from);
    const group = connection === undefined ? UNKNOWN_GROUP : this.#deps.groups.of(connection.remoteAddr);
    for (const { id, multiaddrs } of named.slice(0, MAX_NAMED)) this.#learn(id, multiaddrs, { kind, group });
  }

  #scheduleWalk(): void {
    this.#walkTimer = this.#deps.clock.after(this.#options.walkBusyMs, () => {
      void this.#walkIfDue().then(() => {
        if (!this.#stopping.signal.aborted) this.#scheduleWalk();
      });
    });
  }

  async #walkIfDue(): Promise<void> {
    const { clock, isShort, libp2p, addresses } = this.#deps;
    const pauseMs = isShort() ? this.#pauseMs : this.#options.walkIdleMs;
    if (libp2p.getPeers().length === 0 || clock.monotonicMs() - this.#lastWalk < pauseMs) return;
    this.#lastWalk = clock.monotonicMs();
    const knownBefore = addresses.size.fresh;
    try {
      await this.#walk();
      this.#pace(addresses.size.fresh > knownBefore);
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#deps.log.debug('a DHT walk failed', { error: errorText(error) });
    }
  }

  /** A small network has no more to find than it has: walks that find nobody come ever more seldom. */
  #pace(hasFound: boolean): void {
    const { walkBusyMs, walkIdleMs } = this.#options;
    this.#pauseMs = hasFound ? walkBusyMs : Math.min(walkIdleMs, 2 * this.#pauseMs);
  }

  /** Asks for the peers closest to a random key. */
  async #walk(): Promise<void> {
    const { clock, dht, random } = this.#deps;
    await withTimeLimit(clock, WALK_TIMEOUT_MS, this.#stopping.signal, async (signal) => {
      for await (const event of dht.getClosestPeers(random.bytes(WALK_KEY_BYTES), { signal })) {
        if (signal.aborted) return;
        if (event.name === 'PEER_RESPONSE') this.#learnFromAnswer(event.from, event.closer, 'dht');
      }
    });
  }

  #scheduleMaintenance(): void {
    this.#maintainTimer = this.#deps.clock.after(MAINTAIN_MS, () => {
      void this.#maintain().finally(() => {
        if (!this.#stopping.signal.aborted) this.#scheduleMaintenance();
      });
    });
  }

  async #maintain(): Promise<void> {
    await this.#deps.addresses.saveIfDue();
    await this.#prune();
  }

  /** One at a time, since it reads the whole store; again when as many have come meanwhile. */
  async #prune(): Promise<void> {
    if (this.#isPruning) return;
    this.#isPruning = true;
    try {
      let before: number;
      do {
        before = this.#stored;
        await prunePeerStore(this.#deps.libp2p);
      } while (this.#stored - before >= PRUNE_AFTER_NEW && !this.#stopping.signal.aborted);
    } catch (error) {
      this.#deps.log.warn('cannot prune the peer store', { error: errorText(error) });
    } finally {
      this.#isPruning = false;
    }
  }
}

/** Drops the longest known of the peers that are not connected; those worth keeping are in the address manager. */
async function prunePeerStore(libp2p: Libp2p): Promise<void> {
  const stored = await libp2p.peerStore.all();
  if (stored.length <= MAX_STORED_PEERS) return;
  const connected = new Set(libp2p.getConnections().map((connection: Connection) => connection.remotePeer.toString()));
  const idle = stored.filter((peer) => !connected.has(peer.id.toString()));
  for (const peer of idle.slice(0, stored.length - MAX_STORED_PEERS)) await libp2p.peerStore.delete(peer.id);
}
