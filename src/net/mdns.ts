/**
 * Nodes of the local network, by multicast DNS. Under a name of our network, so that other libp2p programs are left
 * alone. What is found here may be dialled although it is a private address; what hearsay says is not.
 */
import type { PeerInfo } from '@libp2p/interface';
import { mdns } from '@libp2p/mdns';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { BoundedMap } from './bounded-map.ts';

type Components = Parameters<ReturnType<typeof mdns>>[0];
type LocalComponents = Components & {
  readonly peerId: { readonly toString: () => string };
  readonly transportManager: { readonly getAddrs: () => Multiaddr[] };
};

/** Addresses remembered as local, of all peers together. */
const MAX_LOCAL = 256;
/** Of one answer. */
const MAX_ADDRESSES = 8;
const QUERY_MS = 10_000;

export class LocalPeers {
  readonly #addresses = new BoundedMap<string, true>(MAX_LOCAL);
  #onFound: (peer: PeerInfo) => void = () => {};

  /** Hears of each peer that answers, each time. */
  onFound(listener: (peer: PeerInfo) => void): void {
    this.#onFound = listener;
  }

  /** Whether multicast DNS told of this address. */
  has(address: Multiaddr): boolean {
    return this.#addresses.get(keyOf(address)) === true;
  }

  /** As a service: libp2p would mix what a discovery of its own finds with what the DHT says. */
  service(network: string): (components: LocalComponents) => { start: () => Promise<void>; stop: () => Promise<void> } {
    return (components) => {
      const { logger, peerId, transportManager } = components;
      // All that we listen on: what is announced to the world leaves out just those that matter here.
      const getAddresses = (): Multiaddr[] =>
        transportManager.getAddrs().map((address) => multiaddr(`${address.toString()}/p2p/${peerId.toString()}`));
      const addressManager = Object.assign(Object.create(components.addressManager), { getAddresses });
      const found = mdns({ serviceTag: `_starling-${network}._udp.local`, interval: QUERY_MS })({
        logger,
        addressManager,
      });
      found.addEventListener('peer', ({ detail }) => this.#learn(detail));
      return found as unknown as { start: () => Promise<void>; stop: () => Promise<void> };
    };
  }

  #learn({ id, multiaddrs }: PeerInfo): void {
    const few = multiaddrs.slice(0, MAX_ADDRESSES);
    for (const address of few) this.#addresses.set(keyOf(address), true);
    this.#onFound({ id, multiaddrs: few });
  }
}

function keyOf(address: Multiaddr): string {
  return address.toString().replace(/\/p2p\/[^/]+$/, '');
}
