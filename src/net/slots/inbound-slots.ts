/**
 * Places for peers that connect to us. While all are taken a newcomer may take the place of another (Core's
 * AttemptToEvictConnection). Core decides when it accepts the socket; here a place is given up only after the newcomer has
 * authenticated and identified itself as a node of our network: otherwise a socket that says nothing could displace a peer.
 * Until then it is one of a few that wait beside the places. Where nobody could be evicted it is refused before any
 * handshake.
 */
import { createHash } from 'node:crypto';
import type { Random } from '#util';
import { LOCAL_GROUP } from '../addrman/net-groups.ts';
import { BoundedMap } from '../bounded-map.ts';
import type { PeerIdText } from '../port.ts';
import { type EvictionCandidate, selectInboundToEvict } from './inbound-eviction.ts';
import type { ConnectionFacts, Wire } from './port.ts';

/** Handshakes beside the places; a host has at most two. */
const MAX_WAITING = 4;
const SECRET_BYTES = 16;
const MAX_KEYED = 1_024;

export type InboundOptions = { readonly places: number; readonly maxPeers: number };

export class InboundSlots {
  readonly #wire: Pick<Wire, 'connections' | 'close'>;
  readonly #secret: Uint8Array;
  readonly #options: InboundOptions;
  /** By group. */
  readonly #keyed = new BoundedMap<string, string>(MAX_KEYED);

  constructor(wire: Pick<Wire, 'connections' | 'close'>, random: Random, options: InboundOptions) {
    this.#wire = wire;
    this.#secret = random.bytes(SECRET_BYTES);
    this.#options = options;
  }

  /** Whether one more connection may begin its handshake. */
  hasRoom(): boolean {
    const { admitted, waiting, places } = this.#look();
    if (waiting >= Math.max(MAX_WAITING, places - admitted.length)) return false;
    return admitted.length < places || this.#victim(admitted) !== undefined;
  }

  /** The peer has identified itself: whether it gets a place. Another one may lose its own for that. */
  admit(): boolean {
    const { admitted, places } = this.#look();
    if (admitted.length < places) return true;
    const victim = this.#victim(admitted);
    if (victim !== undefined) this.#wire.close(victim, 'its place was needed for another');
    return victim !== undefined;
  }

  #look(): { readonly admitted: ConnectionFacts[]; readonly waiting: number; readonly places: number } {
    const connections = this.#wire.connections();
    const inbound = connections.filter(({ kind }) => kind === 'inbound');
    const admitted = inbound.filter(({ isAdmitted }) => isAdmitted);
    const others = connections.filter(({ kind }) => kind !== 'inbound' && kind !== 'query' && kind !== 'feeler').length;
    const places = Math.min(this.#options.places, this.#options.maxPeers - others);
    return { admitted, waiting: inbound.length - admitted.length, places };
  }

  #victim(admitted: readonly ConnectionFacts[]): PeerIdText | undefined {
    return selectInboundToEvict(admitted.filter(({ isManual }) => !isManual).map((peer) => this.#candidate(peer)));
  }

  #candidate(peer: ConnectionFacts): EvictionCandidate {
    const group = peer.group ?? LOCAL_GROUP;
    return {
      id: peer.id,
      group,
      keyedGroup: this.#keyedGroup(group),
      connectedMs: peer.openedMs,
      minPingMs: peer.minPingMs ?? Number.POSITIVE_INFINITY,
      lastBlockMs: peer.lastBlockMs,
      lastTxMs: peer.lastTxMs,
      relaysTransactions: peer.relaysTransactions,
      disadvantage: disadvantageOf(peer),
    };
  }

  #keyedGroup(group: string): string {
    const known = this.#keyed.get(group);
    if (known !== undefined) return known;
    const key = createHash('sha256').update(this.#secret).update(group).digest('base64');
    this.#keyed.set(group, key);
    return key;
  }
}

function disadvantageOf({ address, group }: ConnectionFacts): EvictionCandidate['disadvantage'] {
  if (address.includes('/p2p-circuit')) return 'relayed';
  return group === undefined ? 'local' : undefined;
}
