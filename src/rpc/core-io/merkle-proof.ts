/**
 * Proofs that transactions are in a block: the header and the part of the merkle tree that leads to them (BIP37's encoding,
 * Core's CMerkleBlock). Hashes are 32 bytes in internal order.
 */
import { limits } from '#consensus';
import { hash256 } from '#crypto';
import { BLOCK_HEADER_BYTES, type Block, BlockHeader, DecodeError, Reader, Writer } from '#primitives';
import { concatBytes, equalBytes } from '#util';

const HASH_BYTES = 32;
/** BIP141: 60 bytes without witness. */
const MIN_TRANSACTION_WEIGHT = 240;
const MAX_TRANSACTIONS = limits.MAX_BLOCK_WEIGHT / MIN_TRANSACTION_WEIGHT;

export type MerkleProof = {
  readonly header: BlockHeader;
  /** Of the block. */
  readonly transactions: number;
  readonly hashes: readonly Uint8Array[];
  readonly bits: readonly boolean[];
};

/** Nodes on a level; level 0 are the leaves. */
function widthAt(transactions: number, level: number): number {
  return Math.ceil(transactions / 2 ** level);
}

function topLevel(transactions: number): number {
  let level = 0;
  while (widthAt(transactions, level) > 1) level++;
  return level;
}

function hashPair(left: Uint8Array, right: Uint8Array): Uint8Array {
  return hash256(concatBytes(left, right));
}

/** Of the transactions for which `isWanted` says so. */
export function buildProof(block: Block, isWanted: (txid: string) => boolean): MerkleProof {
  const { transactions } = block;
  const levels: Uint8Array[][] = [transactions.map(({ txidBytes }) => txidBytes)];
  const wanted: boolean[][] = [transactions.map(({ txid }) => isWanted(txid))];
  const top = topLevel(transactions.length);
  for (let level = 1; level <= top; level++) {
    const [below = [], wantedBelow = []] = [levels[level - 1], wanted[level - 1]];
    const width = widthAt(transactions.length, level);
    levels.push(Array.from({ length: width }, (_, at) => pairAt(below, at)));
    wanted.push(
      Array.from({ length: width }, (_, at) => wantedBelow[2 * at] === true || wantedBelow[2 * at + 1] === true),
    );
  }
  const bits: boolean[] = [];
  const hashes: Uint8Array[] = [];
  const visit = (level: number, at: number): void => {
    const leads = wanted[level]?.[at] === true;
    bits.push(leads);
    if (level === 0 || !leads) {
      hashes.push(levels[level]?.[at] ?? new Uint8Array(HASH_BYTES));
      return;
    }
    visit(level - 1, 2 * at);
    if (2 * at + 1 < widthAt(transactions.length, level - 1)) visit(level - 1, 2 * at + 1);
  };
  visit(top, 0);
  return { header: block.header, transactions: transactions.length, hashes, bits };
}

/** An odd level's last node is paired with itself. */
function pairAt(below: readonly Uint8Array[], at: number): Uint8Array {
  const left = below[2 * at] ?? new Uint8Array(HASH_BYTES);
  return hashPair(left, below[2 * at + 1] ?? left);
}

/** The transactions that a proof is about, in the order of the block; undefined for one that proves nothing. */
export function provenTxids({ header, transactions, hashes, bits }: MerkleProof): Uint8Array[] | undefined {
  if (transactions === 0 || transactions > MAX_TRANSACTIONS) return undefined;
  if (hashes.length > transactions || bits.length < hashes.length) return undefined;
  const found: Uint8Array[] = [];
  let [usedBits, usedHashes, isBad] = [0, 0, false];
  const visit = (level: number, at: number): Uint8Array => {
    const leads = bits[usedBits++];
    if (leads === undefined) isBad = true;
    if (isBad || level === 0 || leads !== true) {
      const hash = hashes[usedHashes++];
      if (hash === undefined) isBad = true;
      else if (level === 0 && leads === true) found.push(hash);
      return hash ?? new Uint8Array(HASH_BYTES);
    }
    const left = visit(level - 1, 2 * at);
    if (2 * at + 1 >= widthAt(transactions, level - 1)) return hashPair(left, left);
    const right = visit(level - 1, 2 * at + 1);
    // Two equal nodes could stand for a tree of other leaves (CVE-2012-2459).
    if (equalBytes(left, right)) isBad = true;
    return hashPair(left, right);
  };
  const root = visit(topLevel(transactions), 0);
  const isUsedUp = Math.ceil(usedBits / 8) === Math.ceil(bits.length / 8) && usedHashes === hashes.length;
  return !isBad && isUsedUp && equalBytes(root, header.merkleRoot) ? found : undefined;
}

export function encodeProof({ header, transactions, hashes, bits }: MerkleProof): Uint8Array {
  const writer = new Writer().bytes(header.raw).u32(transactions).compactSize(hashes.length);
  for (const hash of hashes) writer.bytes(hash);
  const bytes = new Uint8Array(Math.ceil(bits.length / 8));
  for (const [index, bit] of bits.entries()) if (bit) bytes[index >> 3] = (bytes[index >> 3] ?? 0) | (1 << (index & 7));
  return writer.varBytes(bytes).finish();
}

/** Undefined for bytes that are no proof. */
export function decodeProof(raw: Uint8Array): MerkleProof | undefined {
  try {
    const reader = new Reader(raw);
    const header = new BlockHeader(reader.take(BLOCK_HEADER_BYTES));
    const transactions = reader.u32();
    const hashes = Array.from({ length: reader.count(HASH_BYTES) }, () => reader.take(HASH_BYTES));
    const bytes = reader.varBytes();
    // A path to a leaf has at most 15 nodes. What has more than that proves nothing, and is not unpacked.
    const bits =
      bytes.length > 2 * hashes.length + 2
        ? []
        : [...bytes].flatMap((byte) => Array.from({ length: 8 }, (_, at) => ((byte >> at) & 1) === 1));
    return { header, transactions, hashes, bits };
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
