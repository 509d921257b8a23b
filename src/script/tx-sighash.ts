/**
 * Signature hashes of one transaction (BIP143, BIP341, and before segwit), with all that its signatures share
 * computed once: Core's PrecomputedTransactionData. Nothing is computed before a signature needs it.
 */
import { hash256, sha256 } from '#crypto';
import { type Transaction, type TxInput, type TxOutput, type Writer, writeTxOutput } from '#primitives';
import { assert } from '#util';
import { LegacySighash } from './legacy-sighash.ts';
import { preimage } from './preimage.ts';
import { SigVersion, type TaprootContext } from './sig-version.ts';
import {
  baseType,
  SIGHASH_ALL,
  SIGHASH_ANYONECANPAY,
  SIGHASH_DEFAULT,
  SIGHASH_NONE,
  SIGHASH_SINGLE,
} from './sighash-type.ts';
import { tapSighashPreimage } from './tagged-hash.ts';

const ZERO_HASH = new Uint8Array(32);
const EPOCH = 0;
const KEY_VERSION = 0;

export class TxSighash {
  readonly tx: Transaction;
  /** The spent outputs in the order of the inputs. */
  readonly spent: readonly TxOutput[];
  readonly #legacy: LegacySighash;
  #prevouts: Uint8Array | undefined;
  #sequences: Uint8Array | undefined;
  #outputs: Uint8Array | undefined;
  #amounts: Uint8Array | undefined;
  #scripts: Uint8Array | undefined;
  #doublePrevouts: Uint8Array | undefined;
  #doubleSequences: Uint8Array | undefined;
  #doubleOutputs: Uint8Array | undefined;

  constructor(tx: Transaction, spent: readonly TxOutput[]) {
    assert(spent.length === tx.inputs.length, 'one spent output for each input');
    this.tx = tx;
    this.spent = spent;
    this.#legacy = new LegacySighash(tx);
  }

  /** Before segwit. 32 bytes; do not change them. */
  legacy(scriptCode: Uint8Array, inputIndex: number, hashType: number): Uint8Array {
    return this.#legacy.hash(scriptCode, inputIndex, hashType);
  }

  /** BIP143. `hashType` is the signature's last byte. */
  witnessV0(scriptCode: Uint8Array, inputIndex: number, hashType: number): Uint8Array {
    const { input, spent } = this.#at(inputIndex);
    const base = baseType(hashType);
    const allInputs = (hashType & SIGHASH_ANYONECANPAY) === 0;
    const allOutputs = base !== SIGHASH_SINGLE && base !== SIGHASH_NONE;
    const own = base === SIGHASH_SINGLE ? this.tx.outputs[inputIndex] : undefined;
    const prevouts = allInputs ? this.#hashPrevouts() : ZERO_HASH;
    const sequences = allInputs && allOutputs ? this.#hashSequence() : ZERO_HASH;
    const outputs = allOutputs ? this.#hashOutputs() : own === undefined ? ZERO_HASH : hash256(outputBytes(own));
    const writer = preimage()
      .i32(this.tx.version)
      .bytes(prevouts)
      .bytes(sequences)
      .bytes(input.prevTxid)
      .u32(input.prevIndex)
      .varBytes(scriptCode)
      .i64(spent.value)
      .u32(input.sequence)
      .bytes(outputs)
      .u32(this.tx.lockTime)
      .i32(hashType);
    return hash256(writer.view());
  }

  /** BIP341 and BIP342; undefined for an unknown hash type, or SIGHASH_SINGLE without a matching output. */
  taproot(
    inputIndex: number,
    hashType: number,
    version: typeof SigVersion.TAPROOT | typeof SigVersion.TAPSCRIPT,
    context: TaprootContext,
  ): Uint8Array | undefined {
    if (!(hashType <= SIGHASH_SINGLE || (hashType >= 0x81 && hashType <= 0x83))) return undefined;
    const outputType = hashType === SIGHASH_DEFAULT ? SIGHASH_ALL : hashType & 3;
    const allInputs = (hashType & SIGHASH_ANYONECANPAY) === 0;
    const { input, spent } = this.#at(inputIndex);
    const own = this.tx.outputs[inputIndex];
    if (outputType === SIGHASH_SINGLE && own === undefined) return undefined;

    const shared = allInputs
      ? [this.#shaPrevouts(), this.#shaAmounts(), this.#shaScripts(), this.#shaSequences()]
      : undefined;
    const outputs =
      outputType === SIGHASH_ALL
        ? this.#shaOutputs()
        : outputType === SIGHASH_SINGLE && own !== undefined
          ? sha256(outputBytes(own))
          : undefined;

    const writer = tapSighashPreimage().u8(EPOCH).u8(hashType).i32(this.tx.version).u32(this.tx.lockTime);
    if (shared !== undefined) for (const hash of shared) writer.bytes(hash);
    if (outputType === SIGHASH_ALL && outputs !== undefined) writer.bytes(outputs);
    const extension = version === SigVersion.TAPSCRIPT ? 1 : 0;
    writer.u8(extension * 2 + (context.annexHash === undefined ? 0 : 1));
    if (allInputs) writer.u32(inputIndex);
    else {
      writer.bytes(input.prevTxid).u32(input.prevIndex);
      writeTxOutput(writer, spent);
      writer.u32(input.sequence);
    }
    if (context.annexHash !== undefined) writer.bytes(context.annexHash);
    if (outputType === SIGHASH_SINGLE && outputs !== undefined) writer.bytes(outputs);
    if (version === SigVersion.TAPSCRIPT) {
      assert(context.leafHash !== undefined, 'a tapscript has a leaf hash');
      writer.bytes(context.leafHash).u8(KEY_VERSION).u32(context.codeSeparatorPosition);
    }
    return sha256(writer.view());
  }

  #at(inputIndex: number): { readonly input: TxInput; readonly spent: TxOutput } {
    const input = this.tx.inputs[inputIndex];
    const spent = this.spent[inputIndex];
    assert(input !== undefined && spent !== undefined, 'the signed input exists');
    return { input, spent };
  }

  #shaPrevouts(): Uint8Array {
    this.#prevouts ??= shaOfEach(this.tx.inputs, (writer, input) => writer.bytes(input.prevTxid).u32(input.prevIndex));
    return this.#prevouts;
  }

  #shaSequences(): Uint8Array {
    this.#sequences ??= shaOfEach(this.tx.inputs, (writer, input) => writer.u32(input.sequence));
    return this.#sequences;
  }

  #shaOutputs(): Uint8Array {
    this.#outputs ??= shaOfEach(this.tx.outputs, writeTxOutput);
    return this.#outputs;
  }

  #shaAmounts(): Uint8Array {
    this.#amounts ??= shaOfEach(this.spent, (writer, output) => writer.i64(output.value));
    return this.#amounts;
  }

  #shaScripts(): Uint8Array {
    this.#scripts ??= shaOfEach(this.spent, (writer, output) => writer.varBytes(output.scriptPubKey));
    return this.#scripts;
  }

  #hashPrevouts(): Uint8Array {
    this.#doublePrevouts ??= sha256(this.#shaPrevouts());
    return this.#doublePrevouts;
  }

  #hashSequence(): Uint8Array {
    this.#doubleSequences ??= sha256(this.#shaSequences());
    return this.#doubleSequences;
  }

  #hashOutputs(): Uint8Array {
    this.#doubleOutputs ??= sha256(this.#shaOutputs());
    return this.#doubleOutputs;
  }
}

function shaOfEach<T>(items: readonly T[], write: (writer: Writer, item: T) => unknown): Uint8Array {
  const writer = preimage();
  for (const item of items) write(writer, item);
  return sha256(writer.view());
}

/** In the preimage's memory. */
function outputBytes(output: TxOutput): Uint8Array {
  const writer = preimage();
  writeTxOutput(writer, output);
  return writer.view();
}
