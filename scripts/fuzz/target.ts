/** What a fuzz target is, and how a run is cut into shares. */

/** How one case ended. */
export type Outcome = {
  readonly kind: string;
  readonly isValid: boolean;
  /** What disagreed about which input, in full. */
  readonly difference: string | undefined;
};

/** Calls made with the same seed and number give the same outcomes. */
export type FuzzRun = (seed: number, cases: number) => Iterable<Outcome> | AsyncIterable<Outcome>;

export type FuzzTarget = {
  readonly name: string;
  readonly what: string;
  readonly usualCases: number;
  /** Why it cannot run here, if something is missing that the project does not bring along. Fetches what can be fetched. */
  readonly lacks?: () => Promise<string | undefined>;
  /** Runs in a thread of its own. What it needs until the thread ends goes into the stack. */
  readonly start: (stack: AsyncDisposableStack) => FuzzRun | Promise<FuzzRun>;
};

export type ShareResult = {
  readonly kinds: ReadonlyMap<string, { readonly valid: number; readonly invalid: number }>;
  readonly differences: readonly string[];
};

/** Cases a share. Each share has a seed of its own, so that it does not matter which thread takes it. */
export const SHARE_CASES = 250;

/** The number of cases of each share of a run. */
export function sharesOf(cases: number): readonly number[] {
  const count = Math.ceil(cases / SHARE_CASES);
  return Array.from({ length: count }, (_, share) => Math.min(SHARE_CASES, cases - share * SHARE_CASES));
}

/** Signed 32 bits, as fast-check takes it; far apart for neighbours, so that runs with seeds 1 and 2 share nothing. */
export function shareSeed(seed: number, share: number): number {
  return (Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(share + 1, 0x85ebca77)) | 0;
}
