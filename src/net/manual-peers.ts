/**
 * The operator's peers: those of --connect, and what was added by hand since. They are always redialled, never discouraged,
 * and take no slot. The relays on the way to them are as much the operator's choice. What was added is not kept over a restart.
 */
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { isRelayedAddress, isTcpAddress, peerIdOf, withoutPeerId } from './addresses.ts';
import { type AddedPeer, MAX_ADDED_PEERS } from './operator-port.ts';
import type { PeerIdText } from './port.ts';
import { FixedPeers } from './slots/fixed-peers.ts';

const MAX_ADDRESS_TEXT = 500;

export class ManualPeers {
  /** Whom to dial. */
  readonly targets: FixedPeers;
  /** By their addresses, in the order in which they came. */
  readonly #ids = new Map<string, ReadonlySet<PeerIdText>>();
  /** What is dialled once at the operator's word, as `withoutPeerId` writes it. */
  readonly #trying = new Set<string>();
  readonly #capacity: number;

  constructor(connect: readonly string[], self: PeerIdText, backoffFirstMs: number) {
    this.targets = new FixedPeers(connect, self, backoffFirstMs);
    for (const text of connect) this.#ids.set(text, idsOf([text]));
    this.#capacity = connect.length + MAX_ADDED_PEERS;
  }

  has(peer: PeerIdText): boolean {
    for (const ids of this.#ids.values()) if (ids.has(peer)) return true;
    return false;
  }

  /** Whether the operator gave this address: then it is dialled wherever it leads, our own network too. */
  isGiven(address: Multiaddr): boolean {
    const text = withoutPeerId(address);
    if (this.#trying.has(text)) return true;
    for (const given of this.#ids.keys()) if (withoutPeerId(multiaddr(given)) === text) return true;
    return false;
  }

  /** For as long as `dial` runs, the address is one that the operator gave. */
  async whileTrying<T>(address: Multiaddr, dial: () => Promise<T>): Promise<T> {
    const text = withoutPeerId(address);
    if (this.#trying.has(text)) return dial();
    this.#trying.add(text);
    try {
      return await dial();
    } finally {
      this.#trying.delete(text);
    }
  }

  add(text: string): 'added' | 'already-added' | 'full' | 'invalid' {
    const address = parsePeerAddress(text);
    if (address === undefined) return 'invalid';
    const canonical = address.toString();
    if (this.#ids.has(canonical) || this.#ids.has(text)) return 'already-added';
    if (this.#ids.size >= this.#capacity) return 'full';
    this.#ids.set(canonical, idsOf([canonical]));
    this.targets.add(address);
    return 'added';
  }

  /** By one of its addresses, or all of a peer by its id. */
  remove(addressOrId: string): boolean {
    const canonical = parsePeerAddress(addressOrId)?.toString();
    let wasThere = false;
    for (const text of [...this.#ids.keys()]) {
      const isMeant = text === addressOrId || text === canonical || peerIdOf(multiaddr(text)) === addressOrId;
      if (!isMeant) continue;
      this.#ids.delete(text);
      this.targets.remove(multiaddr(text));
      wasThere = true;
    }
    return wasThere;
  }

  /** Each peer once, with all of its addresses as they were given. */
  list(): Omit<AddedPeer, 'connected'>[] {
    const byPeer = new Map<PeerIdText, string[]>();
    for (const text of this.#ids.keys()) {
      const id = peerIdOf(multiaddr(text));
      if (id === undefined) continue;
      byPeer.set(id, [...(byPeer.get(id) ?? []), text]);
    }
    return [...byPeer].map(([id, addresses]) => ({ id, addresses }));
  }
}

/** What --connect takes: an address that we can dial, with the id of who is to be there. Undefined for all else. */
export function parsePeerAddress(text: string): Multiaddr | undefined {
  if (text.length > MAX_ADDRESS_TEXT) return undefined;
  try {
    const address = multiaddr(text);
    const isDialable = isTcpAddress(address) || isRelayedAddress(address);
    return isDialable && address.getComponents().at(-1)?.name === 'p2p' ? address : undefined;
  } catch {
    return undefined;
  }
}

/** The peers that addresses lead to, and the relays on the way. */
export function idsOf(addresses: readonly string[]): Set<PeerIdText> {
  const parts = addresses.flatMap((text) => multiaddr(text).getComponents());
  return new Set(parts.flatMap(({ name, value }) => (name === 'p2p' && value !== undefined ? [value] : [])));
}
