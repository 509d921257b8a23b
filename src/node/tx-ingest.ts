/** Transactions that gossip brings: passed on when the mempool took them, after a random time. */
import type { Mempool } from '#mempool';
import type { GossipVerdict, Net, PeerIdText } from '#net';
import type { Transaction } from '#primitives';
import type { Decoded, topics } from '#protocol';
import { errorText, type Logger } from '#util';
import type { Requests } from './requests.ts';
import type { TxAnnouncer } from './tx-announcer.ts';

/** Transactions being fetched by their entries at once; more are ignored. */
const MAX_TX_FETCHES = 64;

export type TxIngestDeps = {
  readonly mempool: Pick<Mempool, 'has' | 'submit'>;
  readonly announcer: Pick<TxAnnouncer, 'hold'>;
  readonly charge: Net['charge'];
  readonly requests: Pick<Requests, 'transaction'>;
  /** False until the first sync has ended. */
  readonly isSynced: () => boolean;
  readonly log: Logger;
  readonly signal: AbortSignal;
};

type TxMessage = Decoded<(typeof topics)['tx']['codec']>;

export class TxIngest {
  readonly #deps: TxIngestDeps;
  readonly #fetching = new Set<string>();

  constructor(deps: TxIngestDeps) {
    this.#deps = deps;
  }

  async announced(message: TxMessage, from: PeerIdText): Promise<GossipVerdict> {
    if (!this.#deps.isSynced()) return 'ignore';
    if (message.kind === 'whole') return this.#submit(message.tx, from);
    const { wtxid } = message;
    if (this.#deps.mempool.has(wtxid) || this.#fetching.has(wtxid) || this.#fetching.size >= MAX_TX_FETCHES) {
      return 'ignore';
    }
    this.#fetching.add(wtxid);
    try {
      const tx = await this.#deps.requests.transaction(from, wtxid, this.#deps.signal);
      return tx === undefined ? 'ignore' : await this.#submit(tx, from);
    } catch (error) {
      this.#deps.log.debug('transaction not fetched', { wtxid, peer: from, error: errorText(error) });
      return 'ignore';
    } finally {
      this.#fetching.delete(wtxid);
    }
  }

  async #submit(tx: Transaction, from: PeerIdText): Promise<GossipVerdict> {
    const verdict = await this.#deps.mempool.submit(tx, from);
    switch (verdict.kind) {
      case 'accepted':
        return { acceptAfterMs: this.#deps.announcer.hold(tx) };
      case 'consensus':
        this.#deps.charge(from, 'invalid-transaction', `${tx.txid}: ${verdict.failure.code}`);
        return 'reject';
      case 'duplicate':
      case 'missing-inputs':
      case 'policy':
      case 'unavailable':
        return 'ignore';
    }
  }
}
