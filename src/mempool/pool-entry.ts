/**
 * One transaction of the mempool. There may be hundreds of thousands, so an entry keeps the serialised transaction and
 * what is asked of many at a time; whoever wants more decodes it again.
 */
import {
  idToBytes,
  PackedTransaction,
  type Sats,
  type Transaction,
  type TxInput,
  type Txid,
  type Wtxid,
} from '#primitives';
import type { HeapItem } from './indexed-heap.ts';

/** What others see of a transaction in the mempool. */
export type MempoolEntry = Pick<PackedTransaction, 'txidBytes' | 'wtxid' | 'wtxidBytes' | 'size' | 'raw' | 'tx'> & {
  readonly txid: Txid;
  /** Of the decoded transaction. */
  readonly inputs: readonly TxInput[];
  readonly version: number;
  readonly lockTime: number;
  readonly hasWitness: boolean;
  readonly weight: number;
  readonly fee: Sats;
  /** What it counts for where transactions are ranked: the fee and this node's delta (prioritisetransaction). */
  readonly modifiedFee: Sats;
  /** Virtual bytes, raised if the signature operations ask for more (Core's GetVirtualTransactionSize). */
  readonly vsize: number;
  readonly sigOpCost: number;
  /** When it entered, Unix milliseconds. */
  readonly time: number;
  /** Of the tip that it met (Core's entry height). */
  readonly height: number;
  /** Transactions in the pool that it spends from, and that spend from it. */
  readonly parents: ReadonlySet<MempoolEntry>;
  readonly children: ReadonlySet<MempoolEntry>;
};

export type EntryFields = Pick<
  MempoolEntry,
  'tx' | 'fee' | 'modifiedFee' | 'vsize' | 'sigOpCost' | 'time' | 'height'
> & {
  /** Whether it spends a coinbase: after a reorganisation that may be immature again. */
  readonly spendsCoinbase: boolean;
};

const NOBODY: ReadonlySet<never> = new Set();
/** BIP68: an input without this bit may have a relative lock. */
const SEQUENCE_LOCKTIME_DISABLE_FLAG = 0x80000000;

/**
 * Bytes of memory beyond the serialisation, on Node 24; fitted to the benchmark `mempool-memory`. Of an entry: its object,
 * its txid, its places in a map, in two heaps and in the fee estimator.
 */
const ENTRY_BYTES = 620;
/** The wtxid, where it is another one, and its place in a map. */
const WITNESS_ID_BYTES = 130;
/** The outpoint and its place in a map. */
const INPUT_BYTES = 110;
/** Of a child and its parent: their places in each other's sets. 300 for an only child, 180 for each of many. */
export const TIE_BYTES = 250;

export type Aged = HeapItem & { readonly entry: PoolEntry };

export class PoolEntry extends PackedTransaction implements MempoolEntry {
  readonly txid: Txid;
  readonly version: number;
  readonly lockTime: number;
  /** Whether an input could have to wait for the age of its coin (BIP68). */
  readonly mayHaveRelativeLock: boolean;
  readonly weight: number;
  readonly fee: Sats;
  modifiedFee: Sats;
  readonly vsize: number;
  readonly sigOpCost: number;
  readonly time: number;
  readonly height: number;
  readonly spendsCoinbase: boolean;
  /** Bytes of memory that it counts for, but for its ties to others. */
  readonly usage: number;
  /** sat per vbyte that keeps it in the pool: its own, or its whole descendant package's if higher (as Core). */
  descendantScore: number;
  heapIndex = -1;
  /** Its place among the oldest. */
  readonly age: Aged = { entry: this, heapIndex: -1 };
  /** Made when first needed: most transactions have neither parents nor children here. */
  #parents: Set<PoolEntry> | undefined;
  #children: Set<PoolEntry> | undefined;

  constructor(fields: EntryFields) {
    const { tx, fee, modifiedFee } = fields;
    // One text where the ids are equal.
    super({ raw: tx.raw, wtxid: tx.hasWitness ? tx.wtxid : (tx.txid as string as Wtxid) });
    this.txid = tx.txid;
    this.version = tx.version;
    this.lockTime = tx.lockTime;
    this.mayHaveRelativeLock = tx.inputs.some(({ sequence }) => (sequence & SEQUENCE_LOCKTIME_DISABLE_FLAG) === 0);
    this.weight = tx.weight;
    this.fee = fee;
    // One object where they are equal.
    this.modifiedFee = modifiedFee === fee ? fee : modifiedFee;
    this.vsize = fields.vsize;
    this.sigOpCost = fields.sigOpCost;
    this.time = fields.time;
    this.height = fields.height;
    this.spendsCoinbase = fields.spendsCoinbase;
    this.usage = memoryUsage(tx);
    this.descendantScore = feeRate(fields);
  }

  override get txidBytes(): Uint8Array {
    return idToBytes(this.txid);
  }

  get inputs(): readonly TxInput[] {
    return this.tx.inputs;
  }

  get hasWitness(): boolean {
    // Such a transaction has no other id.
    return (this.wtxid as string) !== this.txid;
  }

  get parents(): ReadonlySet<PoolEntry> {
    return this.#parents ?? NOBODY;
  }

  get children(): ReadonlySet<PoolEntry> {
    return this.#children ?? NOBODY;
  }

  /** Ties this entry below `parent`. */
  attach(parent: PoolEntry): void {
    this.#parents = (this.#parents ?? new Set()).add(parent);
    parent.#children = (parent.#children ?? new Set()).add(this);
  }

  detach(parent: PoolEntry): void {
    this.#parents = without(this.#parents, parent);
    parent.#children = without(parent.#children, this);
  }
}

/** An empty set takes as much memory as one of four. */
function without(set: Set<PoolEntry> | undefined, entry: PoolEntry): Set<PoolEntry> | undefined {
  set?.delete(entry);
  return set?.size === 0 ? undefined : set;
}

/** sat per vbyte. A double is exact enough to rank by (Core ranks by doubles as well). */
export function feeRate(of: Pick<MempoolEntry, 'modifiedFee' | 'vsize'>): number {
  return Number(of.modifiedFee) / of.vsize;
}

/** Bytes of memory that a transaction counts for in the pool, but for its ties to others. */
export function memoryUsage(tx: Transaction): number {
  return tx.size + ENTRY_BYTES + (tx.hasWitness ? WITNESS_ID_BYTES : 0) + tx.inputs.length * INPUT_BYTES;
}
