/** Tables that leave columns out where there is no room for them. Pure. */
import { type Align, table } from '../format.ts';

export type Column = {
  readonly align: Align;
  readonly cells: readonly string[];
  /** The least is left out first. */
  readonly weight: number;
};

const GAP_CELLS = 2;

/** Without columns that are empty, and without the least ones until the rest fits; at least one stays. */
export function fittingTable(columns: readonly Column[], width: number): readonly string[] {
  const kept = columns.filter(({ cells }) => cells.some((cell) => cell !== ''));
  while (kept.length > 1 && widthOf(kept) > width) {
    const least = Math.min(...kept.map(({ weight }) => weight));
    kept.splice(
      kept.findIndex(({ weight }) => weight === least),
      1,
    );
  }
  const rows = kept[0]?.cells.map((_, row) => kept.map(({ cells }) => cells[row] ?? '')) ?? [];
  return table(
    kept.map(({ align }) => align),
    rows,
  );
}

function widthOf(columns: readonly Column[]): number {
  const widths = columns.map(({ cells }) => Math.max(...cells.map((cell) => [...cell].length)));
  return widths.reduce((sum, width) => sum + width + GAP_CELLS, -GAP_CELLS);
}
