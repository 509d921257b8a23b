/**
 * Addresses between peers, `peers/1`: what each of our outbound peers knows is asked for once, and what we know is
 * handed on, as signed records only. The one message that `net` knows by name, for it is about nothing else.
 *
 * As in Core, whoever asks within a day gets the same answer: who could draw again and again would learn all that we
 * know, when we learnt it, and by that who our peers are.
 */
import { isIPv4 } from 'node:net';
import type { Connection } from '@libp2p/interface';
import { type OffenceName, responseStatus, streams } from '#protocol';
import { type Clock, errorText, type Logger, nextTurn, type Random } from '#util';
import { ipOf, isLocalIp, mappedIpv4 } from '../addresses.ts';
import type { Net, PeerIdText, ResponseFrame } from '../port.ts';
import type { AddressManager } from './manager.ts';
import type { NetGroups } from './net-groups.ts';
import { RecordStore } from './record-store.ts';
import { openPeerRecord } from './signed-record.ts';

const HOUR_MS = 3_600_000;
/** Core's: 21 hours and up to 6 more. */
const ANSWER_MS = 21 * HOUR_MS;
const ANSWER_SPREAD_MS = 6 * HOUR_MS;
/** An answer with fewer records is given for as short as `SMALL_ANSWER_MS`: a young network must find itself first. */
const SMALL_ANSWER_RECORDS = 32;
const SMALL_ANSWER_MS = 60_000;
/** Asked for, and given: as many as the row allows. */
const MAX_RECORDS = 1000;
/** Records verified before others get a turn; one takes 0.1 ms. */
const AT_ONCE = 16;

type Answer = { readonly records: readonly Uint8Array[]; readonly untilMs: number };
/** Core keeps an answer for each network that it can be asked from. */
type Network = 'ipv4' | 'ipv6' | 'local';

export type AddressExchangeDeps = {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly self: PeerIdText;
  readonly addresses: AddressManager;
  readonly groups: NetGroups;
  readonly request: Net['request'];
  readonly connectionOf: (peer: PeerIdText) => Pick<Connection, 'remoteAddr' | 'direction'> | undefined;
  readonly charge: (peer: PeerIdText, offence: OffenceName, detail: string) => void;
  /** Something new was heard. */
  readonly onFound: () => void;
};

export class AddressExchange {
  readonly #deps: AddressExchangeDeps;
  readonly #records = new RecordStore();
  readonly #answers = new Map<Network, Answer>();
  readonly #asked = new WeakSet<Connection>();
  readonly #stopping = new AbortController();

  constructor(deps: AddressExchangeDeps) {
    this.#deps = deps;
  }

  stop(): void {
    this.#stopping.abort();
  }

  /** A peer of our network gave us its own record. */
  async met(peer: PeerIdText, bytes: Uint8Array): Promise<void> {
    const record = await openPeerRecord(bytes);
    if (record && record.id === peer) this.#records.put(peer, record.seq, bytes, 'met');
  }

  /** Asks a peer that we called for what it knows, once a connection. Never rejects. */
  async ask(connection: Connection): Promise<void> {
    if (this.#asked.has(connection)) return;
    this.#asked.add(connection);
    const peer = connection.remotePeer.toString();
    const request = streams.peers.request.encode(MAX_RECORDS);
    try {
      for await (const { status, payload } of this.#deps.request(peer, 'peers', request, this.#stopping.signal)) {
        if (status === responseStatus.ok) await this.#hear(peer, this.#deps.groups.of(connection.remoteAddr), payload);
      }
    } catch (error) {
      this.#deps.log.debug('a peer told of no addresses', { peer, error: errorText(error) });
    }
  }

  /**
   * Answers a request of `peers/1`; with nothing if it was we who called, as Core: who tells us of addresses that are
   * nowhere else must not be able to ask for them wherever we call him, and so to know us again.
   */
  async *serve(peer: PeerIdText, request: Uint8Array): AsyncGenerator<ResponseFrame> {
    const count = decoded(() => streams.peers.request.decode(request));
    if (count === undefined) {
      this.#deps.charge(peer, 'undecodable-message', 'peers request');
      yield { status: responseStatus.invalidRequest, payload: new Uint8Array(0) };
      return;
    }
    const connection = this.#deps.connectionOf(peer);
    const records = connection?.direction === 'inbound' ? this.#answerFor(networkOf(connection)).slice(0, count) : [];
    yield { status: responseStatus.ok, payload: streams.peers.response.encode(records), isExclusive: true };
  }

  async #hear(peer: PeerIdText, group: string, payload: Uint8Array): Promise<void> {
    const { charge, addresses, self, onFound } = this.#deps;
    const records = decoded(() => streams.peers.response.decode(payload));
    if (records === undefined) {
      charge(peer, 'undecodable-message', 'peers response');
      return;
    }
    let added = 0;
    for (const [index, bytes] of records.entries()) {
      if (index % AT_ONCE === AT_ONCE - 1) await nextTurn();
      if (this.#stopping.signal.aborted) return;
      const record = await openPeerRecord(bytes);
      if (record === false) {
        charge(peer, 'wrong-response', 'handed on a peer record that is not signed by its peer');
        break;
      }
      if (record === undefined || record.id === self) continue;
      const fresh = addresses.add(record.id, record.addresses, { kind: 'record', group });
      added += fresh;
      // What found no place among the addresses is not handed on either, so that their bounds hold here too.
      if (fresh > 0 || this.#records.get(record.id) !== undefined) {
        this.#records.put(record.id, record.seq, bytes, 'heard');
      }
    }
    if (added > 0) onFound();
  }

  #answerFor(network: Network): readonly Uint8Array[] {
    const { clock, random, addresses } = this.#deps;
    const known = this.#answers.get(network);
    if (known !== undefined && clock.monotonicMs() < known.untilMs) return known.records;
    const ids = new Set(addresses.sample(MAX_RECORDS).map(({ id }) => id));
    const records = [...ids].map((id) => this.#records.get(id)).filter((bytes) => bytes !== undefined);
    const isSmall = records.length < SMALL_ANSWER_RECORDS;
    const lifetimeMs = isSmall ? SMALL_ANSWER_MS : ANSWER_MS + random.below(ANSWER_SPREAD_MS);
    this.#answers.set(network, { records, untilMs: clock.monotonicMs() + lifetimeMs });
    return records;
  }
}

function networkOf({ remoteAddr }: Pick<Connection, 'remoteAddr'>): Network {
  const ip = ipOf(remoteAddr);
  if (ip === undefined || isLocalIp(ip)) return 'local';
  return isIPv4(ip) || mappedIpv4(ip) !== undefined ? 'ipv4' : 'ipv6';
}

/** Undefined for what the codec refuses. */
function decoded<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch {
    return undefined;
  }
}
