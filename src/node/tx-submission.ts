/**
 * Takes what peers send to the mempool: alone, or a parent that pays too little together with a child that waits for it.
 * `relay` hears each verdict; who sent what can never be valid is charged; what got in is given its time.
 */
import type { Mempool, MempoolVerdict } from '#mempool';
import type { GossipVerdict, Net, PeerIdText } from '#net';
import type { Sats, Transaction } from '#primitives';
import type { TxDownload, TxFate, TxPackage } from '#relay';
import type { Clock } from '#util';
import type { TxAnnouncer } from './tx-announcer.ts';

export type TxSubmissionDeps = {
  readonly mempool: Pick<Mempool, 'submit' | 'submitPackage'>;
  readonly announcer: Pick<TxAnnouncer, 'hold'>;
  readonly charge: Net['charge'];
  readonly clock: Clock;
};

type Download = Pick<TxDownload, 'isReconsiderable' | 'findPackage' | 'judged' | 'packageJudged'>;

/** `fee`: of what was accepted. */
export type Judged = { readonly fate: TxFate; readonly gossip: GossipVerdict; readonly fee: Sats | undefined };

/** `child`: a transaction that had waited, and was decided with the one submitted. */
export type Submitted = Judged & { readonly child?: { readonly tx: Transaction; readonly judged: Judged } };

const REFUSED: Judged = { fate: 'refused', gossip: 'ignore', fee: undefined };

export class TxSubmission {
  readonly #deps: TxSubmissionDeps;
  readonly #download: Download;

  constructor(deps: TxSubmissionDeps, download: Download) {
    this.#deps = deps;
    this.#download = download;
  }

  async submit(tx: Transaction, from: PeerIdText): Promise<Submitted> {
    const alone = this.#download.isReconsiderable(tx) ? REFUSED : await this.#submitAlone(tx, from);
    const pair = alone.fate === 'refused' ? this.#download.findPackage(tx, from) : undefined;
    return pair === undefined ? alone : this.#submitPair(pair);
  }

  async #submitAlone(tx: Transaction, from: PeerIdText): Promise<Judged> {
    const { mempool, announcer, clock } = this.#deps;
    const verdict = await mempool.submit(tx, from);
    const fate = this.#download.judged(tx, from, verdict, clock.monotonicMs());
    const holdMs = verdict.kind === 'accepted' ? announcer.hold(tx) : 0;
    return this.#outcome(tx, from, verdict, fate, holdMs);
  }

  /** Both are announced at the same time: whoever refuses the parent alone shall have its child too. */
  async #submitPair(pair: TxPackage): Promise<Submitted> {
    const { mempool, announcer, clock } = this.#deps;
    const { parent, parentFrom, child, childFrom } = pair;
    const verdict = await mempool.submitPackage(parent, child, parentFrom);
    const fates = this.#download.packageJudged(pair, verdict, clock.monotonicMs());
    const accepted = [parent, child].filter((_, at) => [fates.parent, fates.child][at] === 'accepted');
    const holdMs = accepted.length > 0 ? announcer.hold(...accepted) : 0;
    return {
      ...this.#outcome(parent, parentFrom, verdict.parent, fates.parent, holdMs),
      child: { tx: child, judged: this.#outcome(child, childFrom, verdict.child, fates.child, holdMs) },
    };
  }

  #outcome(
    tx: Transaction,
    from: PeerIdText,
    verdict: MempoolVerdict | undefined,
    fate: TxFate,
    holdMs: number,
  ): Judged {
    if (verdict?.kind === 'accepted') {
      return { fate, gossip: holdMs > 0 ? { acceptAfterMs: holdMs } : 'accept', fee: verdict.fee };
    }
    if (verdict?.kind !== 'consensus') return { fate, gossip: 'ignore', fee: undefined };
    this.#deps.charge(from, 'invalid-transaction', `${tx.txid}: ${verdict.failure.code}`);
    return { fate, gossip: 'reject', fee: undefined };
  }
}
