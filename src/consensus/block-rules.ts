/**
 * What a block must satisfy without the UTXO set, in Core's order: by itself (`checkBlock`), then in its place
 * (`contextualCheckBlock`). Both decode the block on first use and throw its DecodeError: decode it before.
 */
import type { Block } from '#primitives';
import { pushNumber } from '#script';
import { equalBytes } from '#util';
import { failure, type ValidationFailure } from './failure.ts';
import { checkBlockHeader, medianTimePast } from './header-rules.ts';
import { MAX_BLOCK_SIGOPS_COST, MAX_BLOCK_WEIGHT, WITNESS_SCALE_FACTOR } from './limits.ts';
import { isFinalTx } from './lock-times.ts';
import { blockMerkleTree } from './merkle.ts';
import type { HeaderView, NetworkParams } from './params.ts';
import { checkSignetSolution } from './signet.ts';
import { legacySigOpCount } from './sigops.ts';
import { checkTransaction } from './tx-rules.ts';
import { checkWitnessMalleation } from './witness-commitment.ts';

/**
 * Core's CheckBlock, with Core's protection against forged bodies (IsBlockMutated, which it asks of each block from
 * a peer): a failure is `mutated`, not `consensus`, when these bytes may not be what the header stands for.
 */
export function checkBlock(block: Block, params: NetworkParams): ValidationFailure | undefined {
  const found = checkBlockHeader(block.header, params) ?? checkSignetSolution(block, params) ?? checkBlockBody(block);
  return found?.kind === 'consensus' && mayBeForged(block) ? { ...found, kind: 'mutated' } : found;
}

/** The same of a block that nobody has worked on yet: without proof of work and signet solution (fCheckPOW false). */
export function checkBlockBody(block: Block): ValidationFailure | undefined {
  return (
    checkMerkleRoot(block) ??
    checkLength(block) ??
    checkCoinbasePlace(block) ??
    checkTransactions(block) ??
    checkLegacySigOps(block)
  );
}

/** Bytes of a merkle node's two children: a transaction of this size could be a node in disguise. */
const NODE_BYTES = 64;

/**
 * Whether somebody could have made this body for a good header without its work. With a coinbase in front that would
 * take more than 2^200 hashes; without one, 64-byte "transactions" may be inner nodes of the true tree.
 */
function mayBeForged(block: Block): boolean {
  if (checkMerkleRoot(block) !== undefined) return true;
  const { transactions } = block;
  return transactions[0]?.isCoinbase !== true && transactions.some((tx) => tx.strippedSize === NODE_BYTES);
}

/** Before anything else looks at the transactions: unless the root matches they say nothing about the header. */
function checkMerkleRoot(block: Block): ValidationFailure | undefined {
  const { root, mutated } = blockMerkleTree(block);
  if (!equalBytes(root, block.header.merkleRoot)) {
    return failure('mutated', 'bad-txnmrklroot', 'hashMerkleRoot mismatch');
  }
  return mutated ? failure('mutated', 'bad-txns-duplicate', 'duplicate transaction') : undefined;
}

/** Core also limits the number of transactions, which the smallest possible ones would exceed in bytes long before. */
function checkLength(block: Block): ValidationFailure | undefined {
  const fits = block.transactions.length > 0 && block.strippedSize * WITNESS_SCALE_FACTOR <= MAX_BLOCK_WEIGHT;
  return fits ? undefined : failure('consensus', 'bad-blk-length', 'size limits failed');
}

function checkCoinbasePlace(block: Block): ValidationFailure | undefined {
  const [first, ...others] = block.transactions;
  if (first?.isCoinbase !== true) return failure('consensus', 'bad-cb-missing', 'first tx is not coinbase');
  if (!others.some((tx) => tx.isCoinbase)) return undefined;
  return failure('consensus', 'bad-cb-multiple', 'more than one coinbase');
}

function checkTransactions(block: Block): ValidationFailure | undefined {
  for (const tx of block.transactions) {
    const found = checkTransaction(tx);
    if (found === undefined) continue;
    const debug = `Transaction check failed (tx hash ${tx.txid}) ${found.debug ?? ''}`;
    return failure('consensus', found.code, debug);
  }
  return undefined;
}

function checkLegacySigOps(block: Block): ValidationFailure | undefined {
  const count = block.transactions.reduce((sum, tx) => sum + legacySigOpCount(tx), 0);
  if (count * WITNESS_SCALE_FACTOR <= MAX_BLOCK_SIGOPS_COST) return undefined;
  return failure('consensus', 'bad-blk-sigops', 'out-of-bounds SigOpCount');
}

/** Core's ContextualCheckBlock, for the block after `prev` that passed `checkBlock`. */
export function contextualCheckBlock(
  block: Block,
  prev: HeaderView,
  params: NetworkParams,
): ValidationFailure | undefined {
  const height = prev.height + 1;
  return (
    checkFinality(block, prev, params) ??
    checkCoinbaseHeight(block, height, params) ??
    checkWitnessMalleation(block, height >= params.activation.segwit) ??
    checkWeight(block)
  );
}

function checkFinality(block: Block, prev: HeaderView, params: NetworkParams): ValidationFailure | undefined {
  const height = prev.height + 1;
  // BIP113: a miner could choose its own time, not the median.
  const cutoff = height >= params.activation.csv ? medianTimePast(prev) : block.header.time;
  if (block.transactions.every((tx) => isFinalTx(tx, height, cutoff))) return undefined;
  return failure('consensus', 'bad-txns-nonfinal', 'non-final transaction');
}

/** BIP34: the coinbase script starts with the height. */
function checkCoinbaseHeight(block: Block, height: number, params: NetworkParams): ValidationFailure | undefined {
  if (height < params.activation.bip34) return undefined;
  const expected = pushNumber(height);
  const script = block.transactions[0]?.inputs[0]?.scriptSig ?? new Uint8Array();
  if (equalBytes(script.subarray(0, expected.length), expected)) return undefined;
  return failure('consensus', 'bad-cb-height', 'block height mismatch in coinbase');
}

/** BIP141. Last, because only now the commitment vouches for the witness: anybody could have added to it. */
function checkWeight(block: Block): ValidationFailure | undefined {
  if (block.weight <= MAX_BLOCK_WEIGHT) return undefined;
  return failure('consensus', 'bad-blk-weight', 'ContextualCheckBlock : weight limit failed');
}
