/**
 * Protection from headers that cost nothing: what peers send is stored only if the chain that it ends has work near
 * that of ours, and no less than the network is known to have (Core's BLOCK_HEADER_LOW_WORK).
 */
import { blockProof, checkBlockHeader, failure, type NetworkParams, type ValidationFailure } from '#consensus';
import type { BlockHash, BlockHeader } from '#primitives';
import type { ChainReader } from './port.ts';

/** Forks that part from our chain so many blocks of the tip's work below it are still taken in at once. */
const NEAR_TIP_BLOCKS = 144n;

/** Core's GetAntiDoSWorkThreshold: the work that a chain of a peer's headers needs before any of it is stored. */
export function antiDosWorkThreshold({ params, tip }: Pick<ChainReader, 'params' | 'tip'>): bigint {
  const { chainWork, header } = tip();
  const nearTip = chainWork - NEAR_TIP_BLOCKS * blockProof(header.bits);
  return nearTip > params.minimumChainWork ? nearTip : params.minimumChainWork;
}

type LowWorkDeps = {
  readonly params: NetworkParams;
  /** Total work up to a header that is in the tree. */
  readonly workOf: (hash: BlockHash) => bigint | undefined;
};

type Refusal = { readonly index: number; readonly failure: ValidationFailure };

/**
 * Why none of these headers may be stored; undefined if they may, or if it is for other checks to refuse them. Work
 * counts only if it was done, so proof of work is checked here, before a single header is in the tree.
 */
export function lowWorkRefusal(
  { params, workOf }: LowWorkDeps,
  headers: readonly BlockHeader[],
  minimumWork: bigint,
): Refusal | undefined {
  const [first] = headers;
  const last = headers.at(-1);
  if (first === undefined || last === undefined) return undefined;
  const gap = headers.findIndex((header, index) => index > 0 && !header.follows(headers[index - 1] ?? header));
  if (gap > 0) return { index: gap, failure: failure('missing-prev', 'prev-blk-not-found') };
  const parentWork = workOf(first.prevHash);
  if (parentWork === undefined || parentWork >= minimumWork) return undefined;
  // What is known already, and all before it, takes no more memory.
  if (workOf(last.hash) !== undefined) return undefined;
  for (const [index, header] of headers.entries()) {
    const invalid = checkBlockHeader(header, params);
    if (invalid !== undefined) return { index, failure: invalid };
  }
  if (parentWork + claimedWork(headers) >= minimumWork) return undefined;
  return { index: 0, failure: failure('header-low-work', 'too-little-chainwork') };
}

/** Core's CalculateClaimedHeadersWork. */
function claimedWork(headers: readonly BlockHeader[]): bigint {
  let work = 0n;
  let bits: number | undefined;
  let proof = 0n;
  for (const header of headers) {
    // Mostly the same as before, and the division is slow.
    if (header.bits !== bits) proof = blockProof(header.bits);
    bits = header.bits;
    work += proof;
  }
  return work;
}
