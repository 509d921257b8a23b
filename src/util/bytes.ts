/** Byte-array helpers. None keeps a reference to what it is given unless it says "view". */

export function toHex(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('hex');
}

/** Parses an even-length hex string; throws a RangeError on anything else. */
export function fromHex(hex: string): Uint8Array {
  if (hex.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(hex)) {
    throw new RangeError(`not a hex string: ${JSON.stringify(hex.slice(0, 80))}`);
  }
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

/** Hex of the bytes in reverse order: how Bitcoin shows hashes. */
export function toReversedHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).reverse().toString('hex');
}

/** The bytes of a hex string, last first. Throws as `fromHex` does. */
export function fromReversedHex(hex: string): Uint8Array {
  return fromHex(hex).reverse();
}

/** A Buffer view of the same memory, without a copy. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

/** Lexicographic order, as memcmp: negative, zero or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}

/** A fresh array holding the parts one after another. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}

/** Four bytes from `offset` on, little endian. For single numbers: a DataView costs several times the read. */
export function u32At(bytes: Uint8Array, offset: number): number {
  const low = byteAt(bytes, offset) | (byteAt(bytes, offset + 1) << 8) | (byteAt(bytes, offset + 2) << 16);
  return (low | (byteAt(bytes, offset + 3) << 24)) >>> 0;
}

/** The byte at `index`; throws a RangeError outside the array (indexing would give undefined). */
export function byteAt(bytes: Uint8Array, index: number): number {
  const value = bytes[index];
  if (value === undefined) throw new RangeError(`byte ${index} of ${bytes.length}`);
  return value;
}
