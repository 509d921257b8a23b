/**
 * Gossipsub loses peers without noticing: an RPC above its limit removes the sender for ever while the connection
 * stays, and a reset stream leaves a peer in the mesh that nothing reaches. Every look, each announced peer must be
 * a gossip peer with a live stream both ways. The first miss sets gossip up again by another identify; the second
 * in a row ends the connection, which heals everything. Peers that fell to gossipsub's graylist are charged.
 */
import type { GossipSub } from '@libp2p/gossipsub';
import type { Identify } from '@libp2p/identify';
import type { Connection } from '@libp2p/interface';
import type { OffenceName } from '#protocol';
import { type Clock, errorText, type Logger, type TimerHandle } from '#util';
import { scoreOf } from './gossip.ts';
import { GRAYLIST_SCORE } from './gossip-settings.ts';
import type { Peers } from './peers.ts';
import type { PeerIdText } from './port.ts';

const GOSSIP_PREFIX = '/meshsub/';
/** After a second connection was closed gossip gets this long to run on the first. */
const REBIND_MS = 500;

export type WatchdogDeps = {
  readonly pubsub: GossipSub;
  readonly identify: Identify;
  readonly clock: Clock;
  readonly log: Logger;
  readonly peers: Peers;
  readonly charge: (peer: PeerIdText, offence: OffenceName, detail: string) => void;
};

export class GossipWatchdog {
  readonly #deps: WatchdogDeps;
  readonly #periodMs: number;
  readonly #suspects = new Set<PeerIdText>();
  readonly #rebinds = new Set<TimerHandle>();
  #timer: TimerHandle | undefined;

  constructor(deps: WatchdogDeps, periodMs: number) {
    this.#deps = deps;
    this.#periodMs = periodMs;
  }

  start(): void {
    this.#timer = this.#deps.clock.after(this.#periodMs, () => {
      this.#look();
      this.start();
    });
  }

  stop(): void {
    this.#timer?.cancel();
    for (const timer of this.#rebinds) timer.cancel();
    this.#rebinds.clear();
  }

  /** Gossip may have run on a connection that was closed in favour of this one. */
  rebindSoon(connection: Connection): void {
    const timer = this.#deps.clock.after(REBIND_MS, () => {
      this.#rebinds.delete(timer);
      if (connection.status === 'open' && !hasStream(connection, 'outbound')) this.#setUpAgain(connection);
    });
    this.#rebinds.add(timer);
  }

  #look(): void {
    const gossipPeers = new Set(this.#deps.pubsub.getPeers().map((peer) => peer.toString()));
    const { peers } = this.#deps;
    const announced = peers.table.announcedIds();
    for (const id of this.#suspects) if (!announced.includes(id)) this.#suspects.delete(id);
    for (const id of announced) {
      const connection = peers.table.connectionOf(id);
      if (connection === undefined || !peers.table.speaks(id, GOSSIP_PREFIX)) continue;
      const score = scoreOf(this.#deps.pubsub, id);
      if (score < GRAYLIST_SCORE) {
        // Whole seconds of rejected messages and broken promises: what led here is gossipsub's finding, not one event.
        this.#deps.charge(id, 'protocol-violation', `gossip score ${Math.round(score)}`);
      }
      const isAlive = gossipPeers.has(id) && hasStream(connection, 'outbound') && hasStream(connection, 'inbound');
      this.#judge(id, connection, isAlive);
    }
  }

  #judge(id: PeerIdText, connection: Connection, isAlive: boolean): void {
    if (isAlive) {
      this.#suspects.delete(id);
    } else if (this.#suspects.has(id)) {
      this.#suspects.delete(id);
      this.#deps.peers.drop(id, 'its gossip streams are dead');
    } else {
      this.#suspects.add(id);
      if (!hasStream(connection, 'outbound')) this.#setUpAgain(connection);
    }
  }

  /** A new identify makes libp2p tell gossipsub and the DHT of the peer again: they then open their streams. */
  #setUpAgain(connection: Connection): void {
    this.#deps.identify.identify(connection).catch((error: unknown) => {
      this.#deps.log.debug('identify failed', { error: errorText(error) });
    });
  }
}

function hasStream(connection: Connection, direction: 'inbound' | 'outbound'): boolean {
  return connection.streams.some(
    (stream) =>
      stream.direction === direction &&
      stream.protocol.startsWith(GOSSIP_PREFIX) &&
      (stream.status === 'open' || stream.status === 'closing'),
  );
}
