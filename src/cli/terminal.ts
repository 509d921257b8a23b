/**
 * Lines that stay (log lines, results) above lines that are redrawn in place (progress, the devnet's table).
 *
 * Redrawing happens on a terminal only. Elsewhere the live lines are printed at most every `plainIntervalMs`, so
 * that a log file reads well.
 */
import type { Clock } from '#util';

/** The part of a tty.WriteStream that is used. */
export type TerminalStream = {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  readonly write: (text: string) => unknown;
};

export type Terminal = {
  readonly isInteractive: boolean;
  /** A line that stays. */
  readonly print: (line: string) => void;
  /** Replaces the live lines. Cheap to call often: it draws at most ten times a second. */
  readonly live: (lines: readonly string[]) => void;
  /** Leaves the live lines where they are and goes on below them. */
  readonly settle: () => void;
};

type TerminalOptions = {
  readonly plainIntervalMs: number;
};

const REDRAW_MS = 100;

export function createTerminal(stream: TerminalStream, clock: Clock, options: TerminalOptions): Terminal {
  const isInteractive = stream.isTTY === true;
  const intervalMs = isInteractive ? REDRAW_MS : options.plainIntervalMs;
  let drawn: readonly string[] = [];
  // A log file begins with what happened, not with an empty progress line.
  let lastMs = isInteractive ? Number.NEGATIVE_INFINITY : clock.monotonicMs();
  let pending: readonly string[] | undefined;

  const erase = (): string => (drawn.length === 0 ? '' : `\r\x1b[${drawn.length}A\x1b[0J`);
  const draw = (lines: readonly string[]): void => {
    lastMs = clock.monotonicMs();
    pending = undefined;
    if (!isInteractive) {
      if (lines.length > 0) stream.write(`${lines.join('\n')}\n`);
      return;
    }
    // One row less than the terminal has: scrolled-off rows cannot be erased. Some terminals give their size as 0.
    const visible = lines
      .slice(0, Math.max(1, (stream.rows || 24) - 1))
      .map((line) => clip(line, stream.columns || 80));
    stream.write(`${erase()}${visible.map((line) => `${line}\n`).join('')}`);
    drawn = visible;
  };
  return {
    isInteractive,
    print: (line) => {
      const kept = drawn;
      const text = `${isInteractive ? erase() : ''}${line}\n`;
      drawn = [];
      stream.write(text + (isInteractive ? kept.map((live) => `${live}\n`).join('') : ''));
      drawn = kept;
    },
    live: (lines) => {
      if (clock.monotonicMs() - lastMs >= intervalMs) draw(lines);
      else pending = lines;
    },
    settle: () => {
      if (pending !== undefined && isInteractive) draw(pending);
      drawn = [];
    },
  };
}

/** A line that wraps would break the count of lines to erase. */
function clip(line: string, columns: number): string {
  const cells = [...line];
  return cells.length <= columns ? line : `${cells.slice(0, Math.max(0, columns - 1)).join('')}…`;
}
