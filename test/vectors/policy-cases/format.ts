/**
 * cases.json: what Bitcoin Core's testmempoolaccept says to single transactions on a small regtest chain. A case stands
 * by itself: its coins are its own, so that all can be tried on one node (`bitcoind -regtest`, the blocks by submitblock,
 * the clock by setmocktime, then per case `before` by sendrawtransaction, and testmempoolaccept with maxfeerate 0).
 * In hex `(unit)*count` stands for `unit` repeated.
 */

export type PolicyCase = {
  readonly group: string;
  readonly name: string;
  /** Core's flags beside the defaults. */
  readonly flags?: readonly string[];
  /** Fee deltas by txid, in sat, set first (prioritisetransaction). */
  readonly deltas?: Readonly<Record<string, number>>;
  /** Transactions that are taken first. */
  readonly before?: readonly string[];
  readonly tx: string;
  /** `allowed`, or the reject-reason of Core 28. */
  readonly expected: string;
  /** The answer of Core 27 where it is another; null where it refuses what goes before. */
  readonly core27?: string | null;
};

export type PolicyCases = {
  /** Heights 1 to the tip. */
  readonly blocks: readonly string[];
  /** Unix seconds. */
  readonly time: number;
  readonly cases: readonly PolicyCase[];
};

export function packHex(hex: string): string {
  return hex.replace(
    /((?:[0-9a-f]{2}){1,40}?)\1{11,}/g,
    (run, unit: string) => `(${unit})*${run.length / unit.length}.`,
  );
}

export function unpackHex(text: string): string {
  return text.replace(/\(([0-9a-f]+)\)\*(\d+)\./g, (_, unit: string, count: string) => unit.repeat(Number(count)));
}
