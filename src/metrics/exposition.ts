/**
 * The rows as Prometheus' text format, version 0.0.4. Written here: the counts are kept by whom they are about, and
 * prom-client takes none that it did not count itself.
 */
import type { HistogramFigures } from '#meter';
import type { Figures } from './figures.ts';
import type { ByLabel, MetricRow } from './row.ts';

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

type Value = number | HistogramFigures | undefined;
/** Labels as they are written, without braces, and the value. */
type Sample = readonly [string, Value];

export function expositionText(rows: readonly MetricRow[], figures: Figures): string {
  return `${rows.map((row) => familyText(row, figures)).join('\n')}\n`;
}

function familyText(row: MetricRow, figures: Figures): string {
  const lines = [`# HELP ${row.name} ${row.help}`, `# TYPE ${row.name} ${row.type}`];
  for (const [labels, value] of samples(row, figures)) {
    if (typeof value === 'object') pushHistogram(lines, row.name, labels, value);
    else if (value !== undefined && Number.isFinite(value)) lines.push(sampleText(row.name, labels, value));
  }
  return lines.join('\n');
}

function samples(row: MetricRow, figures: Figures): readonly Sample[] {
  if (row.labels === undefined) return [['', row.read(figures)]];
  const [first, second] = row.labels;
  const read: ByLabel<Value | ByLabel<Value>> = row.read(figures);
  if (second === undefined) return labelled(first, read as ByLabel<Value>);
  return Object.entries(read as ByLabel<ByLabel<Value>>).flatMap(([label, values]) =>
    labelled(second, values).map(([inner, value]): Sample => [`${labelText(first, label)},${inner}`, value]),
  );
}

function labelled(name: string, values: ByLabel<Value>): readonly Sample[] {
  return Object.entries(values).map(([label, value]) => [labelText(name, label), value]);
}

function pushHistogram(lines: string[], name: string, labels: string, { bounds, counts, sum }: HistogramFigures): void {
  const before = labels === '' ? '' : `${labels},`;
  let upTo = 0;
  for (const [at, count] of counts.entries()) {
    upTo += count;
    lines.push(sampleText(`${name}_bucket`, `${before}le="${bounds[at] ?? '+Inf'}"`, upTo));
  }
  lines.push(sampleText(`${name}_sum`, labels, sum), sampleText(`${name}_count`, labels, upTo));
}

function sampleText(name: string, labels: string, value: number): string {
  return labels === '' ? `${name} ${value}` : `${name}{${labels}} ${value}`;
}

function labelText(name: string, value: string): string {
  return `${name}="${value.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n')}"`;
}
