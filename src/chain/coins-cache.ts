/**
 * The write-back cache of unspent outputs over `chainstate`. A coin is one string: its fields packed as one
 * character a byte, behind a character of flags. Strings cost V8 about a third of the objects they stand for, and
 * keep no block's buffer alive (a million P2PKH coins: 142 bytes each, key included, against 455 as objects).
 *
 * Invariants: an entry is dirty if the store differs from it; fresh if the store does not have the coin at all, so
 * that spending it before it was written costs no write (Core's CCoinsCacheEntry flags). What is dirty leaves
 * memory only through `flush`, in one atomic batch together with the name of the block it belongs to.
 */
import type { BlockHash, TxOutput } from '#primitives';
import { blockHashFromBytes, idToBytes } from '#primitives';
import type { BatchOp, KeyValueStore } from '#store';
import { asBuffer, assert, NodeError } from '#util';
import { decodeCoin, encodeCoin, encodeCoinKey } from './coin-codec.ts';
import type { Coin, OutPoint } from './port.ts';

/** Key of the record that names the block whose UTXO set the store holds (Core's DB_BEST_BLOCK). */
const BEST_BLOCK_KEY = Uint8Array.of(0x42);

const DIRTY = 1;
const FRESH = 2;
const SPENT = 4;

/** Characters in front of the script: flags, height * 2 + coinbase (4), value (8). */
const SCRIPT_AT = 13;
/** What V8 adds to the characters of key and value: string headers and the map's slot. */
const ENTRY_OVERHEAD_BYTES = 96;

/** 36 characters: txid and index, one a byte. */
export type CoinKey = string;

const scratch = Buffer.alloc(36);

export function coinKey(outpoint: OutPoint): CoinKey {
  scratch.set(outpoint.txid, 0);
  scratch.writeUInt32LE(outpoint.index, 32);
  return scratch.toString('latin1', 0, 36);
}

function outpointOf(key: CoinKey): OutPoint {
  const bytes = Buffer.from(key, 'latin1');
  return { txid: bytes.subarray(0, 32), index: bytes.readUInt32LE(32) };
}

export class CoinsCache {
  readonly #store: KeyValueStore;
  readonly #entries = new Map<CoinKey, string>();
  #bytes = 0;
  #dirtyBytes = 0;

  constructor(store: KeyValueStore) {
    this.#store = store;
  }

  /** Estimated memory of all entries. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Estimated memory of the entries that a flush would write. */
  get dirtyBytes(): number {
    return this.#dirtyBytes;
  }

  get(key: CoinKey): Coin | undefined {
    const cached = this.#entries.get(key);
    if (cached !== undefined) return isSpent(cached) ? undefined : unpack(cached);
    const stored = this.#store.get(encodeCoinKey(outpointOf(key)));
    if (stored === undefined) return undefined;
    const coin = decodeStored(stored);
    this.#set(key, undefined, pack(coin, 0));
    return coin;
  }

  /** Loads the coins that are not in memory yet, all at once. */
  async prefetch(keys: Iterable<CoinKey>): Promise<void> {
    const missing = [...keys].filter((key) => !this.#entries.has(key));
    const values = await this.#store.getMany(missing.map((key) => encodeCoinKey(outpointOf(key))));
    values.forEach((value, index) => {
      const key = missing[index];
      if (value === undefined || key === undefined || this.#entries.has(key)) return;
      this.#set(key, undefined, pack(decodeStored(value), 0));
    });
  }

  /** Adds a coin. `mayExist`: the store may hold an unspent coin under the same key (BIP30's duplicates). */
  add(key: CoinKey, coin: Coin, mayExist: boolean): void {
    const old = this.#entries.get(key);
    // Fresh only if the store surely lacks it: never when an unwritten spend of an older coin is pending.
    const fresh = old === undefined ? !mayExist : (flagsOf(old) & FRESH) !== 0;
    this.#set(key, old, pack(coin, DIRTY | (fresh ? FRESH : 0)));
  }

  /** Removes a coin that `get` has shown to exist. */
  spend(key: CoinKey): void {
    const old = this.#entries.get(key);
    if (old !== undefined && (flagsOf(old) & FRESH) !== 0) {
      this.#account(key, old, -1);
      this.#entries.delete(key);
      return;
    }
    this.#set(key, old, String.fromCharCode(DIRTY | SPENT));
  }

  /** The block whose UTXO set the store holds; undefined in a new store. */
  storedBestBlock(): BlockHash | undefined {
    const value = this.#store.get(BEST_BLOCK_KEY);
    return value === undefined ? undefined : blockHashFromBytes(value);
  }

  /** Writes everything dirty and the name of the block in one atomic batch, then drops the oldest entries above `keepBytes`. */
  async flush(bestBlock: BlockHash, keepBytes: number): Promise<void> {
    const ops: BatchOp[] = [{ kind: 'put', key: BEST_BLOCK_KEY, value: idToBytes(bestBlock) }];
    for (const [key, entry] of this.#entries) {
      if ((flagsOf(entry) & DIRTY) !== 0) ops.push(writeOp(key, entry));
    }
    await this.#store.write(ops, { sync: true });
    this.#afterFlush(keepBytes);
  }

  #afterFlush(keepBytes: number): void {
    for (const [key, entry] of this.#entries) {
      if (isSpent(entry) || this.#bytes > keepBytes) {
        this.#account(key, entry, -1);
        this.#entries.delete(key);
      } else if ((flagsOf(entry) & DIRTY) !== 0) {
        this.#set(key, entry, pack(unpack(entry), 0));
      }
    }
    assert(this.#dirtyBytes === 0, 'a flush leaves nothing dirty');
  }

  #set(key: CoinKey, old: string | undefined, entry: string): void {
    if (old !== undefined) this.#account(key, old, -1);
    this.#account(key, entry, 1);
    this.#entries.set(key, entry);
  }

  #account(key: CoinKey, entry: string, sign: 1 | -1): void {
    const bytes = sign * (key.length + entry.length + ENTRY_OVERHEAD_BYTES);
    this.#bytes += bytes;
    if ((flagsOf(entry) & DIRTY) !== 0) this.#dirtyBytes += bytes;
  }
}

/** What the store gave back whole but is no coin was written by something else: nobody's block is to blame. */
function decodeStored(value: Uint8Array): Coin {
  try {
    return decodeCoin(value);
  } catch (cause) {
    throw new NodeError(
      'CORRUPT_DATA',
      'a stored coin is damaged; rebuild the data directory by importing its block files',
      {
        cause,
      },
    );
  }
}

function flagsOf(entry: string): number {
  return entry.charCodeAt(0);
}

function isSpent(entry: string): boolean {
  return (flagsOf(entry) & SPENT) !== 0;
}

function writeOp(key: CoinKey, entry: string): BatchOp {
  const storeKey = encodeCoinKey(outpointOf(key));
  return isSpent(entry)
    ? { kind: 'del', key: storeKey }
    : { kind: 'put', key: storeKey, value: encodeCoin(unpack(entry)) };
}

function pack(coin: Coin, flags: number): string {
  const { value, scriptPubKey } = coin.output;
  const bytes = Buffer.allocUnsafe(SCRIPT_AT + scriptPubKey.length);
  bytes[0] = flags;
  bytes.writeUInt32LE(coin.height * 2 + (coin.isCoinbase ? 1 : 0), 1);
  bytes.writeBigInt64LE(value, 5);
  bytes.set(scriptPubKey, SCRIPT_AT);
  return bytes.toString('latin1');
}

function unpack(entry: string): Coin {
  const bytes = asBuffer(Buffer.from(entry, 'latin1'));
  const code = bytes.readUInt32LE(1);
  const output: TxOutput = { value: bytes.readBigInt64LE(5), scriptPubKey: bytes.subarray(SCRIPT_AT) };
  return { output, height: code >>> 1, isCoinbase: (code & 1) === 1 };
}
