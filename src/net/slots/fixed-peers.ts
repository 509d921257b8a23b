/**
 * Peers whose addresses the operator or the network's parameters give: never forgotten, each with its own back-off of a
 * minute at most, since somebody asked for them, and a seed that returns should be found again.
 */
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { peerIdOf, withoutPeerId } from '../addresses.ts';
import type { PeerIdText } from '../port.ts';
import type { DialTarget } from './port.ts';

const LONGEST_BACKOFF_MS = 60_000;

type Fixed = { readonly target: DialTarget; failures: number; nextTryMs: number };

export class FixedPeers {
  readonly #peers: readonly Fixed[];
  readonly #firstMs: number;

  /** `addresses` are complete, with /p2p/ id; several of one peer are one target. */
  constructor(addresses: readonly string[], self: PeerIdText, backoffFirstMs: number) {
    this.#firstMs = backoffFirstMs;
    this.#peers = targetsOf(addresses.map((text) => multiaddr(text)))
      .filter(({ id }) => id !== self)
      .map((target) => ({ target, failures: 0, nextTryMs: 0 }));
  }

  get size(): number {
    return this.#peers.length;
  }

  ids(): PeerIdText[] {
    return this.#peers.map(({ target }) => target.id);
  }

  /** Those whose time has come, longest waiting first. */
  due(nowMs: number): DialTarget[] {
    return this.#peers
      .filter(({ nextTryMs }) => nextTryMs <= nowMs)
      .toSorted((a, b) => a.nextTryMs - b.nextTryMs)
      .map(({ target }) => target);
  }

  dialled(id: PeerIdText, isConnected: boolean, nowMs: number): void {
    const fixed = this.#peers.find(({ target }) => target.id === id);
    if (fixed === undefined) return;
    fixed.failures = isConnected ? 0 : fixed.failures + 1;
    fixed.nextTryMs = nowMs + Math.min(LONGEST_BACKOFF_MS, this.#firstMs * 2 ** Math.min(fixed.failures, 16));
  }
}

function targetsOf(addresses: readonly Multiaddr[]): DialTarget[] {
  const byPeer = new Map<PeerIdText, string[]>();
  for (const address of addresses) {
    const id = peerIdOf(address);
    if (id === undefined) continue;
    const own = byPeer.get(id) ?? [];
    own.push(withoutPeerId(address));
    byPeer.set(id, own);
  }
  return [...byPeer].map(([id, texts]) => ({ id, addresses: texts }));
}
