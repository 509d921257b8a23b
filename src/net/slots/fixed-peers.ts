/**
 * Peers whose addresses the operator or the network's parameters give: forgotten only on request, each with its own back-off of a
 * minute at most, since somebody asked for them, and a seed that returns should be found again.
 */
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { peerIdOf, withoutPeerId } from '../addresses.ts';
import type { PeerIdText } from '../port.ts';
import type { DialTarget } from './port.ts';

const LONGEST_BACKOFF_MS = 60_000;

type Fixed = { readonly id: PeerIdText; readonly addresses: string[]; failures: number; nextTryMs: number };

export class FixedPeers {
  readonly #peers = new Map<PeerIdText, Fixed>();
  readonly #self: PeerIdText;
  readonly #firstMs: number;

  /** `addresses` are complete, with /p2p/ id; several of one peer are one target. */
  constructor(addresses: readonly string[], self: PeerIdText, backoffFirstMs: number) {
    this.#self = self;
    this.#firstMs = backoffFirstMs;
    for (const text of addresses) this.add(multiaddr(text));
  }

  /** Due at once. */
  add(address: Multiaddr): void {
    const id = peerIdOf(address);
    if (id === undefined || id === this.#self) return;
    const text = withoutPeerId(address);
    const known = this.#peers.get(id);
    if (known === undefined) this.#peers.set(id, { id, addresses: [text], failures: 0, nextTryMs: 0 });
    else if (!known.addresses.includes(text)) known.addresses.push(text);
  }

  remove(address: Multiaddr): void {
    const fixed = this.#peers.get(peerIdOf(address) ?? '');
    const index = fixed?.addresses.indexOf(withoutPeerId(address)) ?? -1;
    if (fixed === undefined || index < 0) return;
    fixed.addresses.splice(index, 1);
    if (fixed.addresses.length === 0) this.#peers.delete(fixed.id);
  }

  get size(): number {
    return this.#peers.size;
  }

  ids(): PeerIdText[] {
    return [...this.#peers.keys()];
  }

  /** Those whose time has come, longest waiting first. */
  due(nowMs: number): DialTarget[] {
    return [...this.#peers.values()]
      .filter(({ nextTryMs }) => nextTryMs <= nowMs)
      .toSorted((a, b) => a.nextTryMs - b.nextTryMs)
      .map(({ id, addresses }) => ({ id, addresses: [...addresses] }));
  }

  dialled(id: PeerIdText, isConnected: boolean, nowMs: number): void {
    const fixed = this.#peers.get(id);
    if (fixed === undefined) return;
    fixed.failures = isConnected ? 0 : fixed.failures + 1;
    fixed.nextTryMs = nowMs + Math.min(LONGEST_BACKOFF_MS, this.#firstMs * 2 ** Math.min(fixed.failures, 16));
  }
}
