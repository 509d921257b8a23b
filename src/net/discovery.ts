/**
 * Finds peers: everything that libp2p learns (DHT answers, identify) goes into the address book, and while there are
 * too few outbound peers the DHT is walked again and again. The DHT is a hint: anyone can put anything there.
 */

import type { Connection, Libp2p } from '@libp2p/interface';
import type { KadDHT } from '@libp2p/kad-dht';
import type { Multiaddr } from '@multiformats/multiaddr';
import { type Clock, errorText, type Logger, type Random, type TimerHandle } from '#util';
import type { AddressBook } from './address-book.ts';
import type { PeerIdText } from './port.ts';

/** Peers that libp2p's own store may hold before we prune it; it has no cap of its own. */
const MAX_STORED_PEERS = 2048;
const MAINTAIN_MS = 30_000;
const WALK_TIMEOUT_MS = 10_000;
const WALK_KEY_BYTES = 32;

export type DiscoveryDeps = {
  readonly libp2p: Libp2p;
  readonly dht: KadDHT;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly book: AddressBook;
  readonly isShort: () => boolean;
  readonly onFound: () => void;
};

export class Discovery {
  readonly #deps: DiscoveryDeps;
  readonly #options: { readonly walkBusyMs: number; readonly walkIdleMs: number };
  readonly #stopping = new AbortController();
  #walkTimer: TimerHandle | undefined;
  #maintainTimer: TimerHandle | undefined;
  #lastWalk = Number.NEGATIVE_INFINITY;
  #pauseMs: number;

  constructor(deps: DiscoveryDeps, options: { readonly walkBusyMs: number; readonly walkIdleMs: number }) {
    this.#deps = deps;
    this.#options = options;
    this.#pauseMs = options.walkBusyMs;
    deps.libp2p.addEventListener('peer:discovery', (event) =>
      this.#learn(event.detail.id.toString(), event.detail.multiaddrs),
    );
    deps.libp2p.addEventListener('peer:update', (event) => {
      const { peer } = event.detail;
      this.#learn(
        peer.id.toString(),
        peer.addresses.map((address) => address.multiaddr),
      );
    });
  }

  start(): void {
    this.#scheduleWalk();
    this.#scheduleMaintenance();
  }

  stop(): void {
    this.#stopping.abort();
    this.#walkTimer?.cancel();
    this.#maintainTimer?.cancel();
  }

  #learn(id: PeerIdText, addresses: readonly Multiaddr[]): void {
    if (id === this.#deps.libp2p.peerId.toString() || addresses.length === 0) return;
    const isNew = this.#deps.book.get(id) === undefined;
    this.#deps.book.learn(id, addresses);
    if (!isNew) return;
    this.#pace(true);
    this.#deps.onFound();
  }

  #scheduleWalk(): void {
    this.#walkTimer = this.#deps.clock.after(this.#options.walkBusyMs, () => {
      void this.#walkIfDue().then(() => {
        if (!this.#stopping.signal.aborted) this.#scheduleWalk();
      });
    });
  }

  async #walkIfDue(): Promise<void> {
    const { clock, isShort, libp2p, book } = this.#deps;
    const pauseMs = isShort() ? this.#pauseMs : this.#options.walkIdleMs;
    if (libp2p.getPeers().length === 0 || clock.monotonicMs() - this.#lastWalk < pauseMs) return;
    this.#lastWalk = clock.monotonicMs();
    const knownBefore = book.size;
    try {
      await this.#walk();
      this.#pace(book.size > knownBefore);
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#deps.log.debug('a DHT walk failed', { error: errorText(error) });
    }
  }

  /** A small network has no more to find than it has: walks that find nobody come ever more seldom. */
  #pace(hasFound: boolean): void {
    const { walkBusyMs, walkIdleMs } = this.#options;
    this.#pauseMs = hasFound ? walkBusyMs : Math.min(walkIdleMs, 2 * this.#pauseMs);
  }

  /** Asks for the peers closest to a random key; whom the answers name arrives through the events. */
  async #walk(): Promise<void> {
    const controller = new AbortController();
    const onStop = (): void => controller.abort();
    this.#stopping.signal.addEventListener('abort', onStop);
    const timer = this.#deps.clock.after(WALK_TIMEOUT_MS, onStop);
    try {
      const key = this.#deps.random.bytes(WALK_KEY_BYTES);
      for await (const _event of this.#deps.dht.getClosestPeers(key, { signal: controller.signal })) {
        if (controller.signal.aborted) return;
      }
    } finally {
      timer.cancel();
      this.#stopping.signal.removeEventListener('abort', onStop);
    }
  }

  #scheduleMaintenance(): void {
    this.#maintainTimer = this.#deps.clock.after(MAINTAIN_MS, () => {
      void this.#maintain().finally(() => {
        if (!this.#stopping.signal.aborted) this.#scheduleMaintenance();
      });
    });
  }

  async #maintain(): Promise<void> {
    await this.#deps.book.save();
    try {
      await prunePeerStore(this.#deps.libp2p);
    } catch (error) {
      this.#deps.log.warn('cannot prune the peer store', { error: errorText(error) });
    }
  }
}

/** Drops the longest known of the peers that are not connected; those worth keeping are in the address book. */
async function prunePeerStore(libp2p: Libp2p): Promise<void> {
  const stored = await libp2p.peerStore.all();
  if (stored.length <= MAX_STORED_PEERS) return;
  const connected = new Set(libp2p.getConnections().map((connection: Connection) => connection.remotePeer.toString()));
  const idle = stored.filter((peer) => !connected.has(peer.id.toString()));
  for (const peer of idle.slice(0, stored.length - MAX_STORED_PEERS)) await libp2p.peerStore.delete(peer.id);
}
