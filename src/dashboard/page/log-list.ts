/** Which log lines are shown. Pure. */
import type { LogLine } from '../contract.ts';

export const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

export type Level = (typeof LEVELS)[number];

/** Lines of the level and above, in which the text occurs. */
export function filterLogs(lines: readonly LogLine[], level: Level, text: string): readonly LogLine[] {
  const least = LEVELS.indexOf(level);
  const wanted = text.trim().toLowerCase();
  return lines.filter((line) => {
    if (LEVELS.indexOf(line.level) < least) return false;
    return wanted === '' || `${line.module ?? ''} ${line.text}`.toLowerCase().includes(wanted);
  });
}
