/** Which rows of a long list are drawn. Pure. */

export type RowsWindow = { readonly from: number; readonly to: number };

/** Rows above and below what is seen, so that a fast scroll shows no gap. */
const SPARE_ROWS = 6;

/** `from` and `to` (behind the last), even and odd as the rows are, so that stripes stay. */
export function rowsWindow(count: number, rowHeight: number, scrollTop: number, viewHeight: number): RowsWindow {
  const first = Math.floor(scrollTop / rowHeight) - SPARE_ROWS;
  const last = Math.ceil((scrollTop + viewHeight) / rowHeight) + SPARE_ROWS;
  const to = Math.min(Math.max(last, 0), count);
  return { from: Math.min(Math.max(first, 0), to), to };
}
