/**
 * Making compact blocks and putting blocks together again (BIP152 version 2). Pure.
 * A rebuilt block is a guess until its merkle root has been checked: a failure there ('mutated') means that a short
 * id met the wrong transaction. Then the whole block is asked for and nobody is blamed (Core's READ_STATUS_FAILED).
 */

import { sha256, siphash24 } from '#crypto';
import { Block, type BlockHeader, type Transaction, Writer } from '#primitives';
import { MAX_BLOCK_BYTES } from './messages/blocks.ts';
import {
  bareHeader,
  type CompactBlock,
  compactBlockSize,
  compactTransactionCount,
  MAX_BLOCK_TRANSACTIONS,
  MAX_COMPACT_BLOCK_BYTES,
  SHORT_ID_BYTES,
  structureProblem,
} from './messages/compact-block.ts';

/** What a block is put together from: bytes and ids, so that what is kept packed need not be decoded. */
export type KnownTransaction = Pick<Transaction, 'raw' | 'size' | 'txidBytes' | 'wtxid' | 'wtxidBytes'>;

/** Gives the transaction of a short id (48 bits); 'collision' when two known ones have it. */
export type ShortIdLookup = (shortId: number) => KnownTransaction | 'collision' | undefined;

/** What an announcement and the known transactions give. */
export type PartialBlock = {
  readonly compact: CompactBlock;
  /** In block order; undefined where nobody knew. */
  readonly transactions: readonly (KnownTransaction | undefined)[];
  /** The places that nobody knew, ascending. */
  readonly missing: readonly number[];
  /** Bytes of the known transactions. */
  readonly bytes: number;
};

export type Reconstruction =
  /** `transactions` are those that went into the block: it need not be decoded to compute its merkle root. */
  | { readonly kind: 'complete'; readonly block: Block; readonly transactions: readonly KnownTransaction[] }
  | { readonly kind: 'missing'; readonly partial: PartialBlock }
  /** Nothing can be rebuilt: ask for the whole block. No fault of the sender. */
  | { readonly kind: 'whole-block'; readonly reason: 'header-only' | 'short-id-collision' | 'too-large' }
  /** Malformed; what `decode` gives never is. */
  | { readonly kind: 'invalid'; readonly reason: string };

/** BIP152: the first 16 bytes of SHA256(header || nonce, little endian) are the SipHash key. */
export function shortIdKey(header: BlockHeader, nonce: bigint): Uint8Array {
  return sha256(new Writer(header.raw.length + 8).bytes(header.raw).u64(nonce).finish()).subarray(0, 16);
}

const scratch = new Uint8Array(8);
const scratchView = new DataView(scratch.buffer);

/** BIP152: SipHash-2-4 of the wtxid (32 bytes, internal order), the two most significant bytes dropped. */
export function shortIdOf(key: Uint8Array, wtxidBytes: Uint8Array): number {
  siphash24(wtxidBytes, key, scratch);
  return scratchView.getUint16(4, true) * 2 ** 32 + scratchView.getUint32(0, true);
}

/**
 * The compact form of a block: the coinbase prefilled and what stands at the places of `prefill`, a short id for each
 * other transaction. Header only when that would be longer than a message may be. `nonce` is random, so that colliding
 * ids collide for one sender only.
 */
export function buildCompactBlock(block: Block, nonce: bigint, prefill: Iterable<number> = []): CompactBlock {
  const { header, transactions } = block;
  if (transactions.length === 0 || transactions.length > MAX_BLOCK_TRANSACTIONS) return bareHeader(header, nonce);
  const places = new Set(prefill).add(0);
  const prefilled = transactions.map((tx, index) => ({ index, tx })).filter(({ index }) => places.has(index));
  const shortIds = new Uint8Array((transactions.length - prefilled.length) * SHORT_ID_BYTES);
  if (compactBlockSize({ shortIds, prefilled }) > MAX_COMPACT_BLOCK_BYTES) return bareHeader(header, nonce);
  const key = shortIdKey(header, nonce);
  let at = 0;
  for (const [index, tx] of transactions.entries()) {
    if (places.has(index)) continue;
    siphash24(tx.wtxidBytes, key, scratch);
    shortIds.set(scratch.subarray(0, SHORT_ID_BYTES), at);
    at += SHORT_ID_BYTES;
  }
  return { header, nonce, shortIds, prefilled };
}

/**
 * A lookup among `candidates` (the mempool, recently refused transactions). Hashes each candidate until every id of
 * the block is met; keeps only what the block asks for. As Core's InitData, it does not look on for collisions then.
 * Ids are searched in a sorted array, not in a Map: a sender chooses them freely, and V8 hashes numbers without a
 * secret, so 16,000 chosen ids would take 300 ms to store (measured). Core has its bucket-size test against that.
 */
export function matchShortIds(compact: CompactBlock, candidates: Iterable<KnownTransaction>): ShortIdLookup {
  const sorted = Float64Array.from(shortIdsOf(compact)).sort();
  const found = new Array<KnownTransaction | 'collision' | undefined>(sorted.length).fill(undefined);
  const key = shortIdKey(compact.header, compact.nonce);
  let open = sorted.length;
  if (open > 0) {
    for (const candidate of candidates) {
      const at = indexOfSorted(sorted, shortIdOf(key, candidate.wtxidBytes));
      if (at < 0) continue;
      const known = found[at];
      if (known === undefined) {
        found[at] = candidate;
        if (--open === 0) break;
      } else if (known !== 'collision' && known.wtxid !== candidate.wtxid) {
        found[at] = 'collision';
      }
    }
  }
  return (shortId) => found[indexOfSorted(sorted, shortId)];
}

/** Where `value` stands in ascending numbers, the first of equal ones; -1 when it does not. */
function indexOfSorted(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? value) < value) low = middle + 1;
    else high = middle;
  }
  return sorted[low] === value ? low : -1;
}

/**
 * Puts a block together from its announcement and what `lookup` knows. A collision counts as not known.
 * Ids are the sender's choice, and many can name the largest transactions we know: above the size of any block
 * nothing is put together.
 */
export function reconstruct(compact: CompactBlock, lookup: ShortIdLookup): Reconstruction {
  const problem = structureProblem(compact);
  if (problem !== undefined) return { kind: 'invalid', reason: problem };
  const count = compactTransactionCount(compact);
  if (count === 0) return { kind: 'whole-block', reason: 'header-only' };
  const ids = shortIdsOf(compact);
  if (hasDuplicate(ids)) return { kind: 'whole-block', reason: 'short-id-collision' };

  const transactions = new Array<KnownTransaction | undefined>(count).fill(undefined);
  for (const { index, tx } of compact.prefilled) transactions[index] = tx;
  const missing: number[] = [];
  let bytes = 0;
  let nextId = 0;
  for (let index = 0; index < count; index++) {
    if (transactions[index] === undefined) {
      const known = lookup(ids[nextId++] ?? -1);
      transactions[index] = known === 'collision' ? undefined : known;
    }
    const tx = transactions[index];
    if (tx === undefined) missing.push(index);
    else bytes += tx.size;
  }
  return putTogether({ compact, transactions, missing, bytes });
}

/** Puts a block together from its announcement and those of `candidates` that it names. */
export function reconstructFrom(compact: CompactBlock, candidates: Iterable<KnownTransaction>): Reconstruction {
  return reconstruct(compact, matchShortIds(compact, candidates));
}

export type Filled = {
  readonly result: Reconstruction;
  /** Whether each transaction of the answer has the short id that was announced for its place. */
  readonly isAsAnnounced: boolean;
};

/** Puts `answer`, the transactions at the missing places in their order, into their places. */
export function fillMissing(partial: PartialBlock, answer: readonly Transaction[]): Filled {
  const transactions = partial.transactions.slice();
  const missing: number[] = [];
  let { bytes } = partial;
  for (const [i, index] of partial.missing.entries()) {
    const tx = answer[i];
    transactions[index] = tx;
    if (tx === undefined) missing.push(index);
    else bytes += tx.size;
  }
  return {
    result: putTogether({ ...partial, transactions, missing, bytes }),
    isAsAnnounced: answersShortIds(partial, answer),
  };
}

function answersShortIds({ compact, missing }: PartialBlock, answer: readonly Transaction[]): boolean {
  const ids = shortIdsOf(compact);
  const key = shortIdKey(compact.header, compact.nonce);
  const { prefilled } = compact;
  let before = 0;
  return missing.every((index, i) => {
    while ((prefilled[before]?.index ?? index) < index) before++;
    const tx = answer[i];
    return tx !== undefined && shortIdOf(key, tx.wtxidBytes) === ids[index - before];
  });
}

function putTogether(partial: PartialBlock): Reconstruction {
  if (partial.bytes > MAX_BLOCK_BYTES) return { kind: 'whole-block', reason: 'too-large' };
  const transactions = partial.transactions.filter((tx) => tx !== undefined);
  if (transactions.length < partial.transactions.length) return { kind: 'missing', partial };
  return { kind: 'complete', block: Block.fromParts(partial.compact.header, transactions), transactions };
}

function hasDuplicate(ids: readonly number[]): boolean {
  const sorted = Float64Array.from(ids).sort();
  return sorted.some((id, i) => i > 0 && id === sorted[i - 1]);
}

/** The ids as numbers, in block order. */
function shortIdsOf({ shortIds }: CompactBlock): number[] {
  const view = new DataView(shortIds.buffer, shortIds.byteOffset, shortIds.byteLength);
  const ids: number[] = [];
  for (let at = 0; at < shortIds.length; at += SHORT_ID_BYTES) {
    ids.push(view.getUint16(at + 4, true) * 2 ** 32 + view.getUint32(at, true));
  }
  return ids;
}
