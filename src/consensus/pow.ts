/**
 * Proof of work: compact targets, the check of a hash, the difficulty that a header must have.
 * Targets and work are bigints; hashes compare as 256-bit numbers in the order people see them.
 */
import { byteAt } from '#util';
import type { HeaderView, NetworkParams } from './params.ts';

type Pow = NetworkParams['pow'];

const BITS_256 = 2n ** 256n;
/** The largest number that a hash can be. */
export const MAX_TARGET = BITS_256 - 1n;

export type CompactTarget = {
  /** The lower 256 bits; meaningless as a target when a flag is set. */
  readonly target: bigint;
  readonly negative: boolean;
  readonly overflow: boolean;
};

/** Reads nBits as Core's arith_uint256::SetCompact does, flags included. */
export function compactToTarget(bits: number): CompactTarget {
  const size = bits >>> 24;
  const word = bits & 0x007fffff;
  const mantissa = size <= 3 ? word >>> (8 * (3 - size)) : word;
  const target = size <= 3 ? BigInt(mantissa) : BigInt.asUintN(256, BigInt(mantissa) << BigInt(8 * (size - 3)));
  return {
    target,
    negative: mantissa !== 0 && (bits & 0x00800000) !== 0,
    overflow: mantissa !== 0 && (size > 34 || (mantissa > 0xff && size > 33) || (mantissa > 0xffff && size > 32)),
  };
}

/** Writes a target (0 .. 2^256-1) as nBits, rounding down as Core's arith_uint256::GetCompact does. */
export function targetToCompact(target: bigint): number {
  let size = target === 0n ? 0 : Math.ceil(target.toString(16).length / 2);
  let word = Number(size <= 3 ? target << BigInt(8 * (3 - size)) : target >> BigInt(8 * (size - 3)));
  // The highest bit of the mantissa is its sign: move on by a byte.
  if ((word & 0x00800000) !== 0) {
    word >>>= 8;
    size++;
  }
  return size * 2 ** 24 + word;
}

/** The target that `bits` stand for, or undefined when no hash can meet it: negative, overflowing, zero, above `limit`. */
export function targetOf(bits: number, limit: bigint): bigint | undefined {
  const { target, negative, overflow } = compactToTarget(bits);
  return negative || overflow || target === 0n || target > limit ? undefined : target;
}

/** Core's CheckProofOfWork: `bits` are in range and the hash (32 bytes, internal order) is not above their target. */
export function checkProofOfWork(hash: Uint8Array, bits: number, limit: bigint): boolean {
  return targetOf(bits, limit) !== undefined && isAtMostTarget(hash, bits);
}

/** Compares the bytes themselves, the highest first; `bits` are in range. A bigint of the hash would cost 0.4 us. */
function isAtMostTarget(hash: Uint8Array, bits: number): boolean {
  const size = bits >>> 24;
  for (let i = 31; i >= 0; i--) {
    // The target's byte i: three bytes of mantissa end below byte `size`; what would lie below byte 0 is cut off.
    const shift = 8 * (i - (size - 3));
    const wanted = shift < 0 || shift > 16 ? 0 : ((bits & 0x007fffff) >>> shift) & 0xff;
    const byte = byteAt(hash, i);
    if (byte !== wanted) return byte < wanted;
  }
  return true;
}

/** The expected number of hashes behind `bits`: 2^256 / (target + 1); 0 for impossible bits (Core's GetBlockProof). */
export function blockProof(bits: number): bigint {
  const target = targetOf(bits, MAX_TARGET);
  return target === undefined ? 0n : BITS_256 / (target + 1n);
}

/** Blocks between two difficulty changes (Core's DifficultyAdjustmentInterval). */
export function adjustmentInterval(pow: Pow): number {
  return Math.floor(pow.targetTimespanSeconds / pow.targetSpacingSeconds);
}

/**
 * The bits that the header after `prev` must have; `time` is that header's own time, Unix seconds.
 * Core's GetNextWorkRequired.
 */
export function nextWorkRequired(prev: HeaderView, time: number, params: NetworkParams): number {
  const { pow } = params;
  const interval = adjustmentInterval(pow);
  if ((prev.height + 1) % interval !== 0) {
    return pow.allowMinDifficultyBlocks ? minDifficultyBits(prev, time, pow, interval) : prev.bits;
  }
  if (pow.noRetargeting) return prev.bits;
  // Off by one since 2009: a period is measured from its own first block, one spacing short.
  const first = prev.ancestor(prev.height - (interval - 1));
  // BIP94: the period's first block keeps the real difficulty, its last one may be a 20-minute exception.
  const bits = pow.enforceBip94 ? first.bits : prev.bits;
  return retarget(bits, prev.time - first.time, pow);
}

/** Testnet: minimum difficulty 20 minutes after the parent, else that of the last block which is no such exception. */
function minDifficultyBits(prev: HeaderView, time: number, pow: Pow, interval: number): number {
  const limitBits = targetToCompact(pow.limit);
  if (time > prev.time + pow.targetSpacingSeconds * 2) return limitBits;
  let walk = prev;
  while (walk.height % interval !== 0 && walk.bits === limitBits) {
    walk = walk.ancestor(walk.height - 1);
  }
  return walk.bits;
}

/**
 * Scales the target by how long a period took, a quarter to four times the wanted time: the second half of Core's
 * CalculateNextWorkRequired. Core's product wraps at 256 bits; on every network that it can retarget (limits up to
 * 2^224) none is that large, and here it never wraps, so private networks may retarget from any limit.
 */
export function retarget(bits: number, actualTimespanSeconds: number, pow: Pow): number {
  const span = pow.targetTimespanSeconds;
  const clamped = Math.min(Math.max(actualTimespanSeconds, Math.trunc(span / 4)), span * 4);
  return targetToCompact(scaleTarget(bits, clamped, pow));
}

function scaleTarget(bits: number, timespanSeconds: number, pow: Pow): bigint {
  const scaled = (compactToTarget(bits).target * BigInt(timespanSeconds)) / BigInt(pow.targetTimespanSeconds);
  return scaled > pow.limit ? pow.limit : scaled;
}

/**
 * Whether a header at `height` may have `newBits` after a parent with `oldBits`, whatever the times: what can be
 * known of a header whose ancestors are not at hand. Core's PermittedDifficultyTransition (headers presync).
 */
export function permittedDifficultyTransition(
  params: NetworkParams,
  height: number,
  oldBits: number,
  newBits: number,
): boolean {
  const { pow } = params;
  if (pow.allowMinDifficultyBlocks) return true;
  if (height % adjustmentInterval(pow) !== 0) return oldBits === newBits;
  const span = pow.targetTimespanSeconds;
  // Both ends are rounded to what compact form can express before they are compared.
  const roundedTarget = (timespanSeconds: number): bigint =>
    compactToTarget(targetToCompact(scaleTarget(oldBits, timespanSeconds, pow))).target;
  const observed = compactToTarget(newBits).target;
  return observed <= roundedTarget(span * 4) && observed >= roundedTarget(Math.trunc(span / 4));
}
