/**
 * Transactions, with and without witness (BIP144), decoded once into views of the bytes they came in.
 * Accepts exactly what Core's UnserializeTransaction accepts.
 */
import { hash256 } from '#crypto';
import { concatBytes } from '#util';
import { type Sats, type Txid, txidFromBytes, type Wtxid, wtxidFromBytes } from './ids.ts';
import { DecodeError, Reader } from './reader.ts';
import { compactSizeLength, Writer } from './writer.ts';

export type TxInput = {
  /** Txid of the spent output, 32 bytes in internal order (a view). */
  readonly prevTxid: Uint8Array;
  /** Index of the spent output, 0 .. 0xffffffff. */
  readonly prevIndex: number;
  readonly scriptSig: Uint8Array;
  readonly sequence: number;
  /** Empty when the transaction carries no witness for this input. */
  readonly witness: readonly Uint8Array[];
};

export type TxOutput = {
  /** Satoshis; any int64, also out of range. */
  readonly value: Sats;
  readonly scriptPubKey: Uint8Array;
};

export type TransactionFields = {
  readonly version: number;
  readonly inputs: readonly TxInput[];
  readonly outputs: readonly TxOutput[];
  readonly lockTime: number;
};

/** The smallest bytes of an input (outpoint, empty script, sequence) and of an output (value, empty script). */
const MIN_INPUT_BYTES = 41;
const MIN_OUTPUT_BYTES = 9;
const NO_WITNESS: readonly Uint8Array[] = [];

export class Transaction implements TransactionFields {
  /** The bytes as received, witness included. */
  readonly raw: Uint8Array;
  readonly version: number;
  readonly inputs: readonly TxInput[];
  readonly outputs: readonly TxOutput[];
  readonly lockTime: number;
  readonly hasWitness: boolean;
  /** Bytes without marker, flag and witness. */
  readonly strippedSize: number;
  #txidBytes: Uint8Array | undefined;
  #txid: Txid | undefined;
  #wtxidBytes: Uint8Array | undefined;

  private constructor(raw: Uint8Array, fields: TransactionFields, strippedSize: number) {
    this.raw = raw;
    this.version = fields.version;
    this.inputs = fields.inputs;
    this.outputs = fields.outputs;
    this.lockTime = fields.lockTime;
    this.strippedSize = strippedSize;
    this.hasWitness = raw.length !== strippedSize;
  }

  /** Decodes the transaction that starts at the reader's place and moves it behind. Throws DecodeError. */
  static read(reader: Reader): Transaction {
    return readTransaction(reader, (raw, fields, size) => new Transaction(raw, fields, size));
  }

  /** Decodes exactly one transaction; bytes left over are an error. `raw` is kept, not copied. */
  static fromBytes(raw: Uint8Array): Transaction {
    const reader = new Reader(raw);
    const tx = Transaction.read(reader);
    reader.end();
    return tx;
  }

  /**
   * Decodes exactly one transaction in the form before BIP144: an empty list of inputs is no marker then (Core's
   * TX_NO_WITNESS). `raw` is kept, not copied.
   */
  static fromBytesWithoutWitness(raw: Uint8Array): Transaction {
    const reader = new Reader(raw);
    const fields = readStripped(reader);
    reader.end();
    return new Transaction(raw, fields, raw.length);
  }

  /** Serialises the fields; with witness form if any input has one. */
  static fromFields(fields: TransactionFields): Transaction {
    const raw = serializeTransaction(fields);
    return fields.inputs.length === 0 ? Transaction.fromBytesWithoutWitness(raw) : Transaction.fromBytes(raw);
  }

  /** 32 bytes in internal order. Do not change them. */
  get txidBytes(): Uint8Array {
    this.#txidBytes ??= hash256(this.hasWitness ? this.stripped() : this.raw);
    return this.#txidBytes;
  }

  get txid(): Txid {
    this.#txid ??= txidFromBytes(this.txidBytes);
    return this.#txid;
  }

  /** 32 bytes in internal order; equals the txid without a witness. Do not change them. */
  get wtxidBytes(): Uint8Array {
    this.#wtxidBytes ??= this.hasWitness ? hash256(this.raw) : this.txidBytes;
    return this.#wtxidBytes;
  }

  get wtxid(): Wtxid {
    return wtxidFromBytes(this.wtxidBytes);
  }

  /** Serialised bytes with witness. */
  get size(): number {
    return this.raw.length;
  }

  /** BIP141: three times the stripped size plus the full size. */
  get weight(): number {
    return this.strippedSize * 3 + this.size;
  }

  /** This one, or a copy if its bytes are part of something larger that would be kept alive. */
  withOwnBytes(): Transaction {
    return this.raw.byteLength === this.raw.buffer.byteLength ? this : Transaction.fromBytes(this.raw.slice());
  }

  /** One input that spends nothing: Core's CTransaction::IsCoinBase. */
  get isCoinbase(): boolean {
    const [input] = this.inputs;
    return this.inputs.length === 1 && input !== undefined && isNullOutpoint(input);
  }

  /** The serialisation without witness (what txid hashes); a view when there is no witness. */
  stripped(): Uint8Array {
    if (!this.hasWitness) return this.raw;
    const body = this.strippedSize - 8;
    return concatBytes(this.raw.subarray(0, 4), this.raw.subarray(6, 6 + body), this.raw.subarray(this.raw.length - 4));
  }
}

/** An outpoint of txid zero and index 0xffffffff: Core's COutPoint::IsNull. */
export function isNullOutpoint(input: Pick<TxInput, 'prevTxid' | 'prevIndex'>): boolean {
  return input.prevIndex === 0xffffffff && input.prevTxid.every((byte) => byte === 0);
}

function serializeTransaction(fields: TransactionFields): Uint8Array {
  const withWitness = fields.inputs.some((input) => input.witness.length > 0);
  const writer = new Writer().i32(fields.version);
  if (withWitness) writer.u8(0).u8(1);
  writer.compactSize(fields.inputs.length);
  for (const input of fields.inputs) {
    writer.bytes(input.prevTxid).u32(input.prevIndex).varBytes(input.scriptSig).u32(input.sequence);
  }
  writer.compactSize(fields.outputs.length);
  for (const output of fields.outputs) writeTxOutput(writer, output);
  if (withWitness) {
    for (const input of fields.inputs) {
      writer.compactSize(input.witness.length);
      for (const item of input.witness) writer.varBytes(item);
    }
  }
  return writer.u32(fields.lockTime).finish();
}

export function writeTxOutput(writer: Writer, output: TxOutput): void {
  writer.i64(output.value).varBytes(output.scriptPubKey);
}

/** Bytes of an output on the wire. */
export function txOutputSize(output: TxOutput): number {
  return 8 + compactSizeLength(output.scriptPubKey.length) + output.scriptPubKey.length;
}

type Build = (raw: Uint8Array, fields: TransactionFields, strippedSize: number) => Transaction;

function readTransaction(reader: Reader, build: Build): Transaction {
  const start = reader.offset;
  const version = reader.i32();
  let inputs = readInputs(reader);
  let flags = 0;
  let markerBytes = 0;
  // BIP144: an empty input list is the marker of the extended form; the byte behind it is the flag.
  if (inputs.length === 0) {
    flags = reader.u8();
    if (flags !== 0) {
      markerBytes = 2;
      inputs = readInputs(reader);
    }
  }
  // Core: with an empty input list and flag 0 the output list is empty too, and its count was the flag byte.
  const outputs = inputs.length === 0 && markerBytes === 0 ? [] : readOutputs(reader);
  const witnessStart = reader.offset;
  if ((flags & 1) !== 0) {
    inputs = readWitnesses(reader, inputs);
    // An input without items takes one byte, the zero that counts them.
    if (reader.offset - witnessStart === inputs.length)
      throw new DecodeError('superfluous witness record', witnessStart);
    flags &= ~1;
  }
  if (flags !== 0) throw new DecodeError('unknown transaction optional data', start);
  const witnessBytes = reader.offset - witnessStart;
  const lockTime = reader.u32();
  const raw = reader.bytes.subarray(start, reader.offset);
  return build(raw, { version, inputs, outputs, lockTime }, raw.length - markerBytes - witnessBytes);
}

function readStripped(reader: Reader): TransactionFields {
  const version = reader.i32();
  const inputs = readInputs(reader);
  return { version, inputs, outputs: readOutputs(reader), lockTime: reader.u32() };
}

function readInputs(reader: Reader): TxInput[] {
  const count = reader.count(MIN_INPUT_BYTES);
  const inputs: TxInput[] = [];
  for (let i = 0; i < count; i++) {
    const prevTxid = reader.take(32);
    const prevIndex = reader.u32();
    const scriptSig = reader.varBytes();
    inputs.push({ prevTxid, prevIndex, scriptSig, sequence: reader.u32(), witness: NO_WITNESS });
  }
  return inputs;
}

function readOutputs(reader: Reader): TxOutput[] {
  const count = reader.count(MIN_OUTPUT_BYTES);
  const outputs: TxOutput[] = [];
  for (let i = 0; i < count; i++) outputs.push(readTxOutput(reader));
  return outputs;
}

export function readTxOutput(reader: Reader): TxOutput {
  return { value: reader.i64(), scriptPubKey: reader.varBytes() };
}

/**
 * Checks the form of every witness now, and makes the items of each only when somebody looks at them: four million
 * empty items fit into a block's bytes, and as objects would take half a gigabyte.
 */
function readWitnesses(reader: Reader, inputs: readonly TxInput[]): TxInput[] {
  return inputs.map(({ prevTxid, prevIndex, scriptSig, sequence }) => {
    const start = reader.offset;
    const count = reader.count(1);
    for (let i = 0; i < count; i++) reader.skip(reader.compactSize());
    if (count === 0) return { prevTxid, prevIndex, scriptSig, sequence, witness: NO_WITNESS };
    const bytes = reader.bytes.subarray(start, reader.offset);
    let items: readonly Uint8Array[] | undefined;
    return {
      prevTxid,
      prevIndex,
      scriptSig,
      sequence,
      get witness() {
        items ??= witnessItems(bytes);
        return items;
      },
    };
  });
}

function witnessItems(bytes: Uint8Array): Uint8Array[] {
  const reader = new Reader(bytes);
  const items: Uint8Array[] = [];
  for (let count = reader.compactSize(); count > 0; count--) items.push(reader.varBytes());
  return items;
}
