/**
 * Nodes of our network inside a DHT that others share: each says that it provides one key, made from the network's id,
 * and asks who else does while it lacks peers. The key is known to all, so an attacker can settle around it: one
 * source among several, and whoever names providers has no more places in the address manager than any other.
 */
import { createHash } from 'node:crypto';
import type { PeerId, PeerInfo } from '@libp2p/interface';
import type { KadDHT } from '@libp2p/kad-dht';
import { peerIdFromMultihash } from '@libp2p/peer-id';
import { type Clock, errorText, type Logger, type TimerHandle } from '#util';
import { withTimeLimit } from './time-limit.ts';

/** Between two looks at whether something is due. */
const LOOK_MS = 5_000;
/** Records are valid for 48 hours. */
const PROVIDE_EVERY_MS = 12 * 3_600_000;
const PROVIDE_RETRY_MS = 600_000;
const PROVIDE_LIMIT_MS = 60_000;
const FIND_EVERY_MS = 60_000;
const FIND_LIMIT_MS = 10_000;

/** Providers read of one search. */
const MAX_PROVIDERS = 100;

const SHA2_256 = 0x12;

export type ProviderRecordsDeps = {
  readonly dht: KadDHT;
  readonly clock: Clock;
  readonly log: Logger;
  readonly network: string;
  readonly isShort: () => boolean;
  readonly hasPeers: () => boolean;
  /** Some of the nodes that provide the key, and who named them. */
  readonly onProviders: (from: PeerId, providers: readonly PeerInfo[]) => void;
};

export class ProviderRecords {
  readonly #deps: ProviderRecordsDeps;
  readonly #key: ReturnType<PeerId['toCID']>;
  readonly #stopping = new AbortController();
  #timer: TimerHandle | undefined;
  #provideAtMs = Number.NEGATIVE_INFINITY;
  #findAtMs = Number.NEGATIVE_INFINITY;

  constructor(deps: ProviderRecordsDeps) {
    this.#deps = deps;
    this.#key = networkKey(deps.network);
  }

  start(): void {
    this.#timer = this.#deps.clock.after(LOOK_MS, () => {
      void this.#look().finally(() => {
        if (!this.#stopping.signal.aborted) this.start();
      });
    });
  }

  stop(): void {
    this.#stopping.abort();
    this.#timer?.cancel();
  }

  async #look(): Promise<void> {
    const { clock, hasPeers, isShort } = this.#deps;
    if (!hasPeers()) return;
    if (clock.monotonicMs() >= this.#provideAtMs) {
      const isDone = await this.#attempt('provide', PROVIDE_LIMIT_MS, (signal) => this.#provide(signal));
      this.#provideAtMs = clock.monotonicMs() + (isDone ? PROVIDE_EVERY_MS : PROVIDE_RETRY_MS);
    }
    if (isShort() && clock.monotonicMs() >= this.#findAtMs) {
      await this.#attempt('find', FIND_LIMIT_MS, (signal) => this.#find(signal));
      this.#findAtMs = clock.monotonicMs() + FIND_EVERY_MS;
    }
  }

  async #provide(signal: AbortSignal): Promise<void> {
    for await (const _event of this.#deps.dht.provide(this.#key, { signal })) signal.throwIfAborted();
  }

  async #find(signal: AbortSignal): Promise<void> {
    let left = MAX_PROVIDERS;
    for await (const event of this.#deps.dht.findProviders(this.#key, { signal })) {
      signal.throwIfAborted();
      if (event.name !== 'PROVIDER') continue;
      const providers = event.providers.slice(0, left);
      this.#deps.onProviders(event.from, providers);
      left -= providers.length;
      if (left <= 0) return;
    }
  }

  /** Whether it came to its end. */
  async #attempt(what: string, limitMs: number, run: (signal: AbortSignal) => Promise<void>): Promise<boolean> {
    const { clock, log } = this.#deps;
    try {
      await withTimeLimit(clock, limitMs, this.#stopping.signal, run);
      return true;
    } catch (error) {
      if (!this.#stopping.signal.aborted) log.debug('provider records', { what, error: errorText(error) });
      return false;
    }
  }
}

/** SHA-256 of a text. The DHT looks at the hash of a CID alone, so that of a peer id (libp2p-key) serves. */
function networkKey(network: string): ReturnType<PeerId['toCID']> {
  const digest = new Uint8Array(createHash('sha256').update(`starling network ${network}`).digest());
  const bytes = Uint8Array.of(SHA2_256, digest.length, ...digest);
  return peerIdFromMultihash({ code: SHA2_256, size: digest.length, digest, bytes }).toCID();
}
