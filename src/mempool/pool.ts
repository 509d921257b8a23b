/**
 * The transactions of the mempool and how they hang together: who spends what, who stands on whom. It knows no rules.
 * Invariants: no two entries spend the same output; an entry's parents and children are in the pool and know it;
 * every entry is in the eviction heap at the rank of its descendant score, and in the heap of ages.
 */
import { type Sats, type Transaction, type Txid, txidFromBytes, type Wtxid } from '#primitives';
import { asBuffer, assert } from '#util';
import { type HeapItem, IndexedHeap } from './indexed-heap.ts';
import { PoolObservers, type RemovalReason } from './observer.ts';

/** What others see of a transaction in the mempool. */
export type MempoolEntry = {
  readonly tx: Transaction;
  readonly fee: Sats;
  /** What it counts for where transactions are ranked: the fee and this node's delta (prioritisetransaction). */
  readonly modifiedFee: Sats;
  /** Virtual bytes, raised if the signature operations ask for more (Core's GetVirtualTransactionSize). */
  readonly vsize: number;
  readonly sigOpCost: number;
  /** When it entered, Unix milliseconds. */
  readonly time: number;
  /** Transactions in the pool that it spends from, and that spend from it. */
  readonly parents: ReadonlySet<MempoolEntry>;
  readonly children: ReadonlySet<MempoolEntry>;
};

export type EntryFields = Pick<MempoolEntry, 'tx' | 'fee' | 'modifiedFee' | 'vsize' | 'sigOpCost' | 'time'> & {
  /** Whether it spends a coinbase: after a reorganisation that may be immature again. */
  readonly spendsCoinbase: boolean;
};

/** Sum over an entry and its ancestors, or over an entry and its descendants. */
export type PackageTotals = {
  readonly count: number;
  readonly vsize: number;
  readonly modifiedFee: Sats;
};

const NOBODY: ReadonlySet<never> = new Set();

/**
 * Estimated bytes of memory of an entry beyond its serialisation: objects, ids, index slots. Measured on Node 24 as
 * growth of the process by 100,000 entries of six shapes (one to five inputs, one to ten outputs): the estimate is
 * 3 to 6% above each. 130 bytes of it are the place in the heap of ages and what the fee estimator remembers.
 */
const ENTRY_BYTES = 1_500;
const INPUT_BYTES = 450;
const OUTPUT_BYTES = 180;

type Aged = HeapItem & { readonly entry: PoolEntry };

export class PoolEntry implements MempoolEntry {
  readonly tx: Transaction;
  readonly fee: Sats;
  modifiedFee: Sats;
  readonly vsize: number;
  readonly sigOpCost: number;
  readonly time: number;
  readonly spendsCoinbase: boolean;
  /** Estimated bytes of memory. */
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
    // A transaction is a view of what it came in (a block, a gossip frame): the pool must not keep all of that alive.
    this.tx = fields.tx.withOwnBytes();
    this.fee = fields.fee;
    this.modifiedFee = fields.modifiedFee;
    this.vsize = fields.vsize;
    this.sigOpCost = fields.sigOpCost;
    this.time = fields.time;
    this.spendsCoinbase = fields.spendsCoinbase;
    this.usage = memoryUsage(fields.tx);
    this.descendantScore = feeRate(fields);
  }

  get parents(): ReadonlySet<PoolEntry> {
    return this.#parents ?? NOBODY;
  }

  get children(): ReadonlySet<PoolEntry> {
    return this.#children ?? NOBODY;
  }

  /** Ties this entry below `parent`. */
  attach(parent: PoolEntry): void {
    this.#parents ??= new Set();
    this.#parents.add(parent);
    parent.#children ??= new Set();
    parent.#children.add(this);
  }

  detach(parent: PoolEntry): void {
    this.#parents?.delete(parent);
    parent.#children?.delete(this);
  }
}

export class Pool {
  readonly #byTxid = new Map<Txid, PoolEntry>();
  /** Only those whose wtxid differs from their txid. */
  readonly #byWtxid = new Map<Wtxid, PoolEntry>();
  readonly #bySpent = new Map<string, PoolEntry>();
  readonly #observers: PoolObservers;
  readonly #evictionOrder = new IndexedHeap<PoolEntry>(evictedBefore);
  /** Not the order of arrival: what a file brought back keeps its time. */
  readonly #byAge = new IndexedHeap<Aged>((a, b) => a.entry.time < b.entry.time);
  #usage = 0;
  #vsize = 0;
  #totalFee = 0n;
  #version = 0;

  /** Hears of all that leaves here. */
  constructor(observers = new PoolObservers()) {
    this.#observers = observers;
  }

  get size(): number {
    return this.#byTxid.size;
  }

  /** Estimated bytes of memory. */
  get usage(): number {
    return this.#usage;
  }

  /** Virtual bytes of all entries. */
  get vsize(): number {
    return this.#vsize;
  }

  get totalFee(): Sats {
    return this.#totalFee;
  }

  /** Another number after each change. */
  get version(): number {
    return this.#version;
  }

  /** In the order of arrival. */
  entries(): IterableIterator<PoolEntry> {
    return this.#byTxid.values();
  }

  byTxid(txid: Txid): PoolEntry | undefined {
    return this.#byTxid.get(txid);
  }

  byId(id: Txid | Wtxid): PoolEntry | undefined {
    const entry = this.#byTxid.get(id as Txid);
    // A txid names the transaction without its witness: as a wtxid it would name another one.
    return entry ?? this.#byWtxid.get(id as Wtxid);
  }

  byWtxid(wtxid: Wtxid): PoolEntry | undefined {
    const entry = this.#byWtxid.get(wtxid);
    if (entry !== undefined) return entry;
    const legacy = this.#byTxid.get(wtxid as string as Txid);
    return legacy?.tx.hasWitness === false ? legacy : undefined;
  }

  /** Whether this very entry is still here. */
  has(entry: PoolEntry): boolean {
    return this.#byTxid.get(entry.tx.txid) === entry;
  }

  /** Who spends output `index` of the transaction. `txid`: 32 bytes, internal order. */
  spender(txid: Uint8Array, index: number): PoolEntry | undefined {
    return this.#bySpent.get(outpointKey(txid, index));
  }

  /** The entries that a transaction's inputs spend from, each once. */
  parentsOf(tx: Transaction): Set<PoolEntry> {
    const parents = new Set<PoolEntry>();
    for (const input of tx.inputs) {
      const parent = this.#byTxid.get(txidFromBytes(input.prevTxid));
      if (parent !== undefined) parents.add(parent);
    }
    return parents;
  }

  /** The entries that spend outputs of a transaction, which itself need not be in the pool. */
  spendersOf(tx: Transaction): Set<PoolEntry> {
    const spenders = new Set<PoolEntry>();
    tx.outputs.forEach((_, index) => {
      const spender = this.spender(tx.txidBytes, index);
      if (spender !== undefined) spenders.add(spender);
    });
    return spenders;
  }

  /** The caller has made sure that nothing here spends the same outputs. */
  add(fields: EntryFields): PoolEntry {
    const entry = new PoolEntry(fields);
    const { tx } = entry;
    assert(!this.#byTxid.has(tx.txid), 'a transaction enters the pool once');
    this.#byTxid.set(tx.txid, entry);
    if (tx.hasWitness) this.#byWtxid.set(tx.wtxid, entry);
    for (const input of tx.inputs) {
      const key = outpointKey(input.prevTxid, input.prevIndex);
      assert(!this.#bySpent.has(key), 'an output is spent once in the pool');
      this.#bySpent.set(key, entry);
    }
    for (const parent of this.parentsOf(tx)) entry.attach(parent);
    for (const child of this.spendersOf(tx)) child.attach(entry);
    this.#version++;
    this.#usage += entry.usage;
    this.#vsize += entry.vsize;
    this.#totalFee += entry.fee;
    this.#evictionOrder.push(entry);
    this.#byAge.push(entry.age);
    this.#rank(withAncestors([entry]));
    return entry;
  }

  /** Takes out one entry and leaves its children: they spend from the chain now (or leave next). */
  remove(entry: PoolEntry, reason: RemovalReason): void {
    this.#removeAll(new Set([entry]), reason);
  }

  /** Takes out entries and everything that stands on them; gives what went, in no useful order. */
  removeWithDescendants(entries: Iterable<PoolEntry>, reason: RemovalReason): ReadonlySet<PoolEntry> {
    const leaving = withDescendants(entries);
    this.#removeAll(leaving, reason);
    return leaving;
  }

  /**
   * What the transaction counts for beyond its fee. The version changes even if it is not here: it may be just being
   * checked.
   */
  setFeeDelta(txid: Txid, feeDelta: Sats): void {
    this.#version++;
    const entry = this.#byTxid.get(txid);
    if (entry === undefined) return;
    entry.modifiedFee = entry.fee + feeDelta;
    this.#rank(withAncestors([entry]));
  }

  /** The entry that leaves first when room is needed. */
  leastWorthy(): PoolEntry | undefined {
    return this.#evictionOrder.first();
  }

  /** The entry with the earliest time. */
  oldest(): PoolEntry | undefined {
    return this.#byAge.first()?.entry;
  }

  #removeAll(leaving: ReadonlySet<PoolEntry>, reason: RemovalReason): void {
    const above = withAncestors(leaving);
    for (const entry of leaving) this.#forget(entry);
    for (const entry of leaving) above.delete(entry);
    this.#rank(above);
    for (const entry of leaving) this.#observers.left(entry, reason);
  }

  #forget(entry: PoolEntry): void {
    const { tx } = entry;
    assert(this.#byTxid.delete(tx.txid), 'the entry is in the pool');
    if (tx.hasWitness) this.#byWtxid.delete(tx.wtxid);
    for (const input of tx.inputs) this.#bySpent.delete(outpointKey(input.prevTxid, input.prevIndex));
    for (const parent of entry.parents) entry.detach(parent);
    for (const child of entry.children) child.detach(entry);
    this.#version++;
    this.#usage -= entry.usage;
    this.#vsize -= entry.vsize;
    this.#totalFee -= entry.fee;
    this.#evictionOrder.remove(entry);
    this.#byAge.remove(entry.age);
  }

  #rank(entries: Iterable<PoolEntry>): void {
    for (const entry of entries) {
      const whole = packageTotals(withDescendants([entry]));
      entry.descendantScore = Math.max(feeRate(entry), feeRate(whole));
      this.#evictionOrder.update(entry);
    }
  }
}

/** The entries and everything that stands on them. */
export function withDescendants(entries: Iterable<PoolEntry>): Set<PoolEntry> {
  return closure(entries, (entry) => entry.children);
}

/** The entries and everything that they stand on. */
export function withAncestors(entries: Iterable<PoolEntry>): Set<PoolEntry> {
  return closure(entries, (entry) => entry.parents);
}

export function packageTotals(entries: Iterable<Pick<MempoolEntry, 'vsize' | 'modifiedFee'>>): PackageTotals {
  let count = 0;
  let vsize = 0;
  let modifiedFee = 0n;
  for (const entry of entries) {
    count++;
    vsize += entry.vsize;
    modifiedFee += entry.modifiedFee;
  }
  return { count, vsize, modifiedFee };
}

/** sat per vbyte. A double is exact enough to rank by (Core ranks by doubles as well). */
export function feeRate(of: Pick<PackageTotals, 'modifiedFee' | 'vsize'>): number {
  return Number(of.modifiedFee) / of.vsize;
}

/** Estimated bytes of memory that a transaction will cost in the pool. */
export function memoryUsage(tx: Transaction): number {
  return tx.size + ENTRY_BYTES + tx.inputs.length * INPUT_BYTES + tx.outputs.length * OUTPUT_BYTES;
}

/** The set itself grows while it is walked: iteration of a Set visits what is added meanwhile. */
function closure(start: Iterable<PoolEntry>, next: (entry: PoolEntry) => ReadonlySet<PoolEntry>): Set<PoolEntry> {
  const found = new Set(start);
  for (const entry of found) {
    for (const other of next(entry)) found.add(other);
  }
  return found;
}

/** Core's CompareTxMemPoolEntryByDescendantScore: the lowest first, among equals the youngest. */
function evictedBefore(a: PoolEntry, b: PoolEntry): boolean {
  return a.descendantScore === b.descendantScore ? a.time > b.time : a.descendantScore < b.descendantScore;
}

/** The txid has a fixed length, so the parts need no separator. Latin-1 halves the memory of hex. */
export function outpointKey(txid: Uint8Array, index: number): string {
  return asBuffer(txid).toString('latin1') + index;
}
