/**
 * What a block spent, so that it can be taken back: Core's CBlockUndo (undo.h). One list a transaction, without the
 * coinbase; one coin an input, in the order of the inputs. Coins stay in their encoded form (coin-codec.ts): Core's
 * undo data differ from it by one byte, where old versions kept the transaction's version.
 */
import { Reader, Writer } from '#primitives';
import { concatBytes } from '#util';
import { readVarint, skipCompressedOutput } from './compressor.ts';

/** Encoded coins spent, by transaction (coinbase left out) and input. */
export type BlockUndo = readonly (readonly Uint8Array[])[];

/** The least bytes of a transaction's list (its count) and of a coin (code, amount, length of an empty script). */
const MIN_LIST_BYTES = 1;
const MIN_COIN_BYTES = 3;

/** A fresh array. */
export function encodeUndo(undo: BlockUndo): Uint8Array {
  const writer = new Writer(4096).compactSize(undo.length);
  for (const coins of undo) {
    writer.compactSize(coins.length);
    for (const coin of coins) {
      const codeBytes = varintLength(coin);
      writer.bytes(coin.subarray(0, codeBytes));
      if (hasHeight(coin)) writer.u8(0);
      writer.bytes(coin.subarray(codeBytes));
    }
  }
  return writer.finish();
}

/** Throws DecodeError; allocates no more than the bytes can hold. */
export function decodeUndo(bytes: Uint8Array): Uint8Array[][] {
  const reader = new Reader(bytes);
  const undo: Uint8Array[][] = [];
  for (let lists = reader.count(MIN_LIST_BYTES); lists > 0; lists--) {
    const coins: Uint8Array[] = [];
    for (let count = reader.count(MIN_COIN_BYTES); count > 0; count--) coins.push(readCoin(reader));
    undo.push(coins);
  }
  reader.end();
  return undo;
}

function readCoin(reader: Reader): Uint8Array {
  const codeAt = reader.offset;
  const code = readVarint(reader);
  const codeEnd = reader.offset;
  if (code > 1) readVarint(reader);
  const outputAt = reader.offset;
  skipCompressedOutput(reader);
  return concatBytes(reader.bytes.subarray(codeAt, codeEnd), reader.bytes.subarray(outputAt, reader.offset));
}

/** The code is height * 2 + coinbase: 0 or 1 for genesis' height alone. */
function hasHeight(coin: Uint8Array): boolean {
  const [first = 0] = coin;
  return first > 1;
}

/** Bytes of the VARINT at the start. */
function varintLength(bytes: Uint8Array): number {
  let length = 1;
  while ((bytes[length - 1] ?? 0) >= 0x80) length++;
  return length;
}
