/** Protocol buffers by hand, for messages that no library would write. */

/** A field of bytes or text, tag and length before it. */
export function field(number: number, bytes: Uint8Array | string): Buffer {
  return Buffer.concat([varint(BigInt(number * 8 + 2)), sized(typeof bytes === 'string' ? Buffer.from(bytes) : bytes)]);
}

/** A field of a whole number. */
export function numberField(number: number, value: bigint): Buffer {
  return Buffer.concat([varint(BigInt(number * 8)), varint(value)]);
}

/** The length, and the bytes. */
export function sized(bytes: Uint8Array): Buffer {
  return Buffer.concat([varint(BigInt(bytes.length)), bytes]);
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}
