/**
 * Brings a new node's mempool near those of its peers: once the first sync has ended, two peers are asked one after the
 * other what theirs hold, and what is missing here is fetched like other announced transactions, at the pace of their
 * quotas. Gossip alone would take as long as the oldest of them need to be mined.
 */
import type { PeerIdText } from '#net';
import type { Wtxid } from '#primitives';
import { type Clock, errorText, type Logger, sleep } from '#util';
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

export type MempoolSyncDeps = {
  readonly isSynced: () => boolean;
  readonly peers: () => readonly ReadyPeer[];
  readonly requests: Pick<Requests, 'mempool'>;
  readonly ingest: Pick<TxIngest, 'listed' | 'openOf'>;
  /** sat/kvB; what pays less is not asked for. */
  readonly minFeeSatPerKvb: () => number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
};

export class MempoolSync {
  readonly #deps: MempoolSyncDeps;
  readonly #asked = new Set<PeerIdText>();
  #listed = 0;
  #isRunning = false;

  constructor(deps: MempoolSyncDeps) {
    this.#deps = deps;
  }

  /** To be called when there is a new peer or the sync has got on. */
  poke(): void {
    const { isSynced, peers, log, signal } = this.#deps;
    if (this.#isRunning || this.#listed >= MAX_SOURCES || signal.aborted || !isSynced()) return;
    const open = peers().filter(({ id, kind }) => !this.#asked.has(id) && kind !== 'block-only');
    // Whom we chose ourselves first.
    const peer = (open.find(({ isOutbound }) => isOutbound) ?? open[0])?.id;
    if (peer === undefined) return;
    this.#isRunning = true;
    this.#asked.add(peer);
    this.#askAll(peer)
      .then((count) => {
        // Who has nothing is new itself.
        if (count > 0) this.#listed += 1;
      })
      .catch((error) => log.debug('mempool not listed', { peer, error: errorText(error) }))
      .finally(() => {
        this.#isRunning = false;
        this.poke();
      });
  }

  /** Gives how many it listed. */
  async #askAll(peer: PeerIdText): Promise<number> {
    const { requests, minFeeSatPerKvb, signal } = this.#deps;
    let skip = 0;
    while (skip < MAX_ENTRIES) {
      const request = { minFeeSatPerKvb: BigInt(Math.ceil(minFeeSatPerKvb())), skip };
      // All of the answer before anything is fetched: that may take longer than the exchange.
      const page: Wtxid[] = [];
      for await (const { wtxid } of requests.mempool(peer, request, signal)) page.push(wtxid);
      if (page.length === 0) break;
      for (let at = 0; at < page.length; at += STEP) await this.#handOn(peer, page.slice(at, at + STEP));
      skip += page.length;
    }
    return skip;
  }

  async #handOn(peer: PeerIdText, wtxids: readonly Wtxid[]): Promise<void> {
    const { ingest, clock, signal } = this.#deps;
    while (ingest.openOf(peer) > STEP) await sleep(clock, POLL_MS, signal);
    ingest.listed(peer, wtxids);
  }
}
