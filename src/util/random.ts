/** The randomness port. The node takes the system's; simulations take a seeded one. */
import { randomBytes } from 'node:crypto';

export type Random = {
  /** `length` fresh random bytes; the caller owns them. */
  readonly bytes: (length: number) => Uint8Array;
  /** A uniform integer in 0 .. below-1. `below` is 1 .. 2^32. */
  readonly below: (below: number) => number;
};

export const systemRandom: Random = {
  bytes: (length) => new Uint8Array(randomBytes(length)),
  below: (below) => uniformBelow(below, () => randomBytes(4).readUInt32LE(0)),
};

/**
 * A repeatable generator for tests and simulations (SplitMix32); never for keys or nonces that must not be guessed.
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  return {
    bytes: (length) => Uint8Array.from({ length }, () => next() & 0xff),
    below: (below) => uniformBelow(below, next),
  };
}

const STEPS = 2 ** 32;

/** The time to the next event of a Poisson process with this mean between two, or `mean` in any other unit. */
export function exponential(random: Random, mean: number): number {
  // 1 .. 2^32, so that the logarithm is finite.
  return -mean * Math.log((random.below(STEPS) + 1) / STEPS);
}

/** Rejection sampling, so that no value is more likely than another. */
function uniformBelow(below: number, next32: () => number): number {
  if (!Number.isInteger(below) || below < 1 || below > 2 ** 32) throw new RangeError(`random below ${below}`);
  const limit = 2 ** 32 - (2 ** 32 % below);
  for (;;) {
    const value = next32();
    if (value < limit) return value % below;
  }
}
