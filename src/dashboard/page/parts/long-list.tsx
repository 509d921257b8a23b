/**
 * A table of which only the rows in sight exist: rows have one height, the others are room above and below. It scrolls within
 * itself and, having many rows, can be reached by keyboard.
 */
import type { ComponentChildren, JSX } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { rowsWindow } from '../rows-window.ts';
import { REACHABLE } from './scroll-box.tsx';

const ROW_HEIGHT_PX = 36;

type LongListProps<Row> = {
  readonly label: string;
  readonly head: ComponentChildren;
  readonly rows: readonly Row[];
  readonly columns: number;
  readonly row: (row: Row) => JSX.Element;
  readonly rowHeightPx?: number;
  /** Stays at the end while rows are added. */
  readonly isFollowing?: boolean;
  /** The reader scrolled to the end, or away from it. */
  readonly onAtEnd?: (isAtEnd: boolean) => void;
};

export function LongList<Row>(props: LongListProps<Row>): JSX.Element {
  const { label, head, rows, columns, row, rowHeightPx = ROW_HEIGHT_PX, isFollowing = false, onAtEnd } = props;
  const box = useRef<HTMLElement>(null);
  const [view, setView] = useState({ top: 0, height: 600 });
  const look = (): void => {
    const { scrollTop = 0, clientHeight = 0, scrollHeight = 0 } = box.current ?? {};
    if (scrollTop !== view.top || clientHeight !== view.height) setView({ top: scrollTop, height: clientHeight });
    onAtEnd?.(scrollHeight - scrollTop - clientHeight < rowHeightPx);
  };
  useLayoutEffect(() => {
    if (isFollowing && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
    const { scrollTop = 0, clientHeight = 0 } = box.current ?? {};
    setView((last) =>
      last.top === scrollTop && last.height === clientHeight ? last : { top: scrollTop, height: clientHeight },
    );
  }, [rows, isFollowing]);
  const { from, to } = rowsWindow(rows.length, rowHeightPx, view.top, view.height);
  return (
    <section
      class="long-list"
      ref={box}
      onScroll={look}
      aria-label={label}
      {...REACHABLE}
      style={{ '--row-height': `${rowHeightPx}px` }}
    >
      <table aria-rowcount={rows.length + 1}>
        <thead>{head}</thead>
        <tbody>
          <Room columns={columns} heightPx={from * rowHeightPx} />
          {rows.slice(from, to).map(row)}
          <Room columns={columns} heightPx={(rows.length - to) * rowHeightPx} />
        </tbody>
      </table>
    </section>
  );
}

function Room({ columns, heightPx }: { readonly columns: number; readonly heightPx: number }): JSX.Element | null {
  if (heightPx === 0) return null;
  return (
    <tr class="room">
      <td colSpan={columns} style={{ height: `${heightPx}px` }} />
    </tr>
  );
}
