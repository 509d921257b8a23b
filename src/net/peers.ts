/**
 * The peers we have connections with, from the first handshake to the last close. A peer is announced to the node
 * once, after identify has shown that it speaks a protocol of our network; it counts once the node has confirmed it.
 * One connection a peer is used; a second one replaces it or is closed, on both ends by the same rule.
 */
import type { Socket } from 'node:net';
import type { Connection, IdentifyResult } from '@libp2p/interface';
import { type Clock, errorText, type Logger } from '#util';
import { infoOf, type Peer, printable } from './peer.ts';
import { isProbed, measured, moveTo, newFacts, useful } from './peer-facts.ts';
import { PeerTable } from './peer-table.ts';
import type { ConnectionKind, NetHandlers, PeerIdText, Usefulness } from './port.ts';
import { Probes } from './probes.ts';
import { surplusOf } from './second-connection.ts';
import type { ConnectionFacts } from './slots/port.ts';
import { Traffic } from './traffic.ts';

/** Kept of a peer's list; ours are about twenty. */
const MAX_PROTOCOLS = 64;

/** Why we drop a peer: it is of another network, it said nothing, the operator switches the network off, or else. */
export type DropCause = 'foreign' | 'silent' | 'inactive' | 'other';

export type PeersDeps = {
  readonly clock: Clock;
  readonly log: Logger;
  readonly self: PeerIdText;
  readonly handlers: Pick<NetHandlers, 'peerConnected' | 'peerDisconnected'>;
  /** Whether a list of protocol ids has one of our network. */
  readonly isOurs: (protocols: readonly string[]) => boolean;
  readonly isManual: (peer: PeerIdText) => boolean;
  readonly isSeed: (peer: PeerIdText) => boolean;
  /** What an outbound connection that has just been opened is for. */
  readonly kindOf: (peer: PeerIdText) => ConnectionKind;
  /** Whether a peer that connected to us and identified itself gets a place. */
  readonly admitInbound: () => boolean;
  /** Netgroup; undefined for local addresses. */
  readonly groupOf: (address: string) => string | undefined;
  /** The last connection of a peer is closed. */
  readonly onGone: (peer: ConnectionFacts) => void;
  readonly socketOf: (timeline: object) => Socket | undefined;
  /** The peer was dropped by us, and why. */
  readonly onDropped: (peer: PeerIdText, why: DropCause) => void;
  /** A second connection was closed; what ran on it (gossip) must be set up on the other. */
  readonly onCollapsed: (kept: Connection) => void;
};

export type PeersOptions = { readonly identifyTimeoutMs: number; readonly confirmTimeoutMs: number };

export class Peers {
  /** What others ask. */
  readonly table: PeerTable;
  readonly #peers = new Map<PeerIdText, Peer>();
  readonly #probes: Probes;
  readonly #deps: PeersDeps;
  readonly #options: PeersOptions;
  #isActive = true;

  constructor(deps: PeersDeps, options: PeersOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#probes = new Probes(deps.clock, (connection) => this.#close(connection));
    this.table = new PeerTable(this.#peers, this.#probes, deps, deps.clock);
  }

  /** libp2p opened a connection; the peer behind it is authenticated but unknown otherwise. */
  opened(connection: Connection): void {
    const id = connection.remotePeer.toString();
    let peer = this.#peers.get(id);
    if (peer?.reason !== undefined || !this.#isActive) {
      // We are about to be rid of it; it may come again when that is done.
      this.#close(connection);
      return;
    }
    if (peer !== undefined && this.#goesAnotherWay(peer, connection)) return;
    peer ??= this.#begin(id);
    peer.connections.push(connection);
    if (peer.connections.length > 1) this.#collapse(peer);
    if (peer.connections.at(-1) === connection) this.#moveTo(peer, connection, false);
  }

  /** Whether a further connection is none that could take the place of the one before it; then it is dealt with here. */
  #goesAnotherWay(peer: Peer, connection: Connection): boolean {
    const older = peer.connections.at(-1);
    if (older === undefined) return false;
    const isRelayed = connection.limits !== undefined;
    // One of us two has asked the other to try an address of his.
    if (!isRelayed && isProbed(older)) this.#probes.add(connection);
    // Nothing is won by a relay where there is a direct way.
    else if (isRelayed && older.limits === undefined) this.#close(connection);
    else if (!isRelayed && older.limits !== undefined) this.#moveToDirect(peer, connection);
    else return false;
    return true;
  }

  #begin(id: PeerIdText): Peer {
    const peer: Peer = {
      id,
      connections: [],
      facts: newFacts(id, this.#deps.isManual(id), this.#deps.clock.monotonicMs()),
      traffic: new Traffic(),
      phase: 'identifying',
      agent: '',
      protocols: new Set(),
      timer: undefined,
      reason: undefined,
      pingedMs: undefined,
      announced: Promise.withResolvers(),
    };
    this.#peers.set(id, peer);
    this.#expect(peer, this.#options.identifyTimeoutMs, 'did not identify itself in time');
    return peer;
  }

  /** `calledUs`: whichever end opened this connection, it was the peer that wanted to be ours. */
  #moveTo(peer: Peer, connection: Connection, calledUs: boolean): void {
    const isInbound = calledUs || connection.direction === 'inbound';
    moveTo(peer.facts, connection, isInbound ? 'inbound' : this.#deps.kindOf(peer.id), this.#deps.groupOf);
  }

  /** Of a peer that was reached over a relay. To the node it leaves and comes back, for what can be asked of it changes. */
  #moveToDirect(relayed: Peer, connection: Connection): void {
    this.#deps.log.debug('reached without a relay now', { peer: relayed.id });
    this.#leave(relayed, 'it is reached without a relay now');
    for (const old of relayed.connections) this.#close(old);
    const peer = this.#begin(relayed.id);
    peer.connections.push(connection);
    this.#moveTo(peer, connection, relayed.facts.kind === 'inbound');
    this.#deps.onCollapsed(connection);
  }

  /** libp2p closed a connection. */
  closed(connection: Connection): void {
    this.table.noteClosed(connection);
    this.#probes.closed(connection);
    const id = connection.remotePeer.toString();
    const peer = this.#peers.get(id);
    const index = peer?.connections.indexOf(connection) ?? -1;
    if (peer === undefined || index < 0) return;
    peer.connections.splice(index, 1);
    if (peer.connections.length === 0) this.#leave(peer, peer.reason ?? 'the connection closed');
  }

  #leave(peer: Peer, reason: string): void {
    this.#peers.delete(peer.id);
    peer.timer?.cancel();
    peer.announced.resolve(false);
    for (const probe of this.#probes.of(peer.id)) this.#close(probe);
    if (peer.phase !== 'identifying') this.#deps.handlers.peerDisconnected(peer.id, reason);
    this.#deps.onGone(peer.facts);
  }

  /** The peer said which protocols it speaks. */
  identified(result: IdentifyResult): void {
    const peer = this.#peers.get(result.peerId.toString());
    if (peer === undefined || peer.reason !== undefined) return;
    peer.protocols = new Set(result.protocols.slice(0, MAX_PROTOCOLS));
    peer.agent = printable(result.agentVersion ?? '');
    if (peer.phase !== 'identifying') return;
    if (!this.#deps.isOurs(result.protocols)) {
      this.drop(peer.id, 'it speaks no protocol of this network', 'foreign');
      return;
    }
    if (peer.facts.kind === 'inbound' && !peer.facts.isManual && !this.#deps.admitInbound()) {
      this.drop(peer.id, 'all places are taken');
      return;
    }
    peer.phase = 'announced';
    peer.facts.isAdmitted = true;
    this.#expect(peer, this.#options.confirmTimeoutMs, 'gave no valid hello in time');
    this.#deps.handlers.peerConnected(infoOf(peer, this.#deps));
    peer.announced.resolve(true);
  }

  /** The node got a valid hello. Undefined when the peer is gone or was confirmed before. */
  confirm(id: PeerIdText, relaysTransactions: boolean): ConnectionFacts | undefined {
    const peer = this.#peers.get(id);
    if (peer !== undefined) peer.facts.relaysTransactions = relaysTransactions;
    if (peer?.phase !== 'announced' || peer.reason !== undefined) return undefined;
    peer.phase = 'confirmed';
    peer.facts.isConfirmed = true;
    peer.timer?.cancel();
    return peer.facts;
  }

  noteUseful(id: PeerIdText, what: Usefulness): void {
    const facts = this.#peers.get(id)?.facts;
    if (facts !== undefined) useful(facts, what, this.#deps.clock.monotonicMs());
  }

  /** What was opened for a query becomes one of ours. False if there is no such connection. */
  promote(id: PeerIdText, kind: ConnectionKind): boolean {
    const peer = this.#peers.get(id);
    if (peer?.facts.kind !== 'query' || peer.reason !== undefined) return false;
    peer.facts.kind = kind;
    return true;
  }

  /** Closes all connections of a peer. The node hears of it when they are closed. */
  drop(id: PeerIdText, reason: string, why: DropCause = 'other'): void {
    const peer = this.#peers.get(id);
    if (peer === undefined || peer.reason !== undefined) return;
    peer.reason = reason;
    this.#deps.log.debug('disconnecting', { peer: id, reason });
    this.#deps.onDropped(id, why);
    for (const connection of [...peer.connections]) this.#close(connection);
  }

  /** Off: all are dropped, and who comes all the same is closed at once. */
  setActive(isActive: boolean): void {
    this.#isActive = isActive;
    if (isActive) return;
    for (const id of [...this.#peers.keys()]) this.drop(id, 'the network is switched off', 'inactive');
    for (const probe of [...this.#probes.all()]) this.#close(probe);
  }

  get isActive(): boolean {
    return this.#isActive;
  }

  /** `measure` gives the round trip; who still owes one is not asked again. */
  ping(measure: (connection: Connection) => Promise<number>): void {
    for (const peer of this.#peers.values()) {
      const connection = this.table.connectionOf(peer.id);
      if (connection === undefined || peer.pingedMs !== undefined) continue;
      peer.pingedMs = this.#deps.clock.monotonicMs();
      void measure(connection)
        .then((rttMs) => {
          connection.rtt = rttMs;
          measured(peer.facts, rttMs);
        })
        .catch((error: unknown) => this.#deps.log.debug('a ping failed', { peer: peer.id, error: errorText(error) }))
        .finally(() => {
          peer.pingedMs = undefined;
        });
    }
  }

  /** No timer fires and no handler is called any more. */
  stop(): void {
    for (const peer of this.#peers.values()) {
      peer.timer?.cancel();
      peer.announced.resolve(false);
    }
    this.#peers.clear();
    this.#probes.stop();
  }

  #expect(peer: Peer, timeoutMs: number, failure: string): void {
    peer.timer?.cancel();
    peer.timer = this.#deps.clock.after(timeoutMs, () => this.drop(peer.id, `it ${failure}`, 'silent'));
  }

  #collapse(peer: Peer): void {
    const [older, newer] = peer.connections.slice(-2);
    if (older === undefined || newer === undefined) return;
    const surplus = surplusOf(older, newer, this.#deps.self, peer.id);
    const kept = surplus === older ? newer : older;
    this.#deps.log.debug('closing a second connection', { peer: peer.id, direction: surplus.direction });
    // Out of the list at once: nothing new starts on it, and its close does not look like the peer's.
    peer.connections.splice(peer.connections.indexOf(surplus), 1);
    // Whom we dialled may not have the other one yet: he would take us for gone. He closes this one when he has.
    if (kept.direction === 'outbound' && surplus.direction === 'inbound') this.#probes.add(surplus);
    else this.#close(surplus);
    this.#deps.onCollapsed(kept);
  }

  #close(connection: Connection): void {
    connection.close().catch((error: unknown) => {
      connection.abort(error instanceof Error ? error : new Error('the connection could not be closed'));
    });
  }
}
