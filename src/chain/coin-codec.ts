/**
 * Keys and values of the UTXO set as Core's chainstate has them (txdb.cpp CoinEntry, coins.h Coin), without Core's
 * obfuscation. Key: `C`, txid, VARINT(index). Value: VARINT(height * 2 + coinbase), compressed output.
 */
import { DecodeError, Reader, Writer } from '#primitives';
import { assert } from '#util';
import { readCompressedOutput, readVarint, writeCompressedOutput, writeVarint } from './compressor.ts';
import type { Coin, OutPoint } from './port.ts';

/** Core's DB_COIN. All coins lie from this key to below the next byte. */
const COIN_PREFIX = 0x43;
const TXID_BYTES = 32;

/** One for all coins. */
const writer = new Writer(64);

/** The range of keys that holds every coin, in Core's order. */
export const COIN_KEYS = { gte: Uint8Array.of(COIN_PREFIX), lt: Uint8Array.of(COIN_PREFIX + 1) } as const;

export function encodeCoinKey(outpoint: OutPoint): Uint8Array {
  assert(outpoint.txid.length === TXID_BYTES, 'a txid has 32 bytes');
  if (outpoint.index < 0x80) {
    const key = new Uint8Array(TXID_BYTES + 2);
    key[0] = COIN_PREFIX;
    key.set(outpoint.txid, 1);
    key[TXID_BYTES + 1] = outpoint.index;
    return key;
  }
  const longer = new Writer(TXID_BYTES + 6).u8(COIN_PREFIX).bytes(outpoint.txid);
  writeVarint(longer, outpoint.index);
  return longer.finish();
}

/** The txid is a view of `key`. Throws DecodeError when it is no coin's key. */
export function decodeCoinKey(key: Uint8Array): OutPoint {
  const reader = new Reader(key);
  if (reader.u8() !== COIN_PREFIX) throw new DecodeError('not the key of a coin', 0);
  const txid = reader.take(TXID_BYTES);
  const index = readVarint(reader);
  reader.end();
  return { txid, index };
}

/** A fresh array. The coin's amount must be in the money range. */
export function encodeCoin(coin: Coin): Uint8Array {
  return encodeCoinView(coin).slice();
}

/** The same as a view, good until the next call: for what is copied or compared at once. */
export function encodeCoinView(coin: Coin): Uint8Array {
  writer.reset();
  writeVarint(writer, coinCode(coin));
  writeCompressedOutput(writer, coin.output);
  return writer.view();
}

/** The script may be a view of `value`. Throws DecodeError on anything but exactly one coin. */
export function decodeCoin(value: Uint8Array): Coin {
  const reader = new Reader(value);
  const code = readVarint(reader);
  const output = readCompressedOutput(reader);
  reader.end();
  return { output, height: Math.floor(code / 2), isCoinbase: code % 2 === 1 };
}

/** Height and coinbase flag in one number, below 2^32. */
export function coinCode(coin: Pick<Coin, 'height' | 'isCoinbase'>): number {
  return coin.height * 2 + (coin.isCoinbase ? 1 : 0);
}
