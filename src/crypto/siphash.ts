/** SipHash-2-4 in WebAssembly: a keyed hash whose results nobody without the key can choose. */

// @ts-expect-error The package carries no types; the constant below says what it is.
import untypedSiphash24 from 'siphash24';

/** The key has 16 bytes; the result, 8 bytes little endian, is written to `out`. Lengths are not checked. */
type Siphash24 = (input: Uint8Array, key: Uint8Array, out: Uint8Array, skipChecks: boolean) => Uint8Array;

const wasmSiphash24: Siphash24 = untypedSiphash24;

export function siphash24(input: Uint8Array, key: Uint8Array, out: Uint8Array): Uint8Array {
  return wasmSiphash24(input, key, out, true);
}
