/**
 * The transactions of the mempool and how they hang together: who spends what, who stands on whom. It knows no rules.
 * Invariants: no two entries spend the same output; an entry's parents and children are in the pool and know it;
 * every entry is in the eviction heap at the rank of its descendant score, and in the heap of ages; `usage` is the sum
 * of what the entries and the ties between them count for.
 */
import { type Sats, type Transaction, type Txid, txidFromBytes, type Wtxid } from '#primitives';
import { assert } from '#util';
import { IndexedHeap } from './indexed-heap.ts';
import { PoolObservers, type RemovalReason } from './observer.ts';
import { type Aged, type EntryFields, feeRate, type MempoolEntry, PoolEntry, TIE_BYTES } from './pool-entry.ts';

/** Sum over an entry and its ancestors, or over an entry and its descendants. */
export type PackageTotals = {
  readonly count: number;
  readonly vsize: number;
  readonly modifiedFee: Sats;
};

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

  /** Bytes of memory that all of it counts for (Core's DynamicMemoryUsage). */
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
    return legacy?.hasWitness === false ? legacy : undefined;
  }

  /** Whether this very entry is still here. */
  has(entry: PoolEntry): boolean {
    return this.#byTxid.get(entry.txid) === entry;
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
    const { tx } = fields;
    assert(!this.#byTxid.has(entry.txid), 'a transaction enters the pool once');
    this.#byTxid.set(entry.txid, entry);
    if (entry.hasWitness) this.#byWtxid.set(entry.wtxid, entry);
    for (const input of tx.inputs) {
      const key = outpointKey(input.prevTxid, input.prevIndex);
      assert(!this.#bySpent.has(key), 'an output is spent once in the pool');
      this.#bySpent.set(key, entry);
    }
    for (const parent of this.parentsOf(tx)) entry.attach(parent);
    for (const child of this.spendersOf(tx)) child.attach(entry);
    this.#version++;
    this.#usage += entry.usage + tieBytes(entry);
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
    assert(this.#byTxid.delete(entry.txid), 'the entry is in the pool');
    if (entry.hasWitness) this.#byWtxid.delete(entry.wtxid);
    this.#usage -= entry.usage + tieBytes(entry);
    for (const input of entry.inputs) this.#bySpent.delete(outpointKey(input.prevTxid, input.prevIndex));
    for (const parent of entry.parents) entry.detach(parent);
    for (const child of entry.children) child.detach(entry);
    this.#version++;
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

/** Who spends from whom. */
type Linked<Entry> = { readonly parents: ReadonlySet<Entry>; readonly children: ReadonlySet<Entry> };

/** The entries and everything that stands on them. */
export function withDescendants<Entry extends Linked<Entry>>(entries: Iterable<Entry>): Set<Entry> {
  return closure(entries, (entry) => entry.children);
}

/** The entries and everything that they stand on. */
export function withAncestors<Entry extends Linked<Entry>>(entries: Iterable<Entry>): Set<Entry> {
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

function tieBytes({ parents, children }: PoolEntry): number {
  return (parents.size + children.size) * TIE_BYTES;
}

/** The set itself grows while it is walked: iteration of a Set visits what is added meanwhile. */
function closure<Entry>(start: Iterable<Entry>, next: (entry: Entry) => ReadonlySet<Entry>): Set<Entry> {
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

const TXID_BYTES = 32;
const outpoint = Buffer.alloc(TXID_BYTES + 4);

/** An outpoint as on the wire, a character a byte: made in one piece, for a joined string is kept as its parts. */
export function outpointKey(txid: Uint8Array, index: number): string {
  outpoint.set(txid);
  outpoint.writeUInt32LE(index, TXID_BYTES);
  return outpoint.toString('latin1');
}
