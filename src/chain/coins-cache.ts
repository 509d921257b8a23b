/**
 * The write-back cache of unspent outputs over `chainstate`. Coins are kept as the bytes that the store and the undo
 * data have (coin-codec.ts): they are encoded when they are made, decoded when they are spent, and copied otherwise.
 *
 * Two tables, `young` and `old`. What is new goes to `young`; grown to half of the memory it becomes `old`. When both
 * are full everything is written, `old` is dropped and `young` takes its place: so the coins of the last blocks, which
 * are spent most, stay.
 *
 * Invariants: a record is dirty if the store differs from it; fresh if the store does not have the coin at all, so
 * that spending it before it was written costs no write (Core's CCoinsCacheEntry flags). What is dirty leaves memory
 * only by `flush`. While a flush is under way the store names both blocks between which its coins may be (Core's
 * DB_HEAD_BLOCKS), so that `replay.ts` can finish it after a crash. Nothing may change during a flush.
 */
import { type BlockHash, blockHashFromBytes, idToBytes } from '#primitives';
import type { BatchOp, KeyValueStore } from '#store';
import { concatBytes, type Random } from '#util';
import { decodeCoin, encodeCoinKey } from './coin-codec.ts';
import { type ChunkPool, CoinKey, CoinTable, DIRTY, FRESH } from './coin-table.ts';
import type { CoinsFigures } from './meter.ts';
import type { Coin, OutPoint } from './port.ts';
import { damaged } from './repair.ts';

/** Core's DB_BEST_BLOCK: the block whose UTXO set the store holds. */
const BEST_BLOCK_KEY = Uint8Array.of(0x42);
/** Core's DB_HEAD_BLOCKS: instead of it while a flush is under way, the new block's hash and the old one's. */
const HEAD_BLOCKS_KEY = Uint8Array.of(0x48);
const HASH_BYTES = 32;
/**
 * Core's -dbbatchsize is 16 MiB. Smaller ones keep the objects of a batch few, and the event loop turns between two: some
 * 1,300 coins take 4 ms.
 */
const DEFAULT_BATCH_BYTES = 128 << 10;
/** What an operation weighs besides the coin: key and record around them. */
const OP_BYTES = 64;

/** The blocks between which the store's coins are; a flush that did not end. */
export type HeadBlocks = { readonly to: BlockHash; readonly from: BlockHash };

/** An input's outpoint, as inputs have it. */
export type SpentOutPoint = { readonly prevTxid: Uint8Array; readonly prevIndex: number };

/** What a block changes: the cache, or something on top of it. */
export type CoinsView = Pick<CoinsCache, 'has' | 'add' | 'spend'>;

export type CoinsCacheOptions = {
  /** Memory for coins. It is a goal: who connects blocks flushes when `isFull`. */
  readonly maxBytes: number;
  /** Bytes of one write of a flush. */
  readonly batchBytes?: number | undefined;
};

export class CoinsCache {
  readonly #store: KeyValueStore;
  readonly #key: CoinKey;
  readonly #pool: ChunkPool = [];
  readonly #maxBytes: number;
  readonly #batchBytes: number;
  #young: CoinTable;
  #old: CoinTable;
  /** Where the coin asked for last stands; no object is made for it. */
  #table: CoinTable;
  #address = 0;
  #dirtyCount = 0;
  #hits = 0;
  #misses = 0;

  constructor(store: KeyValueStore, random: Random, options: CoinsCacheOptions) {
    this.#store = store;
    this.#key = new CoinKey(random);
    this.#maxBytes = options.maxBytes;
    this.#batchBytes = options.batchBytes ?? DEFAULT_BATCH_BYTES;
    this.#young = new CoinTable(this.#pool);
    this.#old = new CoinTable(this.#pool);
    this.#table = this.#young;
  }

  /** Memory of all records. */
  get bytes(): number {
    return this.#young.bytes + this.#old.bytes;
  }

  /** Records that the next flush writes. */
  get dirtyCount(): number {
    return this.#dirtyCount;
  }

  figures(): CoinsFigures {
    return {
      bytes: this.bytes,
      maxBytes: this.#maxBytes,
      entries: this.#young.count + this.#old.count,
      dirtyEntries: this.#dirtyCount,
      hits: this.#hits,
      misses: this.#misses,
    };
  }

  /** Time for a flush. */
  get isFull(): boolean {
    return this.bytes > this.#maxBytes && this.#dirtyCount > 0;
  }

  get({ txid, index }: OutPoint): Coin | undefined {
    const bytes = this.read(txid, index);
    return bytes === undefined ? undefined : decodeStored(bytes);
  }

  /** The coin in its encoded form, the caller's own. */
  read(txid: Uint8Array, index: number): Uint8Array | undefined {
    return this.has(txid, index) ? this.#table.copy(this.#address) : undefined;
  }

  has(txid: Uint8Array, index: number): boolean {
    return this.#locate(txid, index) && !this.#table.isSpent(this.#address);
  }

  /** Loads the coins that are not in memory yet, all at once. Nothing may be flushed before it is done. */
  async prefetch(outpoints: Iterable<SpentOutPoint>): Promise<void> {
    const wanted = [...outpoints];
    const missing = wanted.filter(({ prevTxid, prevIndex }) => !this.#isCached(prevTxid, prevIndex));
    this.#hits += wanted.length - missing.length;
    this.#misses += missing.length;
    if (missing.length === 0) return;
    const values = await this.#store.getMany(
      missing.map(({ prevTxid, prevIndex }) => encodeCoinKey({ txid: prevTxid, index: prevIndex })),
    );
    missing.forEach(({ prevTxid, prevIndex }, at) => {
      const value = values[at];
      if (value !== undefined && !this.#isCached(prevTxid, prevIndex)) this.#insert(value, 0);
    });
  }

  /**
   * Adds a coin in its encoded form (copied). `mayExist`: the store may hold an unspent coin under the same key that
   * is not in memory (BIP30's duplicates). Gives the bytes of the unspent coin in memory that it replaced, if any.
   */
  add(txid: Uint8Array, index: number, coin: Uint8Array, mayExist: boolean): Uint8Array | undefined {
    if (!this.#isCached(txid, index)) {
      this.#insert(coin, DIRTY | (mayExist ? 0 : FRESH));
      this.#dirtyCount++;
      return undefined;
    }
    const table = this.#table;
    const address = this.#address;
    const replaced = table.isSpent(address) ? undefined : table.copy(address);
    const flags = table.flags(address);
    if ((flags & DIRTY) === 0) this.#dirtyCount++;
    if (table.fits(address, coin.length)) table.replace(address, coin, flags | DIRTY);
    else {
      table.remove(this.#key, address);
      this.#insert(coin, flags | DIRTY);
    }
    return replaced;
  }

  /** Takes the coin out and gives its bytes, the caller's own; undefined if there is none. */
  spend(txid: Uint8Array, index: number): Uint8Array | undefined {
    if (!this.has(txid, index)) return undefined;
    const table = this.#table;
    const address = this.#address;
    const coin = table.copy(address);
    const flags = table.flags(address);
    if ((flags & FRESH) !== 0) {
      table.remove(this.#key, address);
      this.#dirtyCount--;
    } else {
      if ((flags & DIRTY) === 0) this.#dirtyCount++;
      table.markSpent(address);
    }
    return coin;
  }

  /** The block whose UTXO set the store holds; undefined in a new store, and after a flush that did not end. */
  storedBestBlock(): BlockHash | undefined {
    const value = this.#store.get(BEST_BLOCK_KEY);
    return value === undefined ? undefined : blockHashFromBytes(value);
  }

  storedHeadBlocks(): HeadBlocks | undefined {
    const value = this.#store.get(HEAD_BLOCKS_KEY);
    if (value === undefined) return undefined;
    if (value.length !== 2 * HASH_BYTES) throw damagedCoins();
    const [to, from] = [value.subarray(0, HASH_BYTES), value.subarray(HASH_BYTES)];
    return { to: blockHashFromBytes(to), from: blockHashFromBytes(from) };
  }

  /**
   * Writes everything dirty and names `bestBlock` as the block that the store's coins belong to, batch by batch; drops
   * what there is no room for. When it throws, nothing is lost: the next call begins again.
   */
  async flush(bestBlock: BlockHash): Promise<void> {
    const from = this.storedHeadBlocks()?.from ?? this.storedBestBlock() ?? bestBlock;
    const heads = concatBytes(idToBytes(bestBlock), idToBytes(from));
    let batch = new Batch([
      { kind: 'del', key: BEST_BLOCK_KEY },
      { kind: 'put', key: HEAD_BLOCKS_KEY, value: heads },
    ]);
    for (const table of [this.#young, this.#old]) {
      for (const address of table.addresses()) {
        if ((table.flags(address) & DIRTY) === 0) continue;
        batch.add(table, address);
        if (batch.bytes < this.#batchBytes) continue;
        // Without waiting for the disk: LevelDB's log keeps the order, and a crash leaves the first of the batches.
        await this.#store.write(batch.ops);
        batch = new Batch([]);
      }
    }
    batch.ops.push({ kind: 'put', key: BEST_BLOCK_KEY, value: idToBytes(bestBlock) });
    batch.ops.push({ kind: 'del', key: HEAD_BLOCKS_KEY });
    await this.#store.write(batch.ops, { sync: true });
    this.#afterFlush();
  }

  /** Everything is clean now. */
  #afterFlush(): void {
    const isOldDropped = this.isFull;
    this.#dirtyCount = 0;
    for (const table of isOldDropped ? [this.#young] : [this.#young, this.#old]) {
      table.removeSpent();
      for (const address of table.addresses()) table.markClean(address);
    }
    if (!isOldDropped) return;
    this.#old.clear();
    this.#swap();
  }

  /** Whether there is a record, loaded from the store if need be: `#key`, `#table` and `#address` are set then. */
  #locate(txid: Uint8Array, index: number): boolean {
    if (this.#isCached(txid, index)) return true;
    const stored = this.#store.get(encodeCoinKey({ txid, index }));
    if (stored === undefined) return false;
    this.#insert(stored, 0);
    return true;
  }

  /** Under `#key`, which has no record. */
  #insert(coin: Uint8Array, flags: number): void {
    if (this.#old.count === 0 && this.#young.bytes > this.#maxBytes / 2) this.#swap();
    this.#table = this.#young;
    this.#address = this.#young.insert(this.#key, coin, flags);
  }

  #swap(): void {
    [this.#young, this.#old] = [this.#old, this.#young];
  }

  /** Whether there is a record in memory: `#table` and `#address` are set then, `#key` always. */
  #isCached(txid: Uint8Array, index: number): boolean {
    this.#key.set(txid, index);
    this.#table = this.#young;
    this.#address = this.#young.find(this.#key);
    if (this.#address !== 0) return true;
    this.#table = this.#old;
    this.#address = this.#old.find(this.#key);
    return this.#address !== 0;
  }
}

class Batch {
  readonly ops: BatchOp[];
  bytes = 0;

  constructor(ops: BatchOp[]) {
    this.ops = ops;
  }

  add(table: CoinTable, address: number): void {
    const key = encodeCoinKey({ txid: table.txid(address), index: table.index(address) });
    const value = table.coin(address);
    this.ops.push(value.length === 0 ? { kind: 'del', key } : { kind: 'put', key, value });
    this.bytes += value.length + OP_BYTES;
  }
}

/** What the store gave back whole but is no coin was written by something else: nobody's block is to blame. */
export function decodeStored(value: Uint8Array): Coin {
  try {
    return decodeCoin(value);
  } catch (cause) {
    throw damagedCoins(cause);
  }
}

function damagedCoins(cause?: unknown): Error {
  return damaged('chainstate', 'the stored coins are damaged', cause);
}
