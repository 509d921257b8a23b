/** Numbers on the script stack: little endian, sign in the top bit (Core's CScriptNum). */

const EMPTY = new Uint8Array(0);

/**
 * The number, or undefined when it has more than `maxBytes` (4, or 5 for lock times) or, if `requireMinimal`,
 * is longer than needed. Five bytes stay below 2^39, exact in a double.
 */
export function decodeScriptNum(bytes: Uint8Array, requireMinimal: boolean, maxBytes = 4): number | undefined {
  const { length } = bytes;
  if (length > maxBytes) return undefined;
  const last = bytes[length - 1];
  if (last === undefined) return 0;
  // The top byte may be without value bits only to carry the sign of a number whose next byte has its top bit set.
  if (requireMinimal && (last & 0x7f) === 0 && (length === 1 || ((bytes[length - 2] ?? 0) & 0x80) === 0)) {
    return undefined;
  }
  let magnitude = last & 0x7f;
  for (let i = length - 2; i >= 0; i--) magnitude = magnitude * 256 + (bytes[i] ?? 0);
  return (last & 0x80) !== 0 && magnitude !== 0 ? -magnitude : magnitude;
}

/** The shortest form of an integer below 2^53 in size; zero is empty. The result may be shared: do not change it. */
export function encodeScriptNum(value: number): Uint8Array {
  if (value === 0) return EMPTY;
  const bytes: number[] = [];
  for (let rest = Math.abs(value); rest > 0; rest = Math.floor(rest / 256)) bytes.push(rest % 256);
  const last = bytes.length - 1;
  const top = bytes[last] ?? 0;
  if ((top & 0x80) !== 0) bytes.push(value < 0 ? 0x80 : 0);
  else if (value < 0) bytes[last] = top | 0x80;
  return Uint8Array.from(bytes);
}

/** Core's CastToBool: false for every form of zero, negative zero included. */
export function castToBool(bytes: Uint8Array): boolean {
  const last = bytes.length - 1;
  for (let i = 0; i <= last; i++) {
    const byte = bytes[i];
    if (byte !== 0) return !(i === last && byte === 0x80);
  }
  return false;
}
