/**
 * Reads mempool.dat, of this program or of Bitcoin Core (versions 1 and 2), record by record through a window of a few
 * megabytes. Nothing is allocated from a number that the file names.
 */
import { DecodeError, Reader, type Sats, Transaction, type Txid, txidFromBytes } from '#primitives';
import { concatBytes, NodeError } from '#util';
import { OBFUSCATION_KEY_BYTES, obfuscate } from './obfuscate.ts';
import { MEMPOOL_DUMP_VERSION, MEMPOOL_DUMP_VERSION_NO_XOR_KEY } from './write-file.ts';

/** Where the file comes from. */
export type FileSource = {
  /** What messages call it. */
  readonly name: string;
  readonly size: number;
  /** A fresh array of the bytes from `offset`: `length` of them, fewer at the end. */
  readonly read: (offset: number, length: number) => Promise<Uint8Array>;
};

/** In the order of the file. Transactions are views of the window: keep none without a copy. */
export type MempoolRecord =
  /** `time`: Unix seconds. */
  | { readonly kind: 'tx'; readonly tx: Transaction; readonly time: bigint; readonly feeDelta: Sats }
  | { readonly kind: 'fee-delta'; readonly txid: Txid; readonly feeDelta: Sats }
  | { readonly kind: 'unbroadcast'; readonly txid: Txid };

/** No record is larger: a transaction fits a block. */
const MAX_RECORD_BYTES = 4_100_000;
const READ_BYTES = 1 << 20;
const MIN_TX_BYTES = 60;
/** Version, length of the key, key. */
const HEADER_BYTES = 8 + 1 + OBFUSCATION_KEY_BYTES;

/** Throws NodeError `CORRUPT_DATA` where the file is damaged; what came before holds. */
export async function* readMempoolFile(source: FileSource): AsyncGenerator<MempoolRecord> {
  const window = await Window.open(source);
  const txCount = await window.next((reader) => {
    const count = reader.u64();
    if (count * BigInt(MIN_TX_BYTES) > BigInt(source.size))
      throw new DecodeError(`${count} transactions cannot fit`, 0);
    return Number(count);
  });
  for (let at = 0; at < txCount; at++) {
    yield await window.next((reader) => {
      return { kind: 'tx', tx: Transaction.read(reader), time: reader.i64(), feeDelta: reader.i64() };
    });
  }
  const deltaCount = await window.next((reader) => reader.compactSize());
  for (let at = 0; at < deltaCount; at++) {
    yield await window.next((reader) => {
      return { kind: 'fee-delta', txid: txidFromBytes(reader.take(32)), feeDelta: reader.i64() };
    });
  }
  const unbroadcastCount = await window.next((reader) => reader.compactSize());
  for (let at = 0; at < unbroadcastCount; at++) {
    yield await window.next((reader) => ({ kind: 'unbroadcast', txid: txidFromBytes(reader.take(32)) }));
  }
}

/** The part of the file that is in memory, without its obfuscation. */
class Window {
  readonly #source: FileSource;
  readonly #key: Uint8Array;
  #reader = new Reader(new Uint8Array(0));
  /** Where the window begins and ends in the file. */
  #start: number;
  #end: number;

  private constructor(source: FileSource, key: Uint8Array, start: number) {
    this.#source = source;
    this.#key = key;
    this.#start = start;
    this.#end = start;
  }

  static async open(source: FileSource): Promise<Window> {
    const reader = new Reader(await source.read(0, HEADER_BYTES));
    const key = decodeAt(source, 0, () => readKey(reader));
    return new Window(source, key, reader.offset);
  }

  /** Decodes one record, and moves on behind it. */
  async next<T>(decode: (reader: Reader) => T): Promise<T> {
    while (this.#reader.remaining < MAX_RECORD_BYTES && this.#end < this.#source.size) await this.#fill();
    return decodeAt(this.#source, this.#start, () => decode(this.#reader));
  }

  async #fill(): Promise<void> {
    const more = await this.#source.read(this.#end, READ_BYTES);
    if (more.length === 0) throw damaged(this.#source, `it ends at byte ${this.#end}`);
    obfuscate(more, this.#end, this.#key);
    const { bytes, offset } = this.#reader;
    this.#reader = new Reader(concatBytes(bytes.subarray(offset), more));
    this.#start += offset;
    this.#end += more.length;
  }
}

function readKey(reader: Reader): Uint8Array {
  const version = reader.u64();
  if (version === MEMPOOL_DUMP_VERSION_NO_XOR_KEY) return new Uint8Array(0);
  if (version !== MEMPOOL_DUMP_VERSION) throw new DecodeError(`unknown version ${version}`, 0);
  const key = reader.varBytes();
  if (key.length !== OBFUSCATION_KEY_BYTES) throw new DecodeError(`a key of ${key.length} bytes`, 8);
  return key.slice();
}

/** `start`: where the reader's bytes stand in the file. */
function decodeAt<T>(source: FileSource, start: number, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw damaged(source, start === 0 ? error.message : `${error.message} behind byte ${start}`, error);
  }
}

function damaged({ name }: FileSource, what: string, cause?: unknown): NodeError {
  return new NodeError('CORRUPT_DATA', `${name} is damaged: ${what}; what comes after is lost`, { cause });
}
