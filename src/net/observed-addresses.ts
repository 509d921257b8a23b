/**
 * Where others see our calls come from, if they come from the port that we listen on: what our router made of our address.
 * Told to whom we punch a hole with, and to nobody else: it is a peer's word. Peers that called us are not asked.
 */
import type { Connection, IdentifyResult, PeerId } from '@libp2p/interface';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { hasPublicAddress, isTcpAddress, withoutPeerId } from './addresses.ts';
import { BoundedMap } from './bounded-map.ts';
import type { PeerIdText } from './port.ts';

/** Peers whose word counts, the latest. */
const MAX_WITNESSES = 16;
/** More than one where a router gives each destination another port: then it is of no use anyway. */
const MAX_TOLD = 2;

export type ObservedAddressesDeps = {
  readonly events: {
    readonly addEventListener: (type: 'peer:identify', listener: (event: CustomEvent<IdentifyResult>) => void) => void;
  };
  readonly self: PeerId;
  readonly isFromListeningPort: (connection: Connection) => boolean;
};

export class ObservedAddresses {
  readonly #self: PeerId;
  readonly #byWitness = new BoundedMap<PeerIdText, string>(MAX_WITNESSES);

  constructor({ events, self, isFromListeningPort }: ObservedAddressesDeps) {
    this.#self = self;
    events.addEventListener('peer:identify', ({ detail: { peerId, observedAddr, connection } }) => {
      if (observedAddr === undefined || connection.direction !== 'outbound' || connection.limits !== undefined) return;
      if (!isTcpAddress(observedAddr) || !hasPublicAddress(observedAddr) || !isFromListeningPort(connection)) return;
      this.#byWitness.set(peerId.toString(), withoutPeerId(observedAddr));
    });
  }

  /** With our peer id; those that most peers told of come first. */
  list(): Multiaddr[] {
    const counts = new Map<string, number>();
    for (const [, address] of this.#byWitness.entries()) counts.set(address, (counts.get(address) ?? 0) + 1);
    const most = [...counts].sort(([, a], [, b]) => b - a).slice(0, MAX_TOLD);
    return most.map(([address]) => multiaddr(`${address}/p2p/${this.#self.toString()}`));
  }
}
