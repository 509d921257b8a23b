/** Lines of a screen as pieces of text with a style: cut and filled by cells, painted at the end. Pure. */

export type Style = 'plain' | 'title' | 'dim' | 'good' | 'warn' | 'bad';

export type Span = { readonly text: string; readonly style: Style };

export type Line = readonly Span[];

const MARKS: Readonly<Record<Style, string>> = {
  plain: '',
  title: '\x1b[1m',
  dim: '\x1b[2m',
  good: '\x1b[32m',
  warn: '\x1b[33m',
  bad: '\x1b[31m',
};
const RESET = '\x1b[0m';

/** What a node tells of others must not steer the terminal: control characters are replaced. */
export function span(text: string, style: Style = 'plain'): Span {
  return { text: text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '?'), style };
}

export const line = (text: string, style: Style = 'plain'): Line => [span(text, style)];

export function textOf(spans: Line): string {
  return spans.map(({ text }) => text).join('');
}

const cellsOf = (text: string): readonly string[] => [...text];

/** Exactly `width` cells: what is too long ends with an ellipsis. */
export function fitted(spans: Line, width: number): Line {
  const length = cellsOf(textOf(spans)).length;
  if (length <= width) return [...spans, { text: ' '.repeat(width - length), style: 'plain' }];
  let left = width - 1;
  const kept: Span[] = [];
  for (const { text, style } of spans) {
    if (left <= 0) break;
    const cells = cellsOf(text).slice(0, left);
    left -= cells.length;
    kept.push({ text: cells.join(''), style });
  }
  return width > 0 ? [...kept, { text: '…', style: 'plain' }] : [];
}

export function painted(spans: Line, isColoured: boolean): string {
  if (!isColoured) return textOf(spans);
  return spans
    .map(({ text, style }) => (MARKS[style] === '' || text === '' ? text : `${MARKS[style]}${text}${RESET}`))
    .join('');
}
