/**
 * Brings this node's mempool near those of its peers. Once the first sync has ended, two peers are asked one after the other
 * what theirs hold, and what is missing here is fetched like other announced transactions, at the pace of their quotas.
 * Gossip alone would take as long as the oldest of them need to be mined.
 * From then on one peer after the other is asked for its newest entries: gossip is sent once, and what it loses (a link that
 * came up too late, a peer that left before it gave what it announced) would stay missing until a block has it.
 * Bounds: a round is one exchange, of some NEWEST entries and 440 kB at most; on average it is BYTES_PER_SECOND.
 */
import type { PeerIdText } from '#net';
import type { Wtxid } from '#primitives';
import { type Clock, errorText, type Logger, type Random, sleep, type TimerHandle } from '#util';
import type { ReadyPeer } from './peers.ts';
import type { Requests } from './requests.ts';
import type { TxIngest } from './tx-ingest.ts';

/** The second has what the first one lacked. */
const MAX_SOURCES = 2;
/** Core's mempool of 300 MB holds about as many. */
const MAX_ENTRIES = 300_000;
/** Ids handed on at a time, while fewer than twice as many of the peer are open. */
const STEP = 1_000;
const POLL_MS = 250;
/** Two rounds' worth of what the network makes (7 a second), so that two peers are asked for each. */
const NEWEST = 2_000;
/** Between rounds; by chance, so that nodes that were started together do not ask together. */
const LEAST_ROUND_MS = 90_000;
const ROUND_SPREAD_MS = 60_000;
const ENTRY_BYTES = 44;
const BYTES_PER_SECOND = 1_000;

export type MempoolSyncDeps = {
  readonly isSynced: () => boolean;
  readonly peers: () => readonly ReadyPeer[];
  readonly requests: Pick<Requests, 'mempool'>;
  readonly ingest: Pick<TxIngest, 'listed' | 'openOf'>;
  /** Transactions in the own mempool. */
  readonly count: () => number;
  /** sat/kvB; what pays less is not asked for. */
  readonly minFeeSatPerKvb: () => number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly signal: AbortSignal;
};

export class MempoolSync implements Disposable {
  readonly #deps: MempoolSyncDeps;
  /** Not asked again before everybody else was. */
  readonly #asked = new Set<PeerIdText>();
  #listed = 0;
  #isRunning = false;
  #timer: TimerHandle;

  constructor(deps: MempoolSyncDeps) {
    this.#deps = deps;
    this.#timer = this.#schedule(0);
  }

  [Symbol.dispose](): void {
    this.#timer.cancel();
  }

  /** To be called when there is a new peer or the sync has got on. */
  poke(): void {
    if (this.#listed >= MAX_SOURCES) return;
    const peer = this.#next();
    if (peer === undefined) return;
    void this.#ask(peer, () => this.#askAll(peer)).then((count) => {
      // Who has nothing is new itself.
      if (count > 0) this.#listed += 1;
      this.poke();
    });
  }

  #schedule(entries: number): TimerHandle {
    const { clock, random } = this.#deps;
    const pacedMs = (1_000 * entries * ENTRY_BYTES) / BYTES_PER_SECOND;
    const afterMs = Math.max(LEAST_ROUND_MS, pacedMs) + random.below(ROUND_SPREAD_MS);
    return clock.after(afterMs, () => void this.#round());
  }

  async #round(): Promise<void> {
    const { count } = this.#deps;
    if (this.#peers().every(({ id }) => this.#asked.has(id))) this.#asked.clear();
    let entries = 0;
    if (this.#listed < MAX_SOURCES) {
      // All had nothing, or failed.
      this.poke();
    } else {
      const peer = this.#next();
      const skip = Math.max(0, count() - NEWEST);
      if (peer !== undefined) entries = await this.#ask(peer, () => this.#askPage(peer, skip));
    }
    if (!this.#deps.signal.aborted) this.#timer = this.#schedule(entries);
  }

  /** Block-only peers are not asked for transactions. */
  #peers(): readonly ReadyPeer[] {
    return this.#deps.peers().filter(({ kind }) => kind !== 'block-only');
  }

  /** Whom we chose ourselves first. Undefined while there is nobody to be asked. */
  #next(): PeerIdText | undefined {
    const { isSynced, signal } = this.#deps;
    if (this.#isRunning || signal.aborted || !isSynced()) return undefined;
    const open = this.#peers().filter(({ id }) => !this.#asked.has(id));
    return (open.find(({ isOutbound }) => isOutbound) ?? open[0])?.id;
  }

  /** Gives how many it listed; 0 if that failed. */
  async #ask(peer: PeerIdText, list: () => Promise<number>): Promise<number> {
    this.#isRunning = true;
    this.#asked.add(peer);
    try {
      return await list();
    } catch (error) {
      this.#deps.log.debug('mempool not listed', { peer, error: errorText(error) });
      return 0;
    } finally {
      this.#isRunning = false;
    }
  }

  async #askAll(peer: PeerIdText): Promise<number> {
    let skip = 0;
    while (skip < MAX_ENTRIES) {
      const listed = await this.#askPage(peer, skip);
      if (listed === 0) break;
      skip += listed;
    }
    return skip;
  }

  /** One exchange. Gives how many it listed. */
  async #askPage(peer: PeerIdText, skip: number): Promise<number> {
    const { requests, minFeeSatPerKvb, signal } = this.#deps;
    const request = { minFeeSatPerKvb: BigInt(Math.ceil(minFeeSatPerKvb())), skip };
    // All of the answer before anything is fetched: that may take longer than the exchange.
    const page: Wtxid[] = [];
    for await (const { wtxid } of requests.mempool(peer, request, signal)) page.push(wtxid);
    for (let at = 0; at < page.length; at += STEP) await this.#handOn(peer, page.slice(at, at + STEP));
    return page.length;
  }

  async #handOn(peer: PeerIdText, wtxids: readonly Wtxid[]): Promise<void> {
    const { ingest, clock, signal } = this.#deps;
    while (ingest.openOf(peer) > STEP) await sleep(clock, POLL_MS, signal);
    ingest.listed(peer, wtxids);
  }
}
