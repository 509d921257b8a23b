/** Where two branches of the header tree part. */
import type { ChainReader, HeaderEntry } from '#chain';

/**
 * Height of the last header that `a` and `b` have in common (their own if one is the other's ancestor). Steps back
 * from the lower tip in doubling strides, then halves: forks are mostly near the tips. O(log^2) ancestor steps.
 */
export function forkHeight(chain: Pick<ChainReader, 'ancestor'>, a: HeaderEntry, b: HeaderEntry): number {
  const agreesAt = (height: number): boolean => chain.ancestor(a, height).hash === chain.ancestor(b, height).hash;
  let above = Math.min(a.height, b.height);
  if (agreesAt(above)) return above;
  let below = above - 1;
  for (let stride = 1; below > 0 && !agreesAt(below); stride *= 2) {
    above = below;
    below = Math.max(0, below - stride);
  }
  // Invariant: they agree at `below` (genesis at the latest) and differ at `above`.
  while (above - below > 1) {
    const middle = Math.floor((above + below) / 2);
    if (agreesAt(middle)) below = middle;
    else above = middle;
  }
  return below;
}
