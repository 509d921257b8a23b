/**
 * Transactions that peers announce: fetched where only an entry came, submitted to the mempool, and passed on when it
 * took them, after a random time. Which peer is asked for what, and what waits for parents, is decided in `relay`.
 * Bounds: MAX_HELD verdicts wait, MAX_HELD_OF_PEER of one peer, each HOLD_MS at most; one request a peer; ANNOUNCEMENTS.
 */
import type { ChainChange } from '#chain';
import type { Mempool } from '#mempool';
import { Tally } from '#meter';
import type { GossipVerdict, Net, PeerIdText, PeerInfo } from '#net';
import type { Sats, Transaction, Wtxid } from '#primitives';
import { type Decoded, streams, topics, txMessageFor } from '#protocol';
import { type TxBatch, TxDownload } from '#relay';
import { errorText, type Logger, PacedQueue, type Random, type TimerHandle } from '#util';
import type { Requests } from './requests.ts';
import { type Judged, type Submitted, TxSubmission, type TxSubmissionDeps } from './tx-submission.ts';

/**
 * Gossip passes on what is accepted within mcacheLength (10) heartbeats of 1 s. Time enough for Core's delays of up to
 * 4 s and an answer.
 */
const HOLD_MS = 8_000;
/** Fewer than the messages that gossip has with the node at once: entries without a body cannot block the topic. */
const MAX_HELD = topics.tx.queue.atOnce - 32;
const MAX_HELD_OF_PEER = 64;
/**
 * Those that gossip does not pass on by itself: 400 a second, as many as it does. Times of announcement are drawn for all
 * together, so under a flood thousands are due at once; beyond what may wait the newest are not announced.
 */
const ANNOUNCEMENTS = { intervalMs: 50, maxAtOnce: 20, maxWaiting: 4_096 };

export type TxIngestDeps = TxSubmissionDeps & {
  readonly mempool: Pick<Mempool, 'has'>;
  readonly publish: Net['publish'];
  readonly requests: Pick<Requests, 'transactions'>;
  /** False until the first sync has ended. */
  readonly isSynced: () => boolean;
  /** The peer brought a transaction that we took. */
  readonly onTaken: (peer: PeerIdText) => void;
  readonly random: Random;
  readonly log: Logger;
  readonly signal: AbortSignal;
};

type TxMessage = Decoded<(typeof topics)['tx']['codec']>;

/** Transactions that peers were asked for, by what came, since the start. */
export type TxFetches = Readonly<Record<FetchResult, number>>;

type FetchResult = 'received' | 'not-found' | 'unanswered';

const FETCH_RESULTS: readonly FetchResult[] = ['received', 'not-found', 'unanswered'];

export type TxRelayStats = ReturnType<TxDownload['stats']>;

/** A gossip message whose verdict waits for a body or a parent. */
type Held = {
  readonly from: PeerIdText;
  readonly timer: TimerHandle;
  readonly resolve: (verdict: GossipVerdict) => void;
};

export class TxIngest {
  readonly #deps: TxIngestDeps;
  readonly #download: TxDownload;
  readonly #submission: TxSubmission;
  readonly #held = new Map<Wtxid, Held>();
  readonly #heldOf = new Map<PeerIdText, number>();
  /** Listed by peers: all of them have it, or will hear of it. Those that are still open with the tracker. */
  readonly #listed = new Set<Wtxid>();
  readonly #fetches = new Tally<FetchResult>(FETCH_RESULTS);
  readonly #announcing: PacedQueue<{ readonly tx: Transaction; readonly fee: Sats }>;
  #timer: TimerHandle | undefined;
  #soon: TimerHandle | undefined;
  #isReconsidering = false;

  constructor(deps: TxIngestDeps) {
    this.#deps = deps;
    // A request has ended by then, so no answer is on its way while somebody else is asked. Core waits 60 s.
    const requestTimeoutMs = streams.txs.timeouts.totalMs;
    this.#download = new TxDownload({ mempool: deps.mempool, random: deps.random, requestTimeoutMs });
    this.#submission = new TxSubmission(deps, this.#download);
    this.#announcing = new PacedQueue(deps.clock, ANNOUNCEMENTS, (due) => {
      for (const { tx, fee } of due) void this.#announce(tx, fee);
    });
  }

  peerConnected({ id, direction, isManual }: Pick<PeerInfo, 'id' | 'direction' | 'isManual'>): void {
    this.#download.connected(id, direction === 'outbound' || isManual);
  }

  peerDisconnected(id: PeerIdText): void {
    this.#download.disconnected(id);
    this.#forgetListed();
    this.#pump();
  }

  /** After the mempool has followed the change. */
  chainChanged(change: ChainChange): void {
    if (!this.#deps.isSynced()) return;
    this.#download.chainChanged(change);
    void this.#reconsider();
  }

  close(): void {
    this.#timer?.cancel();
    this.#soon?.cancel();
    this.#announcing.stop();
    for (const wtxid of [...this.#held.keys()]) this.#release(wtxid, 'ignore');
  }

  /** A peer's mempool holds these: fetched like others, but not announced anew. At most 5,000 of a peer are open. */
  listed(peer: PeerIdText, wtxids: readonly Wtxid[]): void {
    const nowMs = this.#deps.clock.monotonicMs();
    for (const wtxid of wtxids) {
      if (this.#download.isPending(wtxid) || this.#download.heard(peer, wtxid, nowMs)) continue;
      this.#download.announced(peer, wtxid, nowMs);
      if (this.#download.isPending(wtxid)) this.#listed.add(wtxid);
    }
    this.#pump();
  }

  /** Those that nobody is left to be asked for. */
  #forgetListed(): void {
    for (const wtxid of this.#listed) if (!this.#download.isPending(wtxid)) this.#listed.delete(wtxid);
  }

  stats(): TxRelayStats {
    return this.#download.stats();
  }

  fetches(): TxFetches {
    return this.#fetches.figures() as TxFetches;
  }

  /** Transactions that the peer may still be asked for. */
  openOf(peer: PeerIdText): number {
    return this.#download.openOf(peer);
  }

  async announced(message: TxMessage, from: PeerIdText): Promise<GossipVerdict> {
    if (!this.#deps.isSynced()) return 'ignore';
    const nowMs = this.#deps.clock.monotonicMs();
    const wtxid = message.kind === 'whole' ? message.tx.wtxid : message.wtxid;
    if (message.kind === 'whole') this.#download.received(from, message.tx);
    if (this.#download.heard(from, wtxid, nowMs)) {
      // The peer may be one more to ask for the parents of an orphan.
      this.#pump();
      if (message.kind === 'entry' || !this.#download.isReconsiderable(message.tx)) return 'ignore';
    }
    if (message.kind === 'entry') {
      this.#download.announced(from, wtxid, nowMs);
      this.#pumpSoon();
    } else {
      const { fate, gossip } = await this.#submit(message.tx, from);
      if (fate !== 'orphan') {
        this.#release(wtxid, gossip);
        return gossip;
      }
      this.#pump();
    }
    return this.#hold(wtxid, from);
  }

  /** Another peer sent what is looked at: one more who has the transaction. */
  copied(message: TxMessage, from: PeerIdText): void {
    if (!this.#deps.isSynced()) return;
    const nowMs = this.#deps.clock.monotonicMs();
    const wtxid = message.kind === 'whole' ? message.tx.wtxid : message.wtxid;
    const isDone = this.#download.heard(from, wtxid, nowMs);
    if (!isDone && message.kind === 'entry') this.#download.announced(from, wtxid, nowMs);
    this.#pumpSoon();
  }

  /** Waits for what becomes of the transaction. Without room it is ignored now, and announced anew if it gets in. */
  #hold(wtxid: Wtxid, from: PeerIdText): Promise<GossipVerdict> | GossipVerdict {
    if (this.#held.size >= MAX_HELD || this.#held.has(wtxid) || !this.#download.isPending(wtxid)) return 'ignore';
    if (this.#deps.signal.aborted) return 'ignore';
    const ofPeer = this.#heldOf.get(from) ?? 0;
    if (ofPeer >= MAX_HELD_OF_PEER) return 'ignore';
    this.#heldOf.set(from, ofPeer + 1);
    return new Promise((resolve) => {
      const timer = this.#deps.clock.after(HOLD_MS, () => this.#release(wtxid, 'ignore'));
      this.#held.set(wtxid, { from, timer, resolve });
    });
  }

  /** False if nobody waits for it. */
  #release(wtxid: Wtxid, verdict: GossipVerdict): boolean {
    const held = this.#held.get(wtxid);
    if (held === undefined) return false;
    this.#held.delete(wtxid);
    const left = (this.#heldOf.get(held.from) ?? 1) - 1;
    if (left > 0) this.#heldOf.set(held.from, left);
    else this.#heldOf.delete(held.from);
    held.timer.cancel();
    held.resolve(verdict);
    return true;
  }

  /** Once all that came in the same RPC was heard: it is asked for together. */
  #pumpSoon(): void {
    this.#soon ??= this.#deps.clock.after(0, () => {
      this.#soon = undefined;
      this.#pump();
    });
  }

  /** Sends what is due, and comes back when more is. */
  #pump(): void {
    const { clock, signal } = this.#deps;
    if (signal.aborted) return;
    this.#timer?.cancel();
    const nowMs = clock.monotonicMs();
    for (const batch of this.#download.takeBatches(nowMs)) void this.#fetch(batch);
    const dueMs = this.#download.nextDueMs();
    this.#timer = dueMs === undefined ? undefined : clock.after(Math.max(0, dueMs - nowMs), () => this.#pump());
  }

  async #fetch(batch: TxBatch): Promise<void> {
    const { peer, refs } = batch;
    let answers = 0;
    let result: 'ended' | 'failed' = 'failed';
    try {
      for await (const { ref, tx } of this.#deps.requests.transactions(peer, refs, this.#deps.signal)) {
        answers += 1;
        this.#fetches.add(tx === undefined ? 'not-found' : 'received');
        if (tx === undefined) this.#download.notFound(peer, ref);
        else await this.#fetched(tx, peer);
      }
      // An answer may end early by its size, but not before it began.
      if (answers > 0) result = 'ended';
    } catch (error) {
      this.#deps.log.debug('transactions not fetched', { peer, asked: refs.length, answers, error: errorText(error) });
    }
    this.#fetches.add('unanswered', Math.max(0, refs.length - answers));
    this.#download.batchEnded(batch, result);
    // The peer's other announcements went with it.
    if (result === 'failed') this.#forgetListed();
    for (const { kind, id } of refs) {
      if (kind !== 'wtxid' || this.#download.isPending(id)) continue;
      this.#listed.delete(id);
      this.#release(id, 'ignore');
    }
    this.#pump();
  }

  async #fetched(tx: Transaction, peer: PeerIdText): Promise<void> {
    this.#download.received(peer, tx);
    this.#passOn(tx, await this.#submit(tx, peer));
  }

  async #submit(tx: Transaction, from: PeerIdText): Promise<Judged> {
    const submitted: Submitted = await this.#submission.submit(tx, from);
    const { child } = submitted;
    if (submitted.fate === 'accepted') this.#deps.onTaken(from);
    // Before its parent: who refuses the parent alone then has both when that comes.
    if (child !== undefined) this.#passOn(child.tx, child.judged);
    if (submitted.fate !== 'refused' || child?.judged.fate === 'accepted') void this.#reconsider();
    return submitted;
  }

  /** What came by a request, or had waited for a parent: gossip that still waits gets its verdict, others are told. */
  #passOn(tx: Transaction, { fate, gossip, fee }: Judged): void {
    const isListed = this.#listed.has(tx.wtxid);
    if (fate === 'orphan' || this.#release(tx.wtxid, gossip) || fee === undefined || isListed) return;
    if (this.#deps.signal.aborted) return;
    const afterMs = typeof gossip === 'string' ? 0 : gossip.acceptAfterMs;
    const isKept = this.#announcing.add({ tx, fee }, afterMs);
    if (!isKept) this.#deps.log.debug('transaction not announced: too many are', { txid: tx.txid });
  }

  async #announce(tx: Transaction, fee: Sats): Promise<void> {
    try {
      await this.#publish(tx, fee);
    } catch (error) {
      if (this.#deps.signal.aborted) return;
      this.#deps.log.debug('transaction not announced', { txid: tx.txid, error: errorText(error) });
    }
  }

  /** Gossip sends nothing that it has seen, also when it was ignored then: the other form of the same has another id. */
  async #publish(tx: Transaction, fee: Sats): Promise<void> {
    const { publish } = this.#deps;
    const { codec } = topics.tx;
    const message = txMessageFor(tx, fee);
    const sent = await publish('tx', codec.encode(message));
    const other = message.kind === 'whole' ? 'entry' : 'whole';
    if (sent === 0) await publish('tx', codec.encode(txMessageFor(tx, fee, other)));
  }

  /** One orphan at a time, peers by turns: what peers send anew waits for one of them at most. */
  async #reconsider(): Promise<void> {
    if (this.#isReconsidering) return;
    this.#isReconsidering = true;
    const { clock, log, signal } = this.#deps;
    try {
      for (;;) {
        const next = signal.aborted ? undefined : this.#download.takeOrphan(clock.monotonicMs());
        if (next === undefined) break;
        this.#passOn(next.tx, await this.#submit(next.tx, next.peer));
      }
    } catch (error) {
      log.error('orphans could not be looked at', { error: errorText(error) });
    } finally {
      this.#isReconsidering = false;
    }
    this.#pump();
  }
}
