/**
 * mempool.dat as Bitcoin Core 27 writes it (kernel/mempool_persist.cpp, DumpMempool): version, key, then XORed with it
 * the transactions with time and fee delta, the deltas of other transactions, the unbroadcast ones.
 */
import { idToBytes, type Sats, type Transaction, type Txid, Writer } from '#primitives';
import { assert, compareBytes } from '#util';
import { OBFUSCATION_KEY_BYTES, obfuscate } from './obfuscate.ts';

export const MEMPOOL_DUMP_VERSION = 2n;
/** What came before: without key and XOR. */
export const MEMPOOL_DUMP_VERSION_NO_XOR_KEY = 1n;

export type SavedTx = {
  /** Its bytes are asked for when they are written. */
  readonly tx: Pick<Transaction, 'raw'>;
  /** When it entered, Unix seconds. */
  readonly time: number;
  /** What it counts for beyond its fee (prioritisetransaction). */
  readonly feeDelta: Sats;
};

export type MempoolFile = {
  /** Parents before children. */
  readonly txs: readonly SavedTx[];
  /** Of transactions that are not among them. */
  readonly feeDeltas: ReadonlyMap<Txid, Sats>;
  readonly unbroadcast: readonly Txid[];
};

const PART_BYTES = 1 << 20;

/** The file in parts of about 1 MiB, each the caller's own. `key`: 8 random bytes. */
export function* encodeMempoolFile(file: MempoolFile, key: Uint8Array): Generator<Uint8Array> {
  assert(key.length === OBFUSCATION_KEY_BYTES, 'the key has 8 bytes');
  const header = new Writer(32).u64(MEMPOOL_DUMP_VERSION).varBytes(key).finish();
  yield header;
  let offset = header.length;
  for (const part of encodeContent(file)) {
    obfuscate(part, offset, key);
    offset += part.length;
    yield part;
  }
}

function* encodeContent({ txs, feeDeltas, unbroadcast }: MempoolFile): Generator<Uint8Array> {
  const writer = new Writer(PART_BYTES);
  writer.u64(BigInt(txs.length));
  for (const { tx, time, feeDelta } of txs) {
    writer.bytes(tx.raw).i64(BigInt(time)).i64(feeDelta);
    if (writer.length >= PART_BYTES) yield writer.finish();
  }
  writer.compactSize(feeDeltas.size);
  for (const txid of inMapOrder(feeDeltas.keys())) writer.bytes(txid.bytes).i64(feeDeltas.get(txid.id) ?? 0n);
  writer.compactSize(unbroadcast.length);
  for (const txid of inMapOrder(unbroadcast)) writer.bytes(txid.bytes);
  yield writer.finish();
}

/** As Core's ordered maps and sets give them. */
function inMapOrder(ids: Iterable<Txid>): { readonly id: Txid; readonly bytes: Uint8Array }[] {
  return Array.from(ids, (id) => ({ id, bytes: idToBytes(id) })).sort((a, b) => compareBytes(a.bytes, b.bytes));
}
