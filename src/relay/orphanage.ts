/**
 * Transactions whose parents are missing, until these come (Core 30's TxOrphanage). An orphan is kept once, with all
 * who announced it: no single peer can have it removed.
 * Invariants: a peer that stays within its share (`RESERVED_WEIGHT` and an equal part of `MAX_SCORE`) loses nothing to what
 * others do; all orphans together stay within MAX_SCORE and within RESERVED_WEIGHT for each peer that has any. What is
 * too much is taken from the peer that uses most of its share, its oldest first.
 */
import { outpointKey } from '#mempool';
import { type Block, Transaction, type Txid, type Wtxid } from '#primitives';
import type { Random } from '#util';
import type { PeerId } from './names.ts';

/** Core's MAX_STANDARD_TX_WEIGHT: what is heavier would be refused with its parents too. */
export const MAX_ORPHAN_WEIGHT = 400_000;
/** Weight units a peer (Core's DEFAULT_RESERVED_ORPHAN_WEIGHT_PER_PEER): any one orphan fits. */
export const RESERVED_WEIGHT = 404_000;
/**
 * For all peers together: one for each announcement and one for each ten inputs, which bounds the work of any change
 * (Core's DEFAULT_MAX_ORPHANAGE_LATENCY_SCORE).
 */
export const MAX_SCORE = 3_000;
const INPUTS_PER_SCORE = 10;
/** Core's ORPHAN_TX_EXPIRE_TIME, until 30. A parent that did not come by then will not: it makes room early. */
export const EXPIRY_MS = 20 * 60_000;

/** The bytes alone: decoded, a transaction of many small outputs takes five bytes a weight unit. */
type Orphan = {
  /** In the order in which they came. */
  readonly sequence: number;
  readonly wtxid: Wtxid;
  readonly raw: Uint8Array;
  readonly weight: number;
  /** What its inputs add to the score. */
  readonly inputScore: number;
  readonly outpoints: readonly string[];
  /** Those that were missing when it came. */
  readonly missingParents: readonly Txid[];
  readonly addedMs: number;
  readonly announcers: Set<PeerId>;
};

/** What one peer has announced. */
type Share = {
  /** In the order in which they came. */
  readonly orphans: Map<Wtxid, Orphan>;
  /** Those of them that may have found a parent, and are looked at for this peer. */
  readonly work: Map<Wtxid, Orphan>;
  weight: number;
  score: number;
};

export class Orphanage {
  readonly #random: Random;
  /** In the order in which they came. */
  readonly #orphans = new Map<Wtxid, Orphan>();
  readonly #bySpent = new Map<string, Set<Orphan>>();
  /** Peers that have announced one at least. */
  readonly #shares = new Map<PeerId, Share>();
  /** Peers with work, in the order of their turns. */
  readonly #turns = new Set<PeerId>();
  #weight = 0;
  #score = 0;
  #sequence = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  get size(): number {
    return this.#orphans.size;
  }

  /** Weight and score of all; what the bounds are about. */
  usage(): { readonly weight: number; readonly score: number } {
    return { weight: this.#weight, score: this.#score };
  }

  has(wtxid: Wtxid): boolean {
    return this.#orphans.has(wtxid);
  }

  announcers(wtxid: Wtxid): readonly PeerId[] {
    return [...(this.#orphans.get(wtxid)?.announcers ?? [])];
  }

  missingParents(wtxid: Wtxid): readonly Txid[] {
    return this.#orphans.get(wtxid)?.missingParents ?? [];
  }

  /** Keeps the orphan for this peer too. `nowMs` must not go back. False if it is not there afterwards. */
  add(tx: Transaction, missingParents: readonly Txid[], peer: PeerId, nowMs: number): boolean {
    if (tx.weight > MAX_ORPHAN_WEIGHT) return false;
    this.expire(nowMs);
    const { wtxid } = tx;
    const orphan = this.#orphans.get(wtxid) ?? this.#insert(tx, missingParents, nowMs);
    this.#announce(orphan, peer);
    this.#trim();
    return this.#orphans.has(wtxid);
  }

  /** Another peer has the orphan too. Nothing if it is not here. */
  addAnnouncer(wtxid: Wtxid, peer: PeerId): void {
    const orphan = this.#orphans.get(wtxid);
    if (orphan === undefined) return;
    this.#announce(orphan, peer);
    this.#trim();
  }

  erase(wtxid: Wtxid): void {
    const orphan = this.#orphans.get(wtxid);
    if (orphan === undefined) return;
    for (const peer of [...orphan.announcers]) this.#withdraw(orphan, peer);
    this.#trim();
  }

  /** The peer is gone; so are the orphans that nobody else announced. */
  erasePeer(peer: PeerId): void {
    for (const orphan of [...(this.#shares.get(peer)?.orphans.values() ?? [])]) {
      const hadWork = this.#shares.get(peer)?.work.has(orphan.wtxid) ?? false;
      this.#withdraw(orphan, peer);
      if (hadWork) this.#giveWork(orphan);
    }
    this.#trim();
  }

  /** Removes what the block contains, and what spends the same as it. */
  eraseForBlock(block: Block): void {
    if (this.size === 0) return;
    const spent = new Set<Orphan>();
    for (const { inputs } of block.transactions) {
      for (const { prevTxid, prevIndex } of inputs) {
        for (const orphan of this.#bySpent.get(outpointKey(prevTxid, prevIndex)) ?? []) spent.add(orphan);
      }
    }
    for (const { wtxid } of spent) this.erase(wtxid);
  }

  expire(nowMs: number): void {
    for (const { wtxid, addedMs } of this.#orphans.values()) {
      if (nowMs - addedMs < EXPIRY_MS) return;
      this.erase(wtxid);
    }
  }

  /** The orphan is to be looked at again. */
  addToWork(wtxid: Wtxid): void {
    const orphan = this.#orphans.get(wtxid);
    if (orphan !== undefined) this.#giveWork(orphan);
  }

  /** The transaction is available: its children are to be looked at again, each for one of its announcers. */
  addChildrenToWork(parent: Transaction): void {
    for (const orphan of this.#childrenOf(parent)) this.#giveWork(orphan);
  }

  hasChildren(parent: Transaction): boolean {
    return this.#childrenOf(parent).size > 0;
  }

  /**
   * The child to try together with a parent: the newest of the peer that sent the parent, so that nobody can push in
   * front of it (Core's GetChildrenFromSamePeer); else the newest of another peer, which chance chooses.
   */
  childFor(
    parent: Transaction,
    sender: PeerId,
    isWanted: (child: Wtxid) => boolean,
  ): { readonly tx: Transaction; readonly peer: PeerId } | undefined {
    const newest = new Map<PeerId, Orphan>();
    for (const orphan of this.#childrenOf(parent)) {
      if (!isWanted(orphan.wtxid)) continue;
      for (const peer of orphan.announcers) {
        if ((newest.get(peer)?.sequence ?? -1) < orphan.sequence) newest.set(peer, orphan);
      }
    }
    const peer = newest.has(sender) ? sender : this.#oneOf([...newest.keys()]);
    const orphan = peer === undefined ? undefined : newest.get(peer);
    return peer === undefined || orphan === undefined ? undefined : { tx: Transaction.fromBytes(orphan.raw), peer };
  }

  /**
   * The next orphan to look at again, and for whom; peers take turns. It stays here until `erase`, but is not given
   * again before another parent comes.
   */
  takeWork(): { readonly tx: Transaction; readonly peer: PeerId } | undefined {
    for (const peer of this.#turns) {
      const work = this.#shares.get(peer)?.work;
      this.#turns.delete(peer);
      const [orphan] = work?.values() ?? [];
      if (work === undefined || orphan === undefined) continue;
      work.delete(orphan.wtxid);
      if (work.size > 0) this.#turns.add(peer);
      return { tx: Transaction.fromBytes(orphan.raw), peer };
    }
    return undefined;
  }

  #insert(tx: Transaction, missingParents: readonly Txid[], nowMs: number): Orphan {
    const { wtxid } = tx;
    const orphan: Orphan = {
      sequence: this.#sequence++,
      wtxid,
      // A copy: a decoded transaction is a view of the message it came in.
      raw: tx.raw.slice(),
      weight: tx.weight,
      inputScore: Math.floor(tx.inputs.length / INPUTS_PER_SCORE),
      outpoints: tx.inputs.map(({ prevTxid, prevIndex }) => outpointKey(prevTxid, prevIndex)),
      missingParents,
      addedMs: nowMs,
      announcers: new Set(),
    };
    this.#orphans.set(wtxid, orphan);
    for (const outpoint of orphan.outpoints) {
      const spenders = this.#bySpent.get(outpoint);
      if (spenders === undefined) this.#bySpent.set(outpoint, new Set([orphan]));
      else spenders.add(orphan);
    }
    this.#weight += orphan.weight;
    this.#score += orphan.inputScore;
    return orphan;
  }

  #announce(orphan: Orphan, peer: PeerId): void {
    if (orphan.announcers.has(peer)) return;
    const share = this.#shares.get(peer) ?? { orphans: new Map(), work: new Map(), weight: 0, score: 0 };
    this.#shares.set(peer, share);
    orphan.announcers.add(peer);
    share.orphans.set(orphan.wtxid, orphan);
    share.weight += orphan.weight;
    share.score += 1 + orphan.inputScore;
    this.#score += 1;
  }

  /** The peer's announcement goes, and with the last one the orphan. */
  #withdraw(orphan: Orphan, peer: PeerId): void {
    const share = this.#shares.get(peer);
    if (share === undefined || !orphan.announcers.delete(peer)) return;
    share.orphans.delete(orphan.wtxid);
    share.work.delete(orphan.wtxid);
    share.weight -= orphan.weight;
    share.score -= 1 + orphan.inputScore;
    this.#score -= 1;
    if (share.work.size === 0) this.#turns.delete(peer);
    if (share.orphans.size === 0) this.#shares.delete(peer);
    if (orphan.announcers.size === 0) this.#remove(orphan);
  }

  #remove(orphan: Orphan): void {
    this.#orphans.delete(orphan.wtxid);
    for (const outpoint of orphan.outpoints) {
      const spenders = this.#bySpent.get(outpoint);
      spenders?.delete(orphan);
      if (spenders?.size === 0) this.#bySpent.delete(outpoint);
    }
    this.#weight -= orphan.weight;
    this.#score -= orphan.inputScore;
  }

  #giveWork(orphan: Orphan): void {
    const announcers = [...orphan.announcers];
    if (announcers.some((peer) => this.#shares.get(peer)?.work.has(orphan.wtxid))) return;
    // By chance, so that nobody can put all of it on himself and be slow.
    const peer = this.#oneOf(announcers);
    if (peer === undefined) return;
    this.#shares.get(peer)?.work.set(orphan.wtxid, orphan);
    this.#turns.add(peer);
  }

  #oneOf(peers: readonly PeerId[]): PeerId | undefined {
    return peers[peers.length > 1 ? this.#random.below(peers.length) : 0];
  }

  #childrenOf(parent: Transaction): ReadonlySet<Orphan> {
    const children = new Set<Orphan>();
    if (this.size === 0) return children;
    const { txidBytes } = parent;
    for (const index of parent.outputs.keys()) {
      for (const orphan of this.#bySpent.get(outpointKey(txidBytes, index)) ?? []) children.add(orphan);
    }
    return children;
  }

  #trim(): void {
    while (this.#score > MAX_SCORE || this.#weight > RESERVED_WEIGHT * this.#shares.size) {
      const greediest = this.#greediest();
      if (greediest === undefined) return;
      const [peer, share] = greediest;
      const orphan = oldestToEvict(share);
      if (orphan === undefined) return;
      this.#withdraw(orphan, peer);
    }
  }

  /** The peer that uses most of its share, by weight or by score, whichever is more. */
  #greediest(): readonly [PeerId, Share] | undefined {
    let found: readonly [PeerId, Share] | undefined;
    let most = Number.NEGATIVE_INFINITY;
    for (const entry of this.#shares) {
      const [, { weight, score }] = entry;
      const used = Math.max(weight / RESERVED_WEIGHT, (score * this.#shares.size) / MAX_SCORE);
      if (used > most) [found, most] = [entry, used];
    }
    return found;
  }
}

/** What waits to be looked at goes last: it may be resolved in a moment. */
function oldestToEvict({ orphans, work }: Share): Orphan | undefined {
  let first: Orphan | undefined;
  for (const orphan of orphans.values()) {
    if (!work.has(orphan.wtxid)) return orphan;
    first ??= orphan;
  }
  return first;
}
