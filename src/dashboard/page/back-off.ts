/** When to try again after the feed broke off. */

const FIRST_MS = 500;
const MAX_MS = 15_000;

/** Doubles with each attempt that failed; spread, so that not all pages of a restarted node come at once. `chance`: 0 to 1. */
export function retryDelayMs(attempt: number, chance: number): number {
  const longest = Math.min(MAX_MS, FIRST_MS * 2 ** Math.min(attempt, 10));
  return Math.round(longest * (0.5 + chance / 2));
}
