/**
 * What a block spent, so that it can be taken back: Core's CBlockUndo (undo.h). One list a transaction, without the
 * coinbase; one coin an input, in the order of the inputs.
 */
import { Reader, Writer } from '#primitives';
import { coinCode } from './coin-codec.ts';
import { readCompressedOutput, readVarint, writeCompressedOutput, writeVarint } from './compressor.ts';
import type { Coin } from './port.ts';

/** Coins spent, by transaction (coinbase left out) and input. */
export type BlockUndo = readonly (readonly Coin[])[];

/** The least bytes of a transaction's list (its count) and of a coin (code, amount, length of an empty script). */
const MIN_LIST_BYTES = 1;
const MIN_COIN_BYTES = 3;

/** A fresh array. */
export function encodeUndo(undo: BlockUndo): Uint8Array {
  const writer = new Writer(4096).compactSize(undo.length);
  for (const coins of undo) {
    writer.compactSize(coins.length);
    for (const coin of coins) {
      writeVarint(writer, coinCode(coin));
      // Where old versions of Core kept the transaction's version.
      if (coin.height > 0) writer.u8(0);
      writeCompressedOutput(writer, coin.output);
    }
  }
  return writer.finish();
}

/** Scripts may be views of `bytes`. Throws DecodeError; allocates no more than the bytes can hold. */
export function decodeUndo(bytes: Uint8Array): Coin[][] {
  const reader = new Reader(bytes);
  const undo: Coin[][] = [];
  for (let lists = reader.count(MIN_LIST_BYTES); lists > 0; lists--) {
    const coins: Coin[] = [];
    for (let count = reader.count(MIN_COIN_BYTES); count > 0; count--) coins.push(readCoin(reader));
    undo.push(coins);
  }
  reader.end();
  return undo;
}

function readCoin(reader: Reader): Coin {
  const code = readVarint(reader);
  const height = Math.floor(code / 2);
  if (height > 0) readVarint(reader);
  return { output: readCompressedOutput(reader), height, isCoinbase: code % 2 === 1 };
}
