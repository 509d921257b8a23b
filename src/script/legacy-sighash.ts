/**
 * The signature hash before segwit (Core's SignatureHash with SigVersion::BASE). It hashes nearly the whole
 * transaction for each signature; what does not change between signatures is serialised once.
 */
import { hash256 } from '#crypto';
import { compactSizeLength, type Transaction, Writer, writeTxOutput } from '#primitives';
import { assert } from '#util';
import { Op } from './opcodes.ts';
import { ScriptReader } from './parse.ts';
import { baseType, SIGHASH_ANYONECANPAY, SIGHASH_NONE, SIGHASH_SINGLE } from './sighash-type.ts';

/** Outpoint and sequence around an empty script: what every input but the signed one looks like. */
const BLANK_INPUT_BYTES = 41;
const OUTPOINT_BYTES = 36;

/** The number one, little endian: what SIGHASH_SINGLE without a matching output signs (a bug that is consensus). */
const ONE = new Uint8Array(32);
ONE[0] = 1;

/** One for all: hashing is synchronous, and a transaction has 4 MB at most. */
let scratch = Buffer.alloc(4096);

export class LegacySighash {
  readonly #tx: Transaction;
  #blank: Uint8Array | undefined;

  constructor(tx: Transaction) {
    this.#tx = tx;
  }

  /** 32 bytes; do not change them. `hashType` is any int32. */
  hash(scriptCode: Uint8Array, inputIndex: number, hashType: number): Uint8Array {
    assert(inputIndex < this.#tx.inputs.length, 'the signed input exists');
    const base = baseType(hashType);
    if (base === SIGHASH_SINGLE && inputIndex >= this.#tx.outputs.length) return ONE;
    const script = serializedScriptCode(scriptCode);
    const whole = base !== SIGHASH_SINGLE && base !== SIGHASH_NONE && (hashType & SIGHASH_ANYONECANPAY) === 0;
    if (whole) return this.#hashWhole(script, inputIndex, hashType);
    return hash256(serializePartly(this.#tx, script, inputIndex, hashType));
  }

  /** SIGHASH_ALL: all inputs and outputs, only the signed input with a script. */
  #hashWhole(script: ScriptCode, inputIndex: number, hashType: number): Uint8Array {
    this.#blank ??= serializeBlank(this.#tx);
    const blank = this.#blank;
    const lengthBytes = compactSizeLength(script.declaredLength);
    const total = blank.length - 1 + lengthBytes + script.bytes.length + 4;
    if (scratch.length < total) scratch = Buffer.alloc(total * 2);
    const scriptAt = 4 + compactSizeLength(this.#tx.inputs.length) + inputIndex * BLANK_INPUT_BYTES + OUTPOINT_BYTES;
    scratch.set(blank.subarray(0, scriptAt));
    writeCompactSize(scratch, script.declaredLength, scriptAt);
    scratch.set(script.bytes, scriptAt + lengthBytes);
    scratch.set(blank.subarray(scriptAt + 1), scriptAt + lengthBytes + script.bytes.length);
    scratch.writeInt32LE(hashType | 0, total - 4);
    return hash256(scratch.subarray(0, total));
  }
}

/** The hash that a signature before segwit covers, for those who need one only: wallets, tests. */
export function signatureHash(
  scriptCode: Uint8Array,
  tx: Transaction,
  inputIndex: number,
  hashType: number,
): Uint8Array {
  return new LegacySighash(tx).hash(scriptCode, inputIndex, hashType);
}

/** Up to 32 bits, by hand: a Writer for these bytes would cost as much as the hash. */
function writeCompactSize(target: Buffer, value: number, at: number): void {
  if (value < 0xfd) {
    target[at] = value;
    return;
  }
  const wide = value > 0xffff;
  target[at] = wide ? 0xfe : 0xfd;
  if (wide) target.writeUInt32LE(value, at + 1);
  else target.writeUInt16LE(value, at + 1);
}

type ScriptCode = { readonly declaredLength: number; readonly bytes: Uint8Array };

/**
 * The script without OP_CODESEPARATORs. When a push is cut short Core writes only up to where it noticed, but still
 * the length of the whole; such a script always fails, this only keeps the error the same.
 */
function serializedScriptCode(script: Uint8Array): ScriptCode {
  const reader = new ScriptReader(script);
  const parts: Uint8Array[] = [];
  let from = 0;
  while (reader.next()) {
    if (reader.opcode !== Op.OP_CODESEPARATOR) continue;
    parts.push(script.subarray(from, reader.position - 1));
    from = reader.position;
  }
  const rest = script.subarray(from, reader.position);
  return {
    declaredLength: script.length - parts.length,
    bytes: parts.length === 0 ? rest : Buffer.concat([...parts, rest]),
  };
}

function serializeBlank(tx: Transaction): Uint8Array {
  const writer = new Writer(tx.strippedSize).i32(tx.version).compactSize(tx.inputs.length);
  for (const input of tx.inputs) writer.bytes(input.prevTxid).u32(input.prevIndex).u8(0).u32(input.sequence);
  writer.compactSize(tx.outputs.length);
  for (const output of tx.outputs) writeTxOutput(writer, output);
  return writer.u32(tx.lockTime).finish();
}

/** Every hash type: Core's CTransactionSignatureSerializer. */
function serializePartly(tx: Transaction, script: ScriptCode, inputIndex: number, hashType: number): Uint8Array {
  const base = baseType(hashType);
  const onlyOwnInput = (hashType & SIGHASH_ANYONECANPAY) !== 0;
  const othersMayChange = base === SIGHASH_SINGLE || base === SIGHASH_NONE;
  const writer = new Writer(tx.strippedSize + script.bytes.length).i32(tx.version);
  writer.compactSize(onlyOwnInput ? 1 : tx.inputs.length);
  for (const [at, input] of tx.inputs.entries()) {
    if (onlyOwnInput && at !== inputIndex) continue;
    writer.bytes(input.prevTxid).u32(input.prevIndex);
    if (at === inputIndex) writer.compactSize(script.declaredLength).bytes(script.bytes).u32(input.sequence);
    else writer.u8(0).u32(othersMayChange ? 0 : input.sequence);
  }
  const outputCount = base === SIGHASH_NONE ? 0 : base === SIGHASH_SINGLE ? inputIndex + 1 : tx.outputs.length;
  writer.compactSize(outputCount);
  for (const [at, output] of tx.outputs.slice(0, outputCount).entries()) {
    // SIGHASH_SINGLE: the outputs before the own one count as never set (value -1, no script).
    if (base === SIGHASH_SINGLE && at !== inputIndex) writer.i64(-1n).u8(0);
    else writeTxOutput(writer, output);
  }
  return writer
    .u32(tx.lockTime)
    .i32(hashType | 0)
    .finish();
}
