/**
 * The figures of the UTXO set that Core's gettxoutsetinfo gives (kernel/coinstats.cpp), so that two nodes can be
 * compared: counts, amount, `hash_serialized_3` and `muhash`.
 */
import { createHash, type Hash } from 'node:crypto';
import { MuHash3072, sha256 } from '#crypto';
import { compactSizeLength, Writer, writeTxOutput } from '#primitives';
import { equalBytes, toReversedHex } from '#util';
import { coinCode } from './coin-codec.ts';
import type { Coin, OutPoint, UtxoHashKind, UtxoStats, UtxoStatsOptions } from './port.ts';

export type UtxoFigures = Omit<UtxoStats, 'height' | 'bestBlock'>;

const BOTH: readonly UtxoHashKind[] = ['hash_serialized_3', 'muhash'];

/** Bytes collected before they go to OpenSSL: a call for each coin would cost more than its hashing. */
const CHUNK_BYTES = 64 * 1024;
/** Outpoint, code and amount. */
const FIXED_BYTES = 36 + 4 + 8;

/**
 * Walks coins in the order of their database keys. Throws the signal's reason when aborted.
 * 15 to 25 us a coin, nearly all of it MuHash.
 */
export async function computeUtxoFigures(
  coins: AsyncIterable<readonly [OutPoint, Coin]>,
  { hashes = BOTH, signal }: UtxoStatsOptions = {},
): Promise<UtxoFigures> {
  const totals = new Totals(hashes);
  let group: (readonly [OutPoint, Coin])[] = [];
  for await (const entry of coins) {
    signal?.throwIfAborted();
    const [first] = group;
    if (first !== undefined && !equalBytes(first[0].txid, entry[0].txid)) {
      totals.addTransaction(group);
      group = [];
    }
    group.push(entry);
  }
  if (group.length > 0) totals.addTransaction(group);
  return totals.finish();
}

/** Core's TxOutSer: what both hashes take of a coin. A fresh array. */
export function serializeUtxo(outpoint: OutPoint, coin: Coin): Uint8Array {
  const scriptLength = coin.output.scriptPubKey.length;
  const writer = new Writer(FIXED_BYTES + compactSizeLength(scriptLength) + scriptLength);
  writer.bytes(outpoint.txid).u32(outpoint.index).u32(coinCode(coin));
  writeTxOutput(writer, coin.output);
  return writer.finish();
}

/** Core's GetBogoSize: txid, index, height and coinbase, amount, length, script. */
export function bogoSize(scriptPubKey: Uint8Array): number {
  return 32 + 4 + 4 + 8 + 2 + scriptPubKey.length;
}

class Totals {
  #txouts = 0;
  #transactions = 0;
  #totalAmount = 0n;
  #bogoSize = 0;
  readonly #serialized: ChunkedHash | undefined;
  readonly #muhash: MuHash3072 | undefined;

  constructor(hashes: readonly UtxoHashKind[]) {
    this.#serialized = hashes.includes('hash_serialized_3') ? new ChunkedHash() : undefined;
    this.#muhash = hashes.includes('muhash') ? new MuHash3072() : undefined;
  }

  /**
   * All coins of one transaction. Core collects them in a map by index first: the order of the keys is another
   * one from index 16,512 on, where VARINTs have three bytes.
   */
  addTransaction(coins: (readonly [OutPoint, Coin])[]): void {
    coins.sort(([a], [b]) => a.index - b.index);
    for (const [outpoint, coin] of coins) this.#addCoin(outpoint, coin);
    this.#transactions += 1;
  }

  finish(): UtxoFigures {
    return {
      txouts: this.#txouts,
      transactions: this.#transactions,
      totalAmount: this.#totalAmount,
      bogoSize: this.#bogoSize,
      hashSerialized3: this.#serialized === undefined ? '' : toReversedHex(sha256(this.#serialized.digest())),
      muhash: this.#muhash === undefined ? '' : toReversedHex(this.#muhash.digest()),
    };
  }

  #addCoin(outpoint: OutPoint, coin: Coin): void {
    if (this.#serialized !== undefined || this.#muhash !== undefined) {
      const bytes = serializeUtxo(outpoint, coin);
      this.#serialized?.update(bytes);
      this.#muhash?.insert(bytes);
    }
    this.#txouts += 1;
    this.#totalAmount += coin.output.value;
    this.#bogoSize += bogoSize(coin.output.scriptPubKey);
  }
}

class ChunkedHash {
  readonly #hash: Hash = createHash('sha256');
  readonly #chunk = new Uint8Array(CHUNK_BYTES);
  #used = 0;

  update(bytes: Uint8Array): void {
    if (this.#used + bytes.length > CHUNK_BYTES) this.#flush();
    if (bytes.length > CHUNK_BYTES) {
      this.#hash.update(bytes);
      return;
    }
    this.#chunk.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  digest(): Uint8Array {
    this.#flush();
    return this.#hash.digest();
  }

  #flush(): void {
    this.#hash.update(this.#chunk.subarray(0, this.#used));
    this.#used = 0;
  }
}
