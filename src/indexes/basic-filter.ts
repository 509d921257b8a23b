/** BIP158's basic block filter, and BIP157's filter headers. */
import { hash256, siphash24 } from '#crypto';
import { type Block, Reader, type TxOutput, Writer } from '#primitives';
import { Op } from '#script';
import { asBuffer, concatBytes } from '#util';
import { BitReader } from './bit-reader.ts';
import { BitWriter } from './bit-writer.ts';

/** BIP158: bits of a remainder, and the inverse of the rate of false matches. */
const P = 19;
const M = 784_931n;
const KEY_BYTES = 16;

/** Scripts that the block pays to or spends: each once, without empty ones, OP_RETURN outputs left out. */
export type FilterElements = ReadonlyMap<string, Uint8Array>;

export function filterElements(
  block: Block,
  spent: readonly (readonly { readonly output: TxOutput }[])[],
): FilterElements {
  const elements = new Map<string, Uint8Array>();
  const add = (script: Uint8Array): void => {
    if (script.length > 0) elements.set(asBuffer(script).toString('latin1'), script);
  };
  for (const { outputs } of block.transactions) {
    for (const { scriptPubKey } of outputs) if (scriptPubKey[0] !== Op.OP_RETURN) add(scriptPubKey);
  }
  for (const coins of spent) for (const { output } of coins) add(output.scriptPubKey);
  return elements;
}

/** The serialised filter (Core's GCSFilter): the number of elements, then the Golomb-Rice coded set. */
export function encodeFilter(elements: FilterElements, blockHash: Uint8Array): Uint8Array {
  const writer = new Writer(9).compactSize(elements.size);
  const bits = new BitWriter();
  let last = 0;
  for (const value of hashedElements([...elements.values()], elements.size, blockHash)) {
    const delta = value - last;
    last = value;
    bits.unary(Math.floor(delta / 2 ** P));
    bits.write(delta % 2 ** P, P);
  }
  return writer.bytes(bits.finish()).finish();
}

/** BIP157: of the filter, and the header of the block before (32 zeros for genesis). Internal order. */
export function filterHeader(filter: Uint8Array, previous: Uint8Array): Uint8Array {
  return hash256(concatBytes(hash256(filter), previous));
}

/**
 * Whether the filter holds one of the scripts (Core's MatchAny): true of one script that the block does not have once in
 * 784,931 times. `blockHash` in internal order. Throws DecodeError.
 */
export function matchesFilter(filter: Uint8Array, blockHash: Uint8Array, scripts: readonly Uint8Array[]): boolean {
  const reader = new Reader(filter);
  const size = reader.compactSize();
  const wanted = hashedElements(scripts, size, blockHash);
  const bits = new BitReader(reader.take(reader.remaining));
  let at = 0;
  for (let [value, left] = [0, size]; left > 0; left -= 1) {
    value += bits.unary() * 2 ** P;
    value += bits.read(P);
    while ((wanted[at] ?? Number.POSITIVE_INFINITY) < value) at += 1;
    if (at === wanted.length) return false;
    if (wanted[at] === value) return true;
  }
  return false;
}

/** Spread evenly over `size` * M, ascending: below 2^53 for whatever fits a block. */
function hashedElements(scripts: readonly Uint8Array[], size: number, blockHash: Uint8Array): Float64Array {
  const key = blockHash.subarray(0, KEY_BYTES);
  const range = BigInt(size) * M;
  const hash = new Uint8Array(8);
  const number = new DataView(hash.buffer);
  const values = new Float64Array(scripts.length);
  for (const [at, script] of scripts.entries()) {
    siphash24(script, key, hash);
    values[at] = Number((number.getBigUint64(0, true) * range) >> 64n);
  }
  return values.sort();
}
