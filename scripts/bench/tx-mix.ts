/**
 * Transactions of the sizes that Bitcoin's network carries, as P2WPKH payments. What matters for relay is kept: the median
 * is an ordinary payment (208 vbytes), the mean is nearly twice it in bytes (about 400), a few in a hundred are above 1 kB,
 * and of a thousand four have 15 or 37 kB (a consolidation, a payout of an exchange), which are a sixth of all bytes.
 */
import type { Shape } from './relay-chain.ts';

type Class = { readonly share: number; readonly shape: Shape };

/** `share`: of the transactions. Bytes in the comments. */
const CLASSES: readonly Class[] = [
  // 222, 371, 347: paid from one coin, from two, to several.
  { share: 0.44, shape: { inputs: 1, outputs: 2 } },
  { share: 0.4, shape: { inputs: 2, outputs: 2 } },
  { share: 0.1, shape: { inputs: 1, outputs: 6 } },
  // 669.
  { share: 0.035, shape: { inputs: 4, outputs: 2 } },
  // 1,403 and 3,053: a batch, a small consolidation.
  { share: 0.016, shape: { inputs: 1, outputs: 40 } },
  { share: 0.005, shape: { inputs: 20, outputs: 2 } },
  // 15,000 and 37,000.
  { share: 0.003, shape: { inputs: 100, outputs: 2 } },
  { share: 0.001, shape: { inputs: 1, outputs: 1200 } },
];

/** Multiples of it, modulo one, fill the range evenly however many there are (a low-discrepancy sequence). */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** The n-th transaction: any run of them has each class in its share, as nearly as whole numbers can. */
export function mixedShape(n: number): Shape {
  // A half, so that a hundred have the rarest class no more than once.
  let left = (0.5 + n * GOLDEN) % 1;
  for (const { share, shape } of CLASSES) {
    left -= share;
    if (left < 0) return shape;
  }
  // Shares add up to one but for rounding.
  return { inputs: 1, outputs: 2 };
}

/** Coins that the first `count` take. */
export function mixedCoins(count: number): number {
  return Array.from({ length: count }, (_, n) => mixedShape(n).inputs).reduce((sum, each) => sum + each, 0);
}
