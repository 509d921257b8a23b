/**
 * Partially signed transactions of version 0 (BIP174 with BIP371's taproot fields), from and to bytes. What is read and
 * written, the order of records and the messages are Core 27's (psbt.h).
 */
import { hash160 } from '#crypto';
import { DecodeError, Reader, Transaction, Writer } from '#primitives';
import { compareBytes, equalBytes, fromHex, toHex } from '#util';
import { shortestFirst } from '../signature-data.ts';
import { fieldCheck, PsbtError, type PsbtPart } from './field-checks.ts';
import {
  GlobalType,
  InputType,
  keysOf,
  mapKey,
  OutputType,
  type PsbtMap,
  singleValue,
  unknownKeys,
  writeRecord,
} from './psbt-map.ts';
import { readKeyOrigin } from './values.ts';

export type Psbt = {
  /** Without scriptSigs and witnesses. */
  readonly tx: Transaction;
  /** All but the transaction. */
  readonly global: PsbtMap;
  /** One for each input, and one for each output, of the transaction. */
  readonly inputs: readonly PsbtMap[];
  readonly outputs: readonly PsbtMap[];
};

export type ParsedPsbt =
  | { readonly kind: 'parsed'; readonly psbt: Psbt }
  /** `error` is Core's text. */
  | { readonly kind: 'invalid'; readonly error: string };

const EMPTY = new Uint8Array(0);
const MAGIC = Uint8Array.of(0x70, 0x73, 0x62, 0x74, 0xff);
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export function decodePsbt(base64: string): ParsedPsbt {
  const bytes = Buffer.from(base64, 'base64');
  if (!BASE64.test(base64) || bytes.toString('base64') !== base64) return { kind: 'invalid', error: 'invalid base64' };
  const reader = new Reader(new Uint8Array(bytes));
  try {
    const psbt = readPsbt(reader);
    if (reader.remaining > 0) return { kind: 'invalid', error: 'extra data after PSBT' };
    return { kind: 'parsed', psbt };
  } catch (error) {
    return { kind: 'invalid', error: `${coreText(error)}: iostream error` };
  }
}

export function encodePsbt(psbt: Psbt): string {
  return Buffer.from(writePsbt(psbt)).toString('base64');
}

/** One without knowledge of its inputs and outputs. */
export function blankPsbt(tx: Transaction): Psbt {
  return { tx, global: new Map(), inputs: tx.inputs.map(() => new Map()), outputs: tx.outputs.map(() => new Map()) };
}

/** Core's streams say what they could not do in words of their own. */
function coreText(error: unknown): string {
  if (error instanceof PsbtError) return error.message;
  if (!(error instanceof DecodeError)) throw error;
  if (error.message.startsWith('truncated')) return 'DataStream::read(): end of data';
  if (error.message.startsWith('non-canonical')) return 'non-canonical ReadCompactSize()';
  return 'ReadCompactSize(): size too large';
}

function readPsbt(reader: Reader): Psbt {
  if (!equalBytes(reader.take(MAGIC.length), MAGIC)) throw new PsbtError('Invalid PSBT magic bytes');
  const global = readMap(reader, 'global', 'the global map');
  const unsigned = global.get(mapKey(GlobalType.UNSIGNED_TX));
  if (unsigned === undefined) throw new PsbtError('No unsigned transaction was provided');
  global.delete(mapKey(GlobalType.UNSIGNED_TX));
  const tx = Transaction.fromBytesWithoutWitness(unsigned);
  const inputs: PsbtMap[] = [];
  for (const { prevTxid, prevIndex } of tx.inputs) {
    if (reader.remaining === 0) break;
    const map = readMap(reader, 'input', 'an input map');
    checkOutpoint(map, prevTxid, prevIndex);
    inputs.push(map);
  }
  if (inputs.length !== tx.inputs.length) {
    throw new PsbtError('Inputs provided does not match the number of inputs in transaction.');
  }
  const outputs: PsbtMap[] = [];
  while (reader.remaining > 0 && outputs.length < tx.outputs.length) {
    outputs.push(readMap(reader, 'output', 'an output map'));
  }
  if (outputs.length !== tx.outputs.length) {
    throw new PsbtError('Outputs provided does not match the number of outputs in transaction.');
  }
  return { tx, global, inputs, outputs };
}

function checkOutpoint(map: PsbtMap, prevTxid: Uint8Array, prevIndex: number): void {
  const bytes = singleValue(map, InputType.NON_WITNESS_UTXO);
  if (bytes === undefined) return;
  const source = Transaction.fromBytes(bytes);
  if (!equalBytes(source.txidBytes, prevTxid)) throw new PsbtError('Non-witness UTXO does not match outpoint hash');
  if (prevIndex >= source.outputs.length) {
    throw new PsbtError('Input specifies output index that does not exist');
  }
}

/** Each record takes bytes of the input: nothing here is larger than what was sent. */
function readMap(reader: Reader, part: PsbtPart, name: string): PsbtMap {
  const map: PsbtMap = new Map();
  while (reader.remaining > 0) {
    const key = reader.varBytes();
    if (key.length === 0) return map;
    const typeReader = new Reader(key);
    const field = fieldCheck(part, typeReader.compactSize());
    const hex = toHex(key);
    if (map.has(hex)) throw new PsbtError(field.duplicate);
    if (field.keySizes !== undefined && !field.keySizes.includes(key.length)) throw new PsbtError(field.badKey);
    const value = reader.varBytes();
    field.check?.(value, key.subarray(typeReader.offset));
    map.set(hex, value);
  }
  throw new PsbtError(`Separator is missing at the end of ${name}`);
}

/** What a finished input does not need any more is not written. */
const UNTIL_FINAL: readonly number[] = [
  InputType.PARTIAL_SIG,
  InputType.SIGHASH,
  InputType.REDEEM_SCRIPT,
  InputType.WITNESS_SCRIPT,
  InputType.BIP32_DERIVATION,
  InputType.RIPEMD160,
  InputType.SHA256,
  InputType.HASH160,
  InputType.HASH256,
  InputType.TAP_KEY_SIG,
  InputType.TAP_SCRIPT_SIG,
  InputType.TAP_LEAF_SCRIPT,
  InputType.TAP_BIP32_DERIVATION,
  InputType.TAP_INTERNAL_KEY,
  InputType.TAP_MERKLE_ROOT,
];

const OUTPUT_ORDER: readonly number[] = [
  OutputType.REDEEM_SCRIPT,
  OutputType.WITNESS_SCRIPT,
  OutputType.BIP32_DERIVATION,
  OutputType.PROPRIETARY,
  OutputType.TAP_INTERNAL_KEY,
  OutputType.TAP_TREE,
  OutputType.TAP_BIP32_DERIVATION,
];

export function isFinal(input: PsbtMap): boolean {
  const witness = singleValue(input, InputType.SCRIPT_WITNESS);
  return singleValue(input, InputType.SCRIPT_SIG) !== undefined || (witness !== undefined && witness[0] !== 0);
}

function writePsbt({ tx, global, inputs, outputs }: Psbt): Uint8Array {
  const writer = new Writer().bytes(MAGIC);
  writeRecord(writer, mapKey(GlobalType.UNSIGNED_TX), tx.raw);
  writeKeys(writer, global, [...sortedXpubs(global), ...keysOf(global, GlobalType.PROPRIETARY)]);
  endMap(writer, global, GlobalType);
  for (const input of inputs) writeInput(writer, input);
  for (const output of outputs) {
    writeKeys(
      writer,
      output,
      OUTPUT_ORDER.flatMap((type) => keysOf(output, type)),
    );
    endMap(writer, output, OutputType);
  }
  return writer.finish();
}

function writeInput(writer: Writer, input: PsbtMap): void {
  const source = singleValue(input, InputType.NON_WITNESS_UTXO);
  // Of the source only what its id covers.
  if (source !== undefined) {
    writeRecord(writer, mapKey(InputType.NON_WITNESS_UTXO), Transaction.fromBytes(source).stripped());
  }
  const types = [
    InputType.WITNESS_UTXO,
    ...(isFinal(input) ? [] : UNTIL_FINAL),
    ...[InputType.SCRIPT_SIG, InputType.SCRIPT_WITNESS, InputType.PROPRIETARY],
  ];
  writeKeys(
    writer,
    input,
    types.flatMap((type) => inputKeys(input, type)),
  );
  endMap(writer, input, InputType);
}

/** Empty fields without key data count as absent. */
function writeKeys(writer: Writer, map: PsbtMap, keys: readonly string[]): void {
  for (const key of keys) {
    const value = map.get(key) ?? EMPTY;
    if (key.length > 2 || value.length > 0) writeRecord(writer, key, value);
  }
}

function endMap(writer: Writer, map: PsbtMap, known: Readonly<Record<string, number>>): void {
  writeKeys(writer, map, unknownKeys(map, known));
  writer.u8(0);
}

/** Of most types in the order of their keys; some Core holds by something else. */
export function inputKeys(map: PsbtMap, type: number): readonly string[] {
  const keys = keysOf(map, type);
  if (type === InputType.PARTIAL_SIG) return keys.sort((a, b) => compareBytes(keyHash(a), keyHash(b)));
  if (type !== InputType.TAP_LEAF_SCRIPT) return keys;
  const leaf = (key: string): Uint8Array => map.get(key) ?? EMPTY;
  return keys.sort(
    (a, b) =>
      compareBytes(leaf(a).subarray(0, -1), leaf(b).subarray(0, -1)) ||
      (leaf(a).at(-1) ?? 0) - (leaf(b).at(-1) ?? 0) ||
      shortestFirst(fromHex(a), fromHex(b)),
  );
}

function keyHash(key: string): Uint8Array {
  return hash160(fromHex(key.slice(2)));
}

/** By their origins, then by key and chain code. */
export function sortedXpubs(global: PsbtMap): readonly string[] {
  const parts = keysOf(global, GlobalType.XPUB).map((key) => {
    const bytes = fromHex(key);
    const { fingerprint, path } = readKeyOrigin(global.get(key) ?? EMPTY);
    return { key, fingerprint, path, publicKey: bytes.subarray(-33), chainCode: bytes.subarray(-65, -33) };
  });
  parts.sort(
    (a, b) =>
      compareBytes(a.fingerprint, b.fingerprint) ||
      a.path.length - b.path.length ||
      comparePaths(a.path, b.path) ||
      compareBytes(a.publicKey, b.publicKey) ||
      compareBytes(a.chainCode, b.chainCode),
  );
  return parts.map(({ key }) => key);
}

function comparePaths(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((step, index) => step !== b[index]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}
