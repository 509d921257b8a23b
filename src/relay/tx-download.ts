/**
 * What this node knows and wants of transactions that peers announce (Core's TxDownloadManager): requests, orphans, and
 * the memory of what need not be downloaded again. Pure state; whoever composes it sends the requests, submits the
 * transactions to the mempool, and tells how it went. What was refused for its fee alone is not submitted alone again: it
 * may be fetched anew as the parent of an orphan, and both are tried together (Core 28's one-parent-one-child relay).
 * Invariant: nothing here blames a peer. A missing parent, a rejected one, a policy are nobody's fault.
 */
import type { ChainChange } from '#chain';
import { type Mempool, type MempoolVerdict, type PackageVerdict, packageHash } from '#mempool';
import type { Transaction, Txid, Wtxid } from '#primitives';
import type { Random } from '#util';
import type { PeerId, TxRef } from './names.ts';
import { Orphanage } from './orphanage.ts';
import { RecentIds } from './recent-ids.ts';
import { type TxBatch, TxRequestTracker } from './tx-request-tracker.ts';

/**
 * Forgotten at each new tip, which can make good what was refused. Core's filter remembers 120,000; five times what the
 * network makes between two blocks is enough here, and a download too many costs little: failed scripts are known.
 */
const MAX_REJECTS = 20_000;
/** Txids and wtxids of some seven blocks (Core's m_recent_confirmed_transactions). */
const MAX_CONFIRMED = 48_000;

export type TxDownloadDeps = {
  readonly mempool: Pick<Mempool, 'has'>;
  readonly random: Random;
  /** After this time without an answer the next announcer is asked. */
  readonly requestTimeoutMs: number;
};

/** What became of a transaction that the mempool has judged. */
export type TxFate = 'accepted' | 'orphan' | 'refused';

/** A parent that pays too little alone, a child that may pay for both, and who sent them. */
export type TxPackage = {
  readonly parent: Transaction;
  readonly parentFrom: PeerId;
  readonly child: Transaction;
  readonly childFrom: PeerId;
};

export class TxDownload {
  readonly #mempool: Pick<Mempool, 'has'>;
  readonly #peers = new Set<PeerId>();
  readonly #tracker: TxRequestTracker;
  readonly #orphanage: Orphanage;
  readonly #rejects = new RecentIds(MAX_REJECTS);
  /** Refused for the fee only, by wtxid, and packages by their hash (Core's m_lazy_recent_rejects_reconsiderable). */
  readonly #reconsiderable = new RecentIds(MAX_REJECTS);
  readonly #confirmed = new RecentIds(MAX_CONFIRMED);

  constructor({ mempool, random, requestTimeoutMs }: TxDownloadDeps) {
    this.#mempool = mempool;
    this.#tracker = new TxRequestTracker(random.bytes(16), requestTimeoutMs);
    this.#orphanage = new Orphanage(random);
  }

  /** For status and tests. */
  stats(): { readonly wanted: number; readonly orphans: number } {
    return { wanted: this.#tracker.size, orphans: this.#orphanage.size };
  }

  connected(peer: PeerId, isPreferred: boolean): void {
    this.#peers.add(peer);
    this.#tracker.connected(peer, isPreferred);
  }

  disconnected(peer: PeerId): void {
    this.#peers.delete(peer);
    this.#tracker.disconnected(peer);
    this.#orphanage.erasePeer(peer);
  }

  /** Core's AlreadyHaveTx, with what is reconsiderable: there is nothing to be done about it alone. */
  isKnown(ref: TxRef): boolean {
    return this.#reconsiderable.has(ref.id) || this.#isDone(ref);
  }

  /** Not to be submitted alone, but `findPackage` may find a child for it. */
  isReconsiderable({ wtxid }: Transaction): boolean {
    return this.#reconsiderable.has(wtxid);
  }

  /**
   * AlreadyHaveTx without what is reconsiderable: an orphan may pay for that. Orphans count by wtxid alone: a copy with a
   * spoilt witness must not keep out the real one that somebody's child waits for.
   */
  #isDone({ kind, id }: TxRef): boolean {
    if (kind === 'wtxid' && this.#orphanage.has(id)) return true;
    return this.#rejects.has(id) || this.#confirmed.has(id) || this.#mempool.has(id);
  }

  /**
   * The peer has this transaction; its body may have come with the word. True if there is nothing to be done about it.
   * Who has an orphan can be asked for its parents.
   */
  heard(peer: PeerId, wtxid: Wtxid, nowMs: number): boolean {
    if (this.#orphanage.has(wtxid) && this.#peers.has(peer)) {
      const parents = this.#orphanage.missingParents(wtxid);
      this.#orphanage.addAnnouncer(wtxid, peer);
      this.#askForParents(peer, parents, nowMs);
    }
    return this.isKnown({ kind: 'wtxid', id: wtxid });
  }

  /** Announcements of the peer that are not done with. */
  openOf(peer: PeerId): number {
    return this.#tracker.count(peer);
  }

  /** The peer can be asked for this transaction. */
  announced(peer: PeerId, wtxid: Wtxid, nowMs: number): void {
    this.#tracker.announced(peer, { kind: 'wtxid', id: wtxid }, nowMs);
  }

  /** Whether it may still come, or find its parents. */
  isPending(wtxid: Wtxid): boolean {
    return this.#tracker.has(wtxid) || this.#orphanage.has(wtxid);
  }

  /** Requests to send now. Each is to be followed by `batchEnded`. */
  takeBatches(nowMs: number): readonly TxBatch[] {
    return this.#tracker.take(nowMs, (ref) => this.#isDone(ref));
  }

  nextDueMs(): number | undefined {
    return this.#tracker.nextDueMs();
  }

  /** The peer has sent the transaction, asked or not. */
  received(peer: PeerId, tx: Transaction): void {
    this.#tracker.answered(peer, tx.txid);
    this.#tracker.answered(peer, tx.wtxid);
  }

  /** The peer does not have what it was asked for. */
  notFound(peer: PeerId, { id }: TxRef): void {
    this.#tracker.answered(peer, id);
  }

  batchEnded(batch: TxBatch, result: 'ended' | 'failed'): void {
    this.#tracker.batchEnded(batch, result);
  }

  /** What the mempool said to a transaction that this peer sent (Core's ProcessValidTx and ProcessInvalidTx). */
  judged(tx: Transaction, peer: PeerId, verdict: MempoolVerdict, nowMs: number): TxFate {
    switch (verdict.kind) {
      case 'accepted':
        this.#forgetRequests(tx);
        this.#orphanage.erase(tx.wtxid);
        this.#orphanage.addChildrenToWork(tx);
        return 'accepted';
      case 'missing-inputs':
        return this.#missingParents(tx, peer, verdict.parents, nowMs);
      case 'unavailable':
        // Nothing is known of it, but there is too much to do: no other announcer is asked.
        this.#forgetRequests(tx);
        break;
      case 'duplicate':
        // What is in the pool must not count as refused: its children would, once it has left.
        if (this.#mempool.has(tx.wtxid)) this.#forgetRequests(tx);
        else this.#remember(tx, verdict);
        break;
      case 'policy':
      case 'consensus':
        this.#remember(tx, verdict);
    }
    this.#orphanage.erase(tx.wtxid);
    return 'refused';
  }

  /**
   * What to try a parent with that was refused for its fee: one package each time the parent comes, of those that were not
   * refused before (Core's Find1P1CPackage).
   */
  findPackage(parent: Transaction, parentFrom: PeerId): TxPackage | undefined {
    if (!this.isReconsiderable(parent)) return undefined;
    const isUntried = (child: Wtxid): boolean => !this.#reconsiderable.has(packageHash([parent.wtxid, child]));
    const child = this.#orphanage.childFor(parent, parentFrom, isUntried);
    return child === undefined ? undefined : { parent, parentFrom, child: child.tx, childFrom: child.peer };
  }

  /** What the mempool said to a package (Core's ProcessPackageResult). */
  packageJudged(
    { parent, parentFrom, child, childFrom }: TxPackage,
    verdict: PackageVerdict,
    nowMs: number,
  ): { readonly parent: TxFate; readonly child: TxFate } {
    const isDecided = verdict.parent?.kind !== 'unavailable' && verdict.child?.kind !== 'unavailable';
    if (verdict.failure !== undefined && isDecided) {
      this.#reconsiderable.add(packageHash([parent.wtxid, child.wtxid]));
    }
    // The child first: as an orphan it would be looked at again because of its parent.
    const ofChild = this.#judgedInPackage(child, childFrom, verdict.child, nowMs);
    const ofParent = this.#judgedInPackage(parent, parentFrom, verdict.parent, nowMs);
    return { parent: ofParent ?? 'refused', child: ofChild ?? 'orphan' };
  }

  /** Undefined where nothing new was said of it: the child waits on for another parent or another witness of it. */
  #judgedInPackage(
    tx: Transaction,
    from: PeerId,
    verdict: MempoolVerdict | undefined,
    nowMs: number,
  ): TxFate | undefined {
    const isSilent = verdict === undefined || verdict.kind === 'missing-inputs' || verdict.kind === 'unavailable';
    return isSilent ? undefined : this.judged(tx, from, verdict, nowMs);
  }

  /** An orphan that may have found its parents, and the peer for whom it is submitted again. Peers take turns. */
  takeOrphan(nowMs: number): { readonly tx: Transaction; readonly peer: PeerId } | undefined {
    this.#orphanage.expire(nowMs);
    return this.#orphanage.takeWork();
  }

  /** To be told of each change of the tip once the mempool has followed it. */
  chainChanged({ disconnected, connected }: ChainChange): void {
    this.#rejects.clear();
    this.#reconsiderable.clear();
    // What was confirmed may be wanted again.
    if (disconnected.length > 0) this.#confirmed.clear();
    for (const { block } of connected) {
      this.#orphanage.eraseForBlock(block);
      for (const tx of block.transactions) {
        this.#confirmed.add(tx.txid);
        this.#confirmed.add(tx.wtxid);
        this.#forgetRequests(tx);
        // Core waits for the next announcement; but gossip does not repeat one.
        this.#orphanage.addChildrenToWork(tx);
      }
    }
  }

  #forgetRequests({ txid, wtxid }: Transaction): void {
    this.#tracker.forget(txid);
    this.#tracker.forget(wtxid);
  }

  #missingParents(tx: Transaction, from: PeerId, parents: readonly Txid[], nowMs: number): TxFate {
    const { txid, wtxid } = tx;
    if (this.#areHopeless(parents)) {
      // With any witness: it has no parent either way.
      this.#rejects.add(txid);
      this.#rejects.add(wtxid);
      this.#forgetRequests(tx);
      this.#orphanage.erase(wtxid);
      return 'refused';
    }
    const others = [...this.#tracker.candidates(txid), ...this.#tracker.candidates(wtxid)];
    const announcers = new Set([from, ...others, ...this.#orphanage.announcers(wtxid)]);
    for (const peer of announcers) {
      if (!this.#peers.has(peer) || !this.#orphanage.add(tx, parents, peer, nowMs)) continue;
      this.#askForParents(peer, parents, nowMs);
    }
    this.#forgetRequests(tx);
    // A parent that came in while this one was judged would not come again.
    if (parents.some((parent) => this.#mempool.has(parent))) this.#orphanage.addToWork(wtxid);
    return this.#orphanage.has(wtxid) ? 'orphan' : 'refused';
  }

  /** A rejected one, or more than one that would need this child to pay for it. */
  #areHopeless(parents: readonly Txid[]): boolean {
    const toBePaidFor = parents.filter((parent) => this.#reconsiderable.has(parent) && !this.#mempool.has(parent));
    return toBePaidFor.length > 1 || parents.some((parent) => this.#rejects.has(parent));
  }

  #askForParents(peer: PeerId, parents: readonly Txid[], nowMs: number): void {
    for (const id of parents) {
      const ref: TxRef = { kind: 'txid', id };
      if (!this.#isDone(ref)) this.#tracker.announced(peer, ref, nowMs);
    }
  }

  /** The txid counts as rejected only when no other witness could have helped. */
  #remember(tx: Transaction, verdict: MempoolVerdict): void {
    const { txid, wtxid } = tx;
    if (mayBeStripped(tx, verdict)) return;
    if (verdict.kind === 'policy' && verdict.reconsiderable === true) {
      this.#reconsiderable.add(wtxid);
      // Without a witness it has one id: under that it may be asked for as a parent too, of who sent the child.
      if (wtxid !== (txid as string) || !this.#orphanage.hasChildren(tx)) this.#tracker.forget(wtxid);
      return;
    }
    this.#rejects.add(wtxid);
    this.#tracker.forget(wtxid);
    if (!failedWhateverTheWitness(verdict)) return;
    this.#rejects.add(txid);
    this.#tracker.forget(txid);
  }
}

/**
 * Anybody can strip a witness, and the wtxid of what is left is the real one's txid: to remember it would keep the
 * real transaction out (Core's TX_WITNESS_STRIPPED). Scripts that fail without any witness may have lost theirs.
 */
function mayBeStripped(tx: Transaction, verdict: MempoolVerdict): boolean {
  return verdict.kind === 'policy' && !tx.hasWitness && verdict.code.includes('script-verify-flag');
}

/** Core's TX_INPUTS_NOT_STANDARD: what the inputs spend, and no witness changes that. */
function failedWhateverTheWitness(verdict: MempoolVerdict): boolean {
  return verdict.kind === 'policy' && verdict.code === 'bad-txns-nonstandard-inputs';
}
