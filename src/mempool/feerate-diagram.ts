/**
 * What the best blocks of every size could earn, before and after a replacement: the chunks of transactions in the
 * order of their rates make a line from size to fee. Core's CalculateChunksForRBF and CompareChunks. Exact. Pure.
 */
import type { Sats } from '#primitives';
import { packageTotals, withAncestors, withDescendants } from './pool.ts';
import type { PoolEntry } from './pool-entry.ts';

/** Transactions that are mined together. */
export type Chunk = { readonly modifiedFee: Sats; readonly vsize: number };

type Point = { readonly size: bigint; readonly fee: bigint };

/**
 * Why the chunks around the conflicts are not easily known (CheckConflictTopology): each may belong to a family of two
 * at most, itself and one parent or child that has no other relatives.
 */
export function checkConflictTopology(conflicts: ReadonlySet<PoolEntry>): string | undefined {
  for (const conflict of conflicts) {
    const reason = checkFamily(conflict);
    if (reason !== undefined) return `${conflict.txid} ${reason}`;
  }
  return undefined;
}

function checkFamily(conflict: PoolEntry): string | undefined {
  const ancestors = withAncestors([conflict]).size - 1;
  const descendants = withDescendants([conflict]).size - 1;
  if (ancestors > 1) return `has ${ancestors} ancestors, max 1 allowed`;
  if (descendants > 1) return `has ${descendants} descendants, max 1 allowed`;
  if (ancestors > 0 && descendants > 0) return 'has both ancestor and descendant, exceeding cluster limit of 2';
  for (const child of conflict.children) {
    if (withAncestors([child]).size > 2) return `is not the only parent of child ${child.txid}`;
  }
  for (const parent of conflict.parents) {
    if (withDescendants([parent]).size > 2) return `is not the only child of parent ${parent.txid}`;
  }
  return undefined;
}

/** Whether `incoming` in the place of `replaced` earns more at some size and less at none. The topology is checked. */
export function improvesDiagram(
  conflicts: ReadonlySet<PoolEntry>,
  replaced: ReadonlySet<PoolEntry>,
  incoming: Chunk,
): boolean {
  const parentsThatStay = [...conflicts].flatMap((entry) => [...entry.parents]).filter((one) => !replaced.has(one));
  const before = diagramOf([...replaced].flatMap(chunksOf));
  const after = diagramOf([...parentsThatStay, incoming]);
  const differences = [...before, ...after].map(({ size }) => compareAt(size, after, before));
  return differences.every((one) => one >= 0n) && differences.some((one) => one > 0n);
}

/** With the family, at its last member: the parent and the child, or both as one if the child pays for the parent. */
function chunksOf(entry: PoolEntry): readonly Chunk[] {
  if (entry.children.size > 0) return [];
  const [parent] = entry.parents;
  if (parent === undefined) return [entry];
  return isBetter(entry, parent) ? [packageTotals([parent, entry])] : [parent, entry];
}

/** Corners of the line, without the origin. */
function diagramOf(chunks: readonly Chunk[]): readonly Point[] {
  const sorted = chunks.toSorted((a, b) => (isBetter(a, b) ? -1 : isBetter(b, a) ? 1 : 0));
  let [size, fee] = [0n, 0n];
  return sorted.map((chunk) => {
    size += BigInt(chunk.vsize);
    fee += chunk.modifiedFee;
    return { size, fee };
  });
}

function isBetter(a: Chunk, b: Chunk): boolean {
  return a.modifiedFee * BigInt(b.vsize) > b.modifiedFee * BigInt(a.vsize);
}

/** Above zero if `line` is higher than `other` at that size. */
function compareAt(size: bigint, line: readonly Point[], other: readonly Point[]): bigint {
  const a = heightAt(size, line);
  const b = heightAt(size, other);
  return a.fee * b.size - b.fee * a.size;
}

/** As a fraction: `fee` by `size`. Behind its end the line stays where it is. */
function heightAt(at: bigint, line: readonly Point[]): Point {
  let [size, fee] = [0n, 0n];
  for (const corner of line) {
    if (corner.size >= at) {
      const width = corner.size - size;
      return { fee: fee * width + (corner.fee - fee) * (at - size), size: width };
    }
    ({ size, fee } = corner);
  }
  return { fee, size: 1n };
}
