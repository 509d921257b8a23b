/** Adds up what the shares of a run met. */
import type { ShareResult } from './target.ts';

export type Tally = {
  cases: number;
  readonly kinds: Map<string, { valid: number; invalid: number }>;
  readonly differences: string[];
};

export function emptyTally(): Tally {
  return { cases: 0, kinds: new Map(), differences: [] };
}

export function addShare(tally: Tally, share: ShareResult): void {
  for (const [kind, { valid, invalid }] of share.kinds) {
    const sum = tally.kinds.get(kind) ?? { valid: 0, invalid: 0 };
    tally.kinds.set(kind, { valid: sum.valid + valid, invalid: sum.invalid + invalid });
    tally.cases += valid + invalid;
  }
  tally.differences.push(...share.differences);
}

/** Kinds that were only ever valid, or only ever invalid, test half of what they should: it must be visible. */
export function tallyTable({ kinds }: Tally): string {
  const rows = [...kinds].sort(([a], [b]) => (a < b ? -1 : 1));
  const width = Math.max(...rows.map(([kind]) => kind.length));
  return rows
    .map(([kind, { valid, invalid }]) => `${kind.padEnd(width)}  ${column(valid)} valid  ${column(invalid)} invalid`)
    .join('\n');
}

const column = (count: number): string => String(count).padStart(7);

export function summaryLine({ cases, kinds, differences }: Tally): string {
  let valid = 0;
  for (const kind of kinds.values()) valid += kind.valid;
  return `${cases} cases, ${valid} valid, ${cases - valid} invalid, ${differences.length} differences`;
}
