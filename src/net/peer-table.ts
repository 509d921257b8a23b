/**
 * The connected peers as everybody asks of them; `Peers` alone changes what is in here. Answers are about now, and cost
 * a look at each connection at most.
 */
import type { Connection, Stream } from '@libp2p/interface';
import type { Clock } from '#util';
import { hostKey, ipOf } from './addresses.ts';
import type { ByteCounts } from './operator-port.ts';
import { type ConnectionDetails, detailsOf, infoOf, type Peer, type PeerView } from './peer.ts';
import { measured } from './peer-facts.ts';
import type { ConnectionKind, NetStatus, PeerIdText, PeerInfo } from './port.ts';
import type { Probes } from './probes.ts';
import type { ConnectionFacts } from './slots/port.ts';
import type { Traffic } from './traffic.ts';

export class PeerTable {
  readonly #peers: ReadonlyMap<PeerIdText, Peer>;
  readonly #probes: Probes;
  readonly #view: PeerView;
  readonly #clock: Clock;
  readonly #closed = { bytesIn: 0, bytesOut: 0 };

  constructor(peers: ReadonlyMap<PeerIdText, Peer>, probes: Probes, view: PeerView, clock: Clock) {
    this.#peers = peers;
    this.#probes = probes;
    this.#view = view;
    this.#clock = clock;
  }

  /** What it carried stays in the totals. */
  noteClosed(connection: Connection): void {
    this.#addBytes(this.#closed, connection);
  }

  kindOf(id: PeerIdText): ConnectionKind | undefined {
    return this.#peers.get(id)?.facts.kind;
  }

  /** All but those that we are closing, oldest first. */
  facts(): ConnectionFacts[] {
    const staying = [...this.#peers.values()].filter(({ reason }) => reason === undefined);
    return staying.map(({ id, facts, connections }) => {
      // The operator may have added or removed it meanwhile.
      facts.isManual = this.#view.isManual(id);
      return measured(facts, connections.at(-1)?.rtt);
    });
  }

  /** The connection for requests to an announced peer. */
  connectionOf(id: PeerIdText): Connection | undefined {
    const peer = this.#peers.get(id);
    if (peer === undefined || peer.phase === 'identifying' || peer.reason !== undefined) return undefined;
    return peer.connections.findLast((connection) => connection.status === 'open');
  }

  /** Resolves once the node knows the peer of this connection; false if it went away first. */
  async whenAnnounced({ remotePeer }: Pick<Connection, 'remotePeer'>): Promise<boolean> {
    return (await this.#peers.get(remotePeer.toString())?.announced.promise) ?? false;
  }

  isAnnounced(id: PeerIdText): boolean {
    const peer = this.#peers.get(id);
    return peer !== undefined && peer.phase !== 'identifying' && peer.reason === undefined;
  }

  isConnected(id: PeerIdText): boolean {
    return this.#peers.has(id);
  }

  /** Whether identify listed a protocol that begins so. */
  speaks(id: PeerIdText, prefix: string): boolean {
    for (const protocol of this.#peers.get(id)?.protocols ?? []) if (protocol.startsWith(prefix)) return true;
    return false;
  }

  connectionsOfPeer(id: PeerIdText): number {
    return (this.#peers.get(id)?.connections.length ?? 0) + this.#probes.of(id).length;
  }

  /** Whether the connection serves to try an address, and nothing else. */
  isProbe(connection: Connection): boolean {
    return this.#probes.has(connection);
  }

  /** Connected, and over a relay alone. */
  isRelayed(id: PeerIdText): boolean {
    return this.#peers.get(id)?.connections.at(-1)?.limits !== undefined;
  }

  connectionsOfHost(host: string): number {
    let count = 0;
    for (const connection of this.connections()) {
      const ip = ipOf(connection.remoteAddr);
      if (ip !== undefined && hostKey(ip) === host) count += 1;
    }
    return count;
  }

  /** Undefined for names, and behind a relay: what the peer does is not its relay's fault. */
  ipOf(id: PeerIdText): string | undefined {
    const connection = this.#peers.get(id)?.connections.at(-1);
    return connection === undefined || connection.limits !== undefined ? undefined : ipOf(connection.remoteAddr);
  }

  /** Every connection, oldest peer first. */
  *connections(): IterableIterator<Connection> {
    for (const peer of this.#peers.values()) yield* peer.connections;
    yield* this.#probes.all();
  }

  /** Announced peers, oldest first. */
  announcedIds(): PeerIdText[] {
    return [...this.#peers.keys()].filter((id) => this.isAnnounced(id));
  }

  /** Confirmed peers. */
  list(): PeerInfo[] {
    return [...this.#peers.values()]
      .filter((peer) => peer.phase === 'confirmed')
      .map((peer) => infoOf(peer, this.#view));
  }

  totals(): Pick<NetStatus, 'bytesIn' | 'bytesOut' | 'connections' | 'streams'> {
    const bytes = { ...this.#closed };
    let connections = 0;
    let streams = 0;
    for (const connection of this.connections()) {
      connections += 1;
      streams += connection.streams.length;
      this.#addBytes(bytes, connection);
    }
    return { ...bytes, connections, streams };
  }

  /** Peers in any phase, oldest first. */
  details(): ConnectionDetails[] {
    return [...this.#peers.values()].map((peer) => detailsOf(peer, this.#view, this.#clock));
  }

  /** The account of whom this stream leads to. */
  trafficOf(stream: Stream): Traffic | undefined {
    for (const { connections, traffic } of this.#peers.values()) {
      if (connections.some(({ streams }) => streams.includes(stream))) return traffic;
    }
    return undefined;
  }

  #addBytes(to: { -readonly [Key in keyof ByteCounts]: ByteCounts[Key] }, { timeline }: Connection): void {
    const socket = this.#view.socketOf(timeline);
    to.bytesIn += socket?.bytesRead ?? 0;
    to.bytesOut += socket?.bytesWritten ?? 0;
  }
}
