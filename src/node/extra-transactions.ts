/**
 * Transactions that the mempool does not hold: refused lately, orphaned, replaced, evicted, expired, or waiting for its
 * verdict. A miner with other policy or more time may put them into a block, and then they need not be asked for (Core's
 * vExtraTxnForCompact). They are unchecked bytes, good for nothing else.
 * Bounds: `MAX_TRANSACTIONS` and `MAX_BYTES`, the oldest leave first; of those that wait, what the mempool lets wait.
 */
import type { Mempool } from '#mempool';
import { PackedTransaction, type Transaction, type Wtxid } from '#primitives';

const MAX_TRANSACTIONS = 10_000;
/** Serialised, as they are kept. */
const MAX_BYTES = 8 << 20;
/** Core's bound in AddToCompactExtraTransactions (there on estimated memory): one must not push out many. */
const MAX_TX_BYTES = 100_000;

export class ExtraTransactions {
  /** In the order of arrival. */
  readonly #byWtxid = new Map<Wtxid, PackedTransaction>();
  readonly #waiting = new Set<Transaction>();
  readonly #maxTransactions: number;
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxTransactions = MAX_TRANSACTIONS, maxBytes = MAX_BYTES) {
    this.#maxTransactions = maxTransactions;
    this.#maxBytes = maxBytes;
  }

  get size(): number {
    return this.#byWtxid.size;
  }

  /** Serialised bytes of all. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Keeps a copy. */
  add(tx: Pick<Transaction, 'wtxid' | 'size' | 'raw'>): void {
    if (tx.size > MAX_TX_BYTES || this.#byWtxid.has(tx.wtxid)) return;
    this.#byWtxid.set(tx.wtxid, new PackedTransaction(tx));
    this.#bytes += tx.size;
    for (const [oldest, { size }] of this.#byWtxid) {
      if (this.#byWtxid.size <= this.#maxTransactions && this.#bytes <= this.#maxBytes) break;
      this.#byWtxid.delete(oldest);
      this.#bytes -= size;
    }
  }

  /** Until the promise settles. */
  async during<T>(tx: Transaction, decided: Promise<T>): Promise<T> {
    this.#waiting.add(tx);
    try {
      return await decided;
    } finally {
      this.#waiting.delete(tx);
    }
  }

  *transactions(): Generator<Transaction | PackedTransaction> {
    yield* this.#byWtxid.values();
    yield* this.#waiting;
  }
}

/** `submit` of the mempool; what waits for it is kept meanwhile, and what it refuses without calling it invalid. */
export function keepSubmitted(submit: Mempool['submit'], extra: ExtraTransactions): Mempool['submit'] {
  return async (tx, origin) => {
    const verdict = await extra.during(tx, submit(tx, origin));
    if (verdict.kind === 'policy' || verdict.kind === 'missing-inputs') extra.add(tx);
    return verdict;
  };
}

/** What left although a block could still hold it. Not what a block confirmed or contradicts, or a new tip forbids. */
export function keepRemoved(mempool: Pick<Mempool, 'observe'>, extra: Pick<ExtraTransactions, 'add'>): void {
  mempool.observe({
    left: (entry, reason) => {
      if (reason === 'replaced' || reason === 'sizelimit' || reason === 'expiry') extra.add(entry);
    },
  });
}
