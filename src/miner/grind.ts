/**
 * Search for a nonce, for chains whose difficulty a thread can meet (regtest and private chains). It runs on the
 * caller's thread in short slices, so that the event loop turns between them. `grinder.ts` has a thread for it.
 */
import { compactToTarget, type NetworkParams } from '#consensus';
import { hash256 } from '#crypto';
import type { BlockTemplate } from '#mempool';
import { BLOCK_HEADER_BYTES, Block, BlockHeader } from '#primitives';
import { byteAt, NodeError, nextTurn } from '#util';

const NONCE_OFFSET = 76;
export const NONCES = 2 ** 32;
/** A block takes some 16 million hashes at this target: a minute or two of one thread. */
const EASY_LIMIT = 1n << 232n;
/** About 10 ms of hashing. */
const DEFAULT_SLICE_HASHES = 2_000;

/**
 * Solves a template and gives the finished block. Throws the signal's reason, and NodeError `BAD_CONFIG` when all
 * nonces are tried or the network's easiest target is too hard for a thread: this is no miner for a real network.
 */
export async function mineBlock(template: BlockTemplate, params: NetworkParams, signal?: AbortSignal): Promise<Block> {
  const solved = await solveBlock(template.block, params, signal === undefined ? {} : { signal });
  if (solved !== undefined) return solved;
  throw new NodeError('BAD_CONFIG', `no nonce solves block ${template.height}: the difficulty is too high`);
}

/** The same within so many hashes: undefined when none of them did. */
export async function solveBlock(
  block: Block,
  params: NetworkParams,
  options: Pick<GrindOptions, 'maxHashes' | 'signal'>,
): Promise<Block | undefined> {
  checkMinable(params);
  const solved = await mineHeader(block.header, compactToTarget(block.header.bits).target, options);
  return solved && Block.fromParts(solved, block.transactions);
}

/** Throws NodeError `BAD_CONFIG` when the network's easiest target is too hard for a thread. */
export function checkMinable(params: NetworkParams): void {
  if (params.pow.limit >= EASY_LIMIT) return;
  throw new NodeError('BAD_CONFIG', `the proof of work of ${params.name} is too hard to mine in this process`);
}

export type GrindOptions = {
  readonly signal?: AbortSignal;
  /** Hashes between two turns of the event loop. */
  readonly sliceHashes?: number;
  /** Hashes in all; default: every nonce once. */
  readonly maxHashes?: number;
};

/**
 * Tries nonces upwards from the one in `header` until the hash is at most `target`. Gives the solved header, or
 * undefined when the bound is reached: the caller then changes the time or the coinbase. Throws the signal's reason.
 */
export async function mineHeader(
  header: BlockHeader,
  target: bigint,
  options: GrindOptions = {},
): Promise<BlockHeader | undefined> {
  const { signal, sliceHashes = DEFAULT_SLICE_HASHES, maxHashes = NONCES } = options;
  let candidate = header;
  for (let left = Math.min(maxHashes, NONCES); left > 0; left -= sliceHashes) {
    signal?.throwIfAborted();
    const slice = grindSlice(candidate, target, Math.min(sliceHashes, left));
    if (slice.solved) return slice.header;
    candidate = slice.header;
    await nextTurn();
  }
  return undefined;
}

/** Tries `hashes` nonces from the header's own. Unsolved, the header holds the next nonce to try. */
export function grindSlice(
  header: BlockHeader,
  target: bigint,
  hashes: number,
): { readonly solved: boolean; readonly header: BlockHeader } {
  const raw = header.raw.slice(0, BLOCK_HEADER_BYTES);
  const view = new DataView(raw.buffer);
  const limit = targetBytes(target);
  let nonce = header.nonce;
  for (let tried = 0; tried < hashes; tried++) {
    view.setUint32(NONCE_OFFSET, nonce, true);
    if (isAtMost(hash256(raw), limit)) return { solved: true, header: new BlockHeader(raw) };
    nonce = (nonce + 1) % NONCES;
  }
  view.setUint32(NONCE_OFFSET, nonce, true);
  return { solved: false, header: new BlockHeader(raw) };
}

/** The target as 32 bytes, most significant last: the order in which a hash is compared. */
function targetBytes(target: bigint): Uint8Array {
  const bytes = new Uint8Array(32);
  let rest = target;
  for (let i = 0; i < 32; i++) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

function isAtMost(hash: Uint8Array, limit: Uint8Array): boolean {
  for (let i = 31; i >= 0; i--) {
    const difference = byteAt(hash, i) - byteAt(limit, i);
    if (difference !== 0) return difference < 0;
  }
  return true;
}
