/** Puts a coinbase, transactions and a header together into a block that lacks only its proof of work. */
import { merkleRoot, witnessCommitmentScript } from '#consensus';
import { Block, type BlockHash, BlockHeader, type Sats, type Transaction } from '#primitives';
import { createCoinbase, WITNESS_RESERVED_VALUE } from './coinbase.ts';

export type BlockParts = {
  readonly version: number;
  readonly prevHash: BlockHash;
  /** Unix seconds. */
  readonly time: number;
  readonly bits: number;
  readonly height: number;
  readonly coinbase: {
    readonly scriptPubKey: Uint8Array;
    /** Subsidy and fees. */
    readonly value: Sats;
    readonly extraNonce: number;
    readonly tail?: Uint8Array;
  };
  /** Whether the coinbase commits to the witnesses (BIP141). It must when a transaction has one. */
  readonly commitWitness: boolean;
  /** All but the coinbase, parents before children. */
  readonly transactions: readonly Transaction[];
};

/** BIP141: in the witness tree the coinbase, which holds the root, counts as zero. */
const COINBASE_WTXID = new Uint8Array(32);

/** The block with nonce 0. */
export function assembleBlock(parts: BlockParts): Block {
  const coinbase = createCoinbase({
    ...parts.coinbase,
    height: parts.height,
    commitmentScript: parts.commitWitness ? commitmentScript(parts.transactions) : undefined,
  });
  const transactions = [coinbase, ...parts.transactions];
  const header = BlockHeader.fromFields({
    version: parts.version,
    prevHash: parts.prevHash,
    merkleRoot: merkleRoot(transactions.map((tx) => tx.txidBytes)),
    time: parts.time,
    bits: parts.bits,
    nonce: 0,
  });
  return Block.fromParts(header, transactions);
}

/** `transactions` go without the coinbase. */
function commitmentScript(transactions: readonly Transaction[]): Uint8Array {
  const root = merkleRoot([COINBASE_WTXID, ...transactions.map((tx) => tx.wtxidBytes)]);
  return witnessCommitmentScript(root, WITNESS_RESERVED_VALUE);
}
