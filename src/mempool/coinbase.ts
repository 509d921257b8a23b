/** The first transaction of a block: what it must hold by BIP34 and BIP141, and nothing else. */
import { witnessCommitmentIndex } from '#consensus';
import { Block, type Sats, Transaction, type TxOutput } from '#primitives';
import { pushNumber } from '#script';
import { concatBytes } from '#util';

const NULL_TXID = new Uint8Array(32);
const NO_BYTES = new Uint8Array(0);
const FINAL_SEQUENCE = 0xffffffff;
/** BIP141's witness reserved value: any 32 bytes; Core and everybody else take zeros. */
export const WITNESS_RESERVED_VALUE = new Uint8Array(32);

export type CoinbaseFields = {
  readonly height: number;
  /** Tells apart coinbases that are otherwise equal; 0 .. 2^53-1. */
  readonly extraNonce: number;
  /** Bytes behind height and extra nonce: a message, or nothing. The script may not exceed 100 bytes in all. */
  readonly tail?: Uint8Array;
  readonly scriptPubKey: Uint8Array;
  /** Subsidy and fees. */
  readonly value: Sats;
  /** BIP141's output script over the witnesses and WITNESS_RESERVED_VALUE; undefined for a block without. */
  readonly commitmentScript: Uint8Array | undefined;
};

/** Builds the coinbase as Core's BlockAssembler does: `height extraNonce` as script, one output, then the commitment. */
export function createCoinbase(fields: CoinbaseFields): Transaction {
  const outputs: TxOutput[] = [{ value: fields.value, scriptPubKey: fields.scriptPubKey }];
  if (fields.commitmentScript !== undefined) outputs.push({ value: 0n, scriptPubKey: fields.commitmentScript });
  return Transaction.fromFields({
    version: 2,
    inputs: [
      {
        prevTxid: NULL_TXID,
        prevIndex: 0xffffffff,
        scriptSig: concatBytes(pushNumber(fields.height), pushNumber(fields.extraNonce), fields.tail ?? NO_BYTES),
        sequence: FINAL_SEQUENCE,
        witness: fields.commitmentScript === undefined ? [] : [WITNESS_RESERVED_VALUE],
      },
    ],
    outputs,
    lockTime: 0,
  });
}

/**
 * A block of a miner who left out what BIP141 asks of a coinbase with a commitment: its reserved value, as in our templates
 * (Core's UpdateUncommittedBlockStructures). Any other block as it is.
 */
export function withReservedValue(block: Block): Block {
  const [coinbase, ...others] = block.transactions;
  const [input] = coinbase?.inputs ?? [];
  if (coinbase === undefined || input === undefined) return block;
  if (coinbase.hasWitness || witnessCommitmentIndex(coinbase) === undefined) return block;
  const { version, outputs, lockTime } = coinbase;
  const inputs = [{ ...input, witness: [WITNESS_RESERVED_VALUE] }];
  return Block.fromParts(block.header, [Transaction.fromFields({ version, inputs, outputs, lockTime }), ...others]);
}
