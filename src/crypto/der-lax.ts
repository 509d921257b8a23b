/**
 * The signature parser of Bitcoin consensus: far laxer than DER, because early blocks hold whatever OpenSSL took.
 * Accepts exactly what Core's ecdsa_signature_parse_der_lax (pubkey.cpp) accepts. Pure; never throws.
 */

/** Order of the secp256k1 group. */
export const SECP256K1_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const ORDER_BYTES = Uint8Array.from(Buffer.from(SECP256K1_ORDER.toString(16), 'hex'));
const HALF_ORDER_BYTES = Uint8Array.from(Buffer.from((SECP256K1_ORDER >> 1n).toString(16).padStart(64, '0'), 'hex'));

/**
 * The 64 bytes r, s (big endian, 32 each) of a signature, or undefined when it has no such shape.
 * As in Core, an r or s of the group order or more gives 64 zero bytes: a shape, but no valid signature.
 */
export function parseDerLax(signature: Uint8Array): Uint8Array | undefined {
  let at = 0;
  if (signature[at++] !== 0x30) return undefined;
  const sequenceLength = signature[at++];
  if (sequenceLength === undefined) return undefined;
  // The sequence's length is skipped, not believed.
  if ((sequenceLength & 0x80) !== 0) {
    const lengthBytes = sequenceLength - 0x80;
    if (lengthBytes > signature.length - at) return undefined;
    at += lengthBytes;
  }
  const r = readInteger(signature, at);
  if (r === undefined) return undefined;
  const s = readInteger(signature, r.end);
  if (s === undefined) return undefined;
  const compact = new Uint8Array(64);
  return place(compact, 0, signature, r) && place(compact, 32, signature, s) ? compact : new Uint8Array(64);
}

/** Whether s (the second half of `compact`) is above half the group order: Core's CPubKey::CheckLowS, reversed. */
export function hasHighS(compact: Uint8Array): boolean {
  return Buffer.compare(compact.subarray(32, 64), HALF_ORDER_BYTES) > 0;
}

/** Whether 32 big-endian bytes are a valid secret key: 1 .. order-1. */
export function isSecretKey(bytes: Uint8Array): boolean {
  return bytes.length === 32 && bytes.some((byte) => byte !== 0) && Buffer.compare(bytes, ORDER_BYTES) < 0;
}

type Range = { readonly start: number; readonly end: number };

/** An integer element at `at`: tag 2, a length that may be padded with zero bytes, the bytes. */
function readInteger(bytes: Uint8Array, at: number): Range | undefined {
  if (bytes[at++] !== 0x02) return undefined;
  const first = bytes[at++];
  if (first === undefined) return undefined;
  let length = first;
  if ((first & 0x80) !== 0) {
    let lengthBytes = first - 0x80;
    if (lengthBytes > bytes.length - at) return undefined;
    while (lengthBytes > 0 && bytes[at] === 0) {
      at++;
      lengthBytes--;
    }
    if (lengthBytes >= 4) return undefined;
    length = 0;
    for (; lengthBytes > 0; lengthBytes--) length = length * 256 + (bytes[at++] ?? 0);
  }
  return length > bytes.length - at ? undefined : { start: at, end: at + length };
}

/** Copies the number, read as unsigned, to 32 bytes at `offset`; false when it reaches the group order. */
function place(compact: Uint8Array, offset: number, bytes: Uint8Array, range: Range): boolean {
  let start = range.start;
  while (start < range.end && bytes[start] === 0) start++;
  const length = range.end - start;
  if (length > 32) return false;
  compact.set(bytes.subarray(start, range.end), offset + 32 - length);
  return Buffer.compare(compact.subarray(offset, offset + 32), ORDER_BYTES) < 0;
}
