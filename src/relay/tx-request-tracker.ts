/**
 * Who is asked for which announced transaction, and when (Core's TxRequestTracker with the delays of its
 * net_processing). A state machine over readings of a monotonic clock; it sends nothing.
 * Invariants: of one id at most one announcement is being asked for; a peer asked about an id is not asked again while
 * anybody else is left; an id whose every announcer is done is forgotten; of one peer at most MAX_PEER_ANNOUNCEMENTS are
 * kept and MAX_IN_FLIGHT asked at once. Nothing is kept of a peer that is gone.
 */
import { siphash24 } from '#crypto';
import { assert } from '#util';
import type { PeerId, TxRef } from './names.ts';

/** MAX_PEER_TX_ANNOUNCEMENTS; what comes beyond is not heard. */
export const MAX_PEER_ANNOUNCEMENTS = 5_000;
/** MAX_PEER_TX_REQUEST_IN_FLIGHT. Core only slows down there; here it is also the size of a request. */
export const MAX_IN_FLIGHT = 100;
/**
 * One step of delay: for requests by txid (TXID_RELAY_DELAY: a parent that gossip brings a little after its child need
 * not be asked for), for a peer that is asked for MAX_IN_FLIGHT already (OVERLOADED_PEER_TX_DELAY).
 */
const DELAY_STEP_MS = 2_000;
const MAX_DELAY_STEPS = 2;
/**
 * Where Core waits with asking a peer that came to us (NONPREF_PEER_TX_DELAY), such a peer is asked at once and given so
 * long, if anybody else has the transaction. Who is first to announce and then silent delays it no longer than with Core,
 * and honest peers do not delay it by two seconds a hop.
 */
const NONPREF_PATIENCE_MS = 2_000;

type TxId = TxRef['id'];

/** One peer's word that it has one transaction. */
type Announcement = {
  readonly peer: Peer;
  readonly ref: TxRef;
  readonly wanted: Wanted;
  /** Order of arrival: parents are asked for before their children. */
  readonly sequence: number;
  /** Breaks ties between announcers in a way that nobody without the salt can foresee. */
  readonly rank: number;
  state: 'delayed' | 'ready' | 'requested' | 'completed';
  /** When the delay or the patience runs out. */
  dueMs: number;
  /** When the request runs out. */
  timeoutMs: number;
};

type Wanted = {
  readonly id: TxId;
  readonly announcements: Map<PeerId, Announcement>;
  /** The ready announcement that is asked next; undefined while one is requested. */
  next: Announcement | undefined;
  requested: Announcement | undefined;
};

type Peer = {
  readonly id: PeerId;
  readonly isPreferred: boolean;
  readonly announcements: Map<TxId, Announcement>;
  /** Those that are `next` for their ids. */
  readonly next: Set<Announcement>;
  readonly requested: Set<Announcement>;
  /** From a batch being taken until `batchEnded`. */
  asked: TxBatch | undefined;
};

/** What to ask of a peer in one request. */
export type TxBatch = { readonly peer: PeerId; readonly refs: readonly TxRef[] };

export class TxRequestTracker {
  readonly #salt: Uint8Array;
  readonly #timeoutMs: number;
  readonly #peers = new Map<PeerId, Peer>();
  readonly #wanted = new Map<TxId, Wanted>();
  /** By steps of delay. All in one set wait equally long, so a set is in the order of time. */
  readonly #delayed: readonly Set<Announcement>[] = Array.from({ length: MAX_DELAY_STEPS + 1 }, () => new Set());
  /** In the order of time, like those: of peers of our choice, and of others. */
  readonly #requested = new Set<Announcement>();
  readonly #requestedBriefly = new Set<Announcement>();
  #sequence = 0;

  /** `salt`: 16 secret bytes. After `timeoutMs` without an answer another announcer is asked. */
  constructor(salt: Uint8Array, timeoutMs: number) {
    assert(salt.length === 16, `a salt of ${salt.length} bytes`);
    this.#salt = salt;
    this.#timeoutMs = timeoutMs;
  }

  /** Ids wanted of anybody. */
  get size(): number {
    return this.#wanted.size;
  }

  has(id: TxId): boolean {
    return this.#wanted.has(id);
  }

  /** What is remembered of a peer. */
  count(peer: PeerId): number {
    return this.#peers.get(peer)?.announcements.size ?? 0;
  }

  connected(id: PeerId, isPreferred: boolean): void {
    if (this.#peers.has(id)) return;
    const sets = { announcements: new Map(), next: new Set<Announcement>(), requested: new Set<Announcement>() };
    this.#peers.set(id, { id, isPreferred, ...sets, asked: undefined });
  }

  disconnected(id: PeerId): void {
    const peer = this.#peers.get(id);
    if (peer === undefined) return;
    this.#peers.delete(id);
    for (const announcement of [...peer.announcements.values()]) this.#remove(announcement);
  }

  /** Who announced the id and was not yet asked in vain. */
  candidates(id: TxId): readonly PeerId[] {
    const all = [...(this.#wanted.get(id)?.announcements.values() ?? [])];
    return all.filter(({ state }) => state !== 'completed').map(({ peer }) => peer.id);
  }

  /** Times given to `announced` and `take` must not go back. Unknown peers are not heard. */
  announced(peerId: PeerId, ref: TxRef, nowMs: number): void {
    const peer = this.#peers.get(peerId);
    if (peer === undefined || peer.announcements.has(ref.id)) return;
    if (peer.announcements.size >= MAX_PEER_ANNOUNCEMENTS) return;
    const steps = Number(ref.kind === 'txid') + Number(peer.requested.size >= MAX_IN_FLIGHT);
    const wanted = this.#wanted.get(ref.id) ?? this.#want(ref.id);
    const announcement: Announcement = {
      peer,
      ref,
      wanted,
      sequence: this.#sequence++,
      rank: this.#rank(ref.id, peerId),
      state: 'delayed',
      dueMs: nowMs + steps * DELAY_STEP_MS,
      timeoutMs: Number.POSITIVE_INFINITY,
    };
    wanted.announcements.set(peerId, announcement);
    peer.announcements.set(ref.id, announcement);
    this.#delayed[steps]?.add(announcement);
  }

  /**
   * What is to be asked now, at most one batch a peer; counts as asked from here on. Ids that turn out to be known are
   * forgotten instead.
   */
  take(nowMs: number, isKnown: (ref: TxRef) => boolean): readonly TxBatch[] {
    this.#passTime(nowMs);
    const batches: TxBatch[] = [];
    // What one peer has no room for may fall to a peer that was passed over before.
    for (let found = -1; found < batches.length; ) {
      found = batches.length;
      for (const peer of this.#peers.values()) {
        if (peer.asked !== undefined || peer.next.size === 0) continue;
        const batch = this.#takeOf(peer, nowMs, isKnown);
        if (batch !== undefined) batches.push(batch);
      }
    }
    return batches;
  }

  /** When `take` has something new to give even if nothing else happens. */
  nextDueMs(): number | undefined {
    let earliest: number | undefined;
    for (const queue of [...this.#delayed, this.#requested, this.#requestedBriefly]) {
      const [first] = queue;
      if (first !== undefined && !(first.dueMs >= (earliest ?? Number.POSITIVE_INFINITY))) earliest = first.dueMs;
    }
    return earliest;
  }

  /** The peer answered for this id, with the transaction or that it has none: it is not asked for it again. */
  answered(peer: PeerId, id: TxId): void {
    const announcement = this.#peers.get(peer)?.announcements.get(id);
    if (announcement !== undefined) this.#complete(announcement);
  }

  /**
   * The request for a batch is over. What it did not answer is asked again (an answer may end early by its size). A
   * peer that failed loses all that it announced: else each batch of 5000 announcements could stall anew.
   */
  batchEnded(batch: TxBatch, result: 'ended' | 'failed'): void {
    const peer = this.#peers.get(batch.peer);
    // It may have left, and come back since.
    if (peer === undefined || peer.asked !== batch) return;
    peer.asked = undefined;
    if (result === 'failed') {
      for (const announcement of [...peer.announcements.values()]) this.#remove(announcement);
      return;
    }
    for (const announcement of [...peer.requested]) {
      this.#leaveState(announcement);
      announcement.state = 'ready';
      this.#choose(announcement.wanted);
    }
  }

  /** The transaction is known, or not wanted from anybody. */
  forget(id: TxId): void {
    const wanted = this.#wanted.get(id);
    if (wanted === undefined) return;
    this.#wanted.delete(id);
    for (const announcement of wanted.announcements.values()) {
      this.#leaveState(announcement);
      announcement.peer.announcements.delete(id);
    }
  }

  #want(id: TxId): Wanted {
    const wanted: Wanted = { id, announcements: new Map(), next: undefined, requested: undefined };
    this.#wanted.set(id, wanted);
    return wanted;
  }

  #rank(id: TxId, peer: PeerId): number {
    const out = Buffer.alloc(8);
    siphash24(Buffer.from(`${id}${peer}`), this.#salt, out);
    return out.readUIntLE(0, 6);
  }

  #takeOf(peer: Peer, nowMs: number, isKnown: (ref: TxRef) => boolean): TxBatch | undefined {
    const refs: TxRef[] = [];
    for (const announcement of [...peer.next].sort((a, b) => a.sequence - b.sequence)) {
      if (peer.requested.size >= MAX_IN_FLIGHT) break;
      if (isKnown(announcement.ref)) {
        this.forget(announcement.ref.id);
        continue;
      }
      this.#leaveState(announcement);
      announcement.state = 'requested';
      announcement.timeoutMs = nowMs + this.#timeoutMs;
      announcement.wanted.requested = announcement;
      peer.requested.add(announcement);
      this.#awaitAnswer(announcement, nowMs);
      refs.push(announcement.ref);
    }
    if (refs.length === 0) return undefined;
    peer.asked = { peer: peer.id, refs };
    for (const { wanted } of [...peer.next]) this.#choose(wanted);
    return peer.asked;
  }

  #passTime(nowMs: number): void {
    for (const queue of this.#delayed) {
      for (const announcement of queue) {
        if (announcement.dueMs > nowMs) break;
        this.#leaveState(announcement);
        announcement.state = 'ready';
        this.#offer(announcement);
      }
    }
    for (const queue of [this.#requested, this.#requestedBriefly]) {
      for (const announcement of queue) {
        if (announcement.dueMs > nowMs) break;
        if (announcement.timeoutMs <= nowMs || hasOther(announcement.wanted)) this.#complete(announcement);
        else this.#awaitAnswer(announcement, nowMs);
      }
    }
  }

  #awaitAnswer(announcement: Announcement, nowMs: number): void {
    const { peer, timeoutMs } = announcement;
    const queue = peer.isPreferred ? this.#requested : this.#requestedBriefly;
    announcement.dueMs = peer.isPreferred ? timeoutMs : Math.min(timeoutMs, nowMs + NONPREF_PATIENCE_MS);
    // To the end.
    queue.delete(announcement);
    queue.add(announcement);
  }

  /** Takes the announcement out of whatever its state has put it in; the caller gives it its next state. */
  #leaveState(announcement: Announcement): void {
    const { peer, wanted } = announcement;
    for (const queue of this.#delayed) queue.delete(announcement);
    this.#requested.delete(announcement);
    this.#requestedBriefly.delete(announcement);
    peer.requested.delete(announcement);
    peer.next.delete(announcement);
    if (wanted.next === announcement) wanted.next = undefined;
    if (wanted.requested === announcement) wanted.requested = undefined;
  }

  #complete(announcement: Announcement): void {
    this.#leaveState(announcement);
    announcement.state = 'completed';
    this.#settle(announcement.wanted);
  }

  #remove(announcement: Announcement): void {
    const { peer, wanted } = announcement;
    this.#leaveState(announcement);
    peer.announcements.delete(wanted.id);
    wanted.announcements.delete(peer.id);
    this.#settle(wanted);
  }

  /** After an announcement ended: the next one's turn, or nobody is left. */
  #settle(wanted: Wanted): void {
    for (const { state } of wanted.announcements.values()) {
      if (state === 'completed') continue;
      this.#choose(wanted);
      return;
    }
    this.forget(wanted.id);
  }

  #choose(wanted: Wanted): void {
    wanted.next?.peer.next.delete(wanted.next);
    wanted.next = undefined;
    for (const announcement of wanted.announcements.values()) {
      if (announcement.state === 'ready') this.#offer(announcement);
    }
  }

  /** The announcement is ready: it is next if it is better than the one that is. */
  #offer(announcement: Announcement): void {
    const { wanted, peer } = announcement;
    if (wanted.requested !== undefined || !isBetter(announcement, wanted.next)) return;
    wanted.next?.peer.next.delete(wanted.next);
    wanted.next = announcement;
    peer.next.add(announcement);
  }
}

/** Somebody can be asked instead of who is asked now. */
function hasOther({ announcements }: Wanted): boolean {
  return announcements.values().some(({ state }) => state === 'ready');
}

/** Who is free goes first, so that nobody delays what it was not even asked for; then our own choice of peers. */
function isBetter(one: Announcement, other: Announcement | undefined): boolean {
  if (other === undefined) return true;
  const isFree = one.peer.asked === undefined;
  if (isFree !== (other.peer.asked === undefined)) return isFree;
  if (one.peer.isPreferred !== other.peer.isPreferred) return one.peer.isPreferred;
  return one.rank > other.rank;
}
