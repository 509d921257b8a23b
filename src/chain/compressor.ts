/**
 * Core's compact encodings of what coins are made of: VARINT (serialize.h), amounts and scripts (compressor.cpp).
 * Used by the coin and the undo formats; bit for bit Core's, so that the figures can be compared.
 */
import { decompressPublicKey, isValidUncompressedKey } from '#crypto';
import { DecodeError, MAX_MONEY, type Reader, type Sats, type TxOutput, type Writer } from '#primitives';
import { assert, byteAt } from '#util';

/** Kinds 0 to 5 are the special scripts; a plain script's length is written with 6 added. */
const SPECIAL_SCRIPTS = 6;
/** Core's MAX_SCRIPT_SIZE: longer ones cannot be spent, so they are never coins. */
const MAX_SCRIPT_BYTES = 10_000;
const OP_RETURN = 0x6a;

/** Up to here ten times the value stays exact in a double, and with it the compressed amount. */
const MAX_EXACT_AMOUNT = 900_000_000_000_000n;
/** Seven more bits behind a prefix below this stay exact in a double. */
const MAX_EXACT_PREFIX = 2 ** 46;

/** Writes an integer of 0 .. 2^53-1: base 128, highest digit first, each but the last less one. */
export function writeVarint(writer: Writer, value: number): void {
  if (value >= 0x80) writeVarintHead(writer, Math.floor(value / 0x80) - 1);
  writer.u8(value % 0x80);
}

function writeVarintHead(writer: Writer, value: number): void {
  if (value >= 0x80) writeVarintHead(writer, Math.floor(value / 0x80) - 1);
  writer.u8((value % 0x80) | 0x80);
}

/** Reads an integer of at most `max` (below 2^53); throws DecodeError above. */
export function readVarint(reader: Reader, max = 0xffffffff): number {
  const start = reader.offset;
  let value = 0;
  for (;;) {
    const digit = reader.u8();
    value = value * 0x80 + (digit & 0x7f);
    if (value > max) throw new DecodeError('VARINT too large', start);
    if (digit < 0x80) return value;
    value += 1;
  }
}

/** Core's CompressAmount: trailing decimal zeros become an exponent. */
export function compressAmount(amount: bigint): bigint {
  if (amount === 0n) return 0n;
  let rest = amount;
  let exponent = 0n;
  while (rest % 10n === 0n && exponent < 9n) {
    rest /= 10n;
    exponent += 1n;
  }
  if (exponent === 9n) return 1n + (rest - 1n) * 10n + 9n;
  return 1n + ((rest / 10n) * 9n + (rest % 10n) - 1n) * 10n + exponent;
}

/** Core's DecompressAmount. */
export function decompressAmount(code: bigint): bigint {
  if (code === 0n) return 0n;
  const exponent = (code - 1n) % 10n;
  const rest = (code - 1n) / 10n;
  const mantissa = exponent < 9n ? (rest / 9n) * 10n + (rest % 9n) + 1n : rest + 1n;
  return mantissa * 10n ** exponent;
}

/** Amount and script of an output, as Core's TxOutCompression writes them. */
export function writeCompressedOutput(writer: Writer, output: TxOutput): void {
  assert(output.value >= 0n && output.value <= MAX_MONEY, 'a coin has an amount in the money range');
  if (output.value <= MAX_EXACT_AMOUNT) writeVarint(writer, compressSmallAmount(Number(output.value)));
  else writeBigVarint(writer, compressAmount(output.value));
  writeCompressedScript(writer, output.scriptPubKey);
}

/** Throws DecodeError on what Core would not have written. The script may be a view of the reader's bytes. */
export function readCompressedOutput(reader: Reader): TxOutput {
  const value = readAmount(reader);
  return { value, scriptPubKey: readCompressedScript(reader) };
}

/** Moves the reader behind an output, whose amount is checked and whose script is not. Throws DecodeError. */
export function skipCompressedOutput(reader: Reader): void {
  readAmount(reader);
  const kind = readVarint(reader);
  reader.skip(kind < SPECIAL_SCRIPTS ? (kind < 2 ? 20 : 32) : kind - SPECIAL_SCRIPTS);
}

function compressSmallAmount(amount: number): number {
  if (amount === 0) return 0;
  let rest = amount;
  let exponent = 0;
  while (rest % 10 === 0 && exponent < 9) {
    rest /= 10;
    exponent += 1;
  }
  if (exponent === 9) return 1 + (rest - 1) * 10 + 9;
  return 1 + (Math.floor(rest / 10) * 9 + (rest % 10) - 1) * 10 + exponent;
}

/** Amounts near MAX_MONEY with no trailing zero compress to more than 2^53. */
function writeBigVarint(writer: Writer, value: bigint): void {
  const digits: number[] = [Number(value % 0x80n)];
  for (let rest = value / 0x80n - 1n; rest >= 0n; rest = rest / 0x80n - 1n) digits.push(Number(rest % 0x80n) | 0x80);
  for (const digit of digits.reverse()) writer.u8(digit);
}

function readAmount(reader: Reader): Sats {
  const start = reader.offset;
  let code = 0;
  for (;;) {
    const digit = reader.u8();
    code = code * 0x80 + (digit & 0x7f);
    if (digit < 0x80) break;
    code += 1;
    if (code >= MAX_EXACT_PREFIX) return inMoneyRange(decompressAmount(readBigTail(reader, code, start)), start);
  }
  return inMoneyRange(decompressSmallAmount(code), start);
}

/** The rest of a 64-bit VARINT whose digits so far make `prefix`. */
function readBigTail(reader: Reader, prefix: number, start: number): bigint {
  let code = BigInt(prefix);
  for (;;) {
    const digit = reader.u8();
    code = code * 0x80n + BigInt(digit & 0x7f);
    if (code > 0xffffffffffffffffn) throw new DecodeError('VARINT too large', start);
    if (digit < 0x80) return code;
    code += 1n;
  }
}

/** The result is exact when it is in the money range; above, it is only known to be too large. */
function decompressSmallAmount(code: number): bigint {
  if (code === 0) return 0n;
  const exponent = (code - 1) % 10;
  const rest = Math.floor((code - 1) / 10);
  const mantissa = exponent < 9 ? Math.floor(rest / 9) * 10 + (rest % 9) + 1 : rest + 1;
  return BigInt(mantissa * 10 ** exponent);
}

function inMoneyRange(amount: bigint, offset: number): Sats {
  if (amount > MAX_MONEY) throw new DecodeError('amount out of range', offset);
  return amount;
}

function writeCompressedScript(writer: Writer, script: Uint8Array): void {
  if (isPayToPubKeyHash(script)) {
    writer.u8(0).bytes(script.subarray(3, 23));
  } else if (isPayToScriptHash(script)) {
    writer.u8(1).bytes(script.subarray(2, 22));
  } else if (isPayToCompressedKey(script)) {
    writer.u8(byteAt(script, 1)).bytes(script.subarray(2, 34));
  } else if (isPayToUncompressedKey(script)) {
    // Kind 4 or 5 by the parity of y; only x is written.
    writer.u8(4 | (byteAt(script, 65) & 1)).bytes(script.subarray(2, 34));
  } else {
    writeVarint(writer, script.length + SPECIAL_SCRIPTS);
    writer.bytes(script);
  }
}

function isPayToPubKeyHash(s: Uint8Array): boolean {
  return s.length === 25 && s[0] === 0x76 && s[1] === 0xa9 && s[2] === 20 && s[23] === 0x88 && s[24] === 0xac;
}

function isPayToScriptHash(s: Uint8Array): boolean {
  return s.length === 23 && s[0] === 0xa9 && s[1] === 20 && s[22] === 0x87;
}

function isPayToCompressedKey(s: Uint8Array): boolean {
  return s.length === 35 && s[0] === 33 && (s[1] === 2 || s[1] === 3) && s[34] === 0xac;
}

/** Only points of the curve: from another x the y could not be found again (Core: IsFullyValid). */
function isPayToUncompressedKey(s: Uint8Array): boolean {
  return s.length === 67 && s[0] === 65 && s[66] === 0xac && isValidUncompressedKey(s.subarray(1, 66));
}

function readCompressedScript(reader: Reader): Uint8Array {
  const start = reader.offset;
  const kind = readVarint(reader);
  if (kind === 0) return filledIn(P2PKH, 3, reader.take(20));
  if (kind === 1) return filledIn(P2SH, 2, reader.take(20));
  if (kind === 2 || kind === 3) return scriptOf([33, kind], reader.take(32), [0xac]);
  if (kind === 4 || kind === 5) {
    const key = decompressPublicKey(scriptOf([kind - 2], reader.take(32), []));
    if (key === undefined) throw new DecodeError('no such public key', start);
    return scriptOf([65], key, [0xac]);
  }
  const script = reader.take(kind - SPECIAL_SCRIPTS);
  // Core: an overly long script reads as a short one that cannot be spent either.
  return script.length > MAX_SCRIPT_BYTES ? Uint8Array.of(OP_RETURN) : script;
}

const P2PKH = scriptOf([0x76, 0xa9, 20], new Uint8Array(20), [0x88, 0xac]);
const P2SH = scriptOf([0xa9, 20], new Uint8Array(20), [0x87]);

function filledIn(template: Uint8Array, at: number, hash: Uint8Array): Uint8Array {
  const script = template.slice();
  script.set(hash, at);
  return script;
}

function scriptOf(before: readonly number[], middle: Uint8Array, after: readonly number[]): Uint8Array {
  const script = new Uint8Array(before.length + middle.length + after.length);
  script.set(before);
  script.set(middle, before.length);
  script.set(after, before.length + middle.length);
  return script;
}
