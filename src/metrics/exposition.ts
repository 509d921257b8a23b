/** The rows as Prometheus' text format. A registry of its own: several nodes may run in one process. */
import { Counter, Gauge, Registry } from 'prom-client';
import type { Figures } from './figures.ts';
import type { MetricRow } from './row.ts';

export const CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** Where values go; a counter is set anew each time, as its count is kept elsewhere. */
type Target = {
  readonly reset: () => void;
  readonly set: (value: number, labels: Readonly<Record<string, string>>) => void;
};

export class Exposition {
  readonly #registry = new Registry();
  readonly #targets: readonly (readonly [MetricRow, Target])[];

  constructor(rows: readonly MetricRow[]) {
    this.#targets = rows.map((row) => [row, makeTarget(row, this.#registry)]);
  }

  text(figures: Figures): Promise<string> {
    for (const [row, target] of this.#targets) {
      target.reset();
      for (const [labelValue, value] of samples(row, figures)) {
        const labels = row.label === undefined ? {} : { [row.label]: labelValue };
        if (value !== undefined && Number.isFinite(value)) target.set(value, labels);
      }
    }
    return this.#registry.metrics();
  }
}

function samples(row: MetricRow, figures: Figures): readonly (readonly [string, number | undefined])[] {
  return row.label === undefined ? [['', row.read(figures)]] : Object.entries(row.read(figures));
}

function makeTarget({ name, help, type, label }: MetricRow, registry: Registry): Target {
  const labelNames = label === undefined ? [] : [label];
  const configuration = { name, help, labelNames, registers: [registry] };
  if (type === 'gauge') {
    const gauge = new Gauge(configuration);
    const reset = (): void => {
      gauge.reset();
      // Of a gauge without label that leaves a 0, also where nothing is known.
      if (label === undefined) gauge.remove();
    };
    return { reset, set: (value, labels) => gauge.set(labels, value) };
  }
  const counter = new Counter(configuration);
  return { reset: () => counter.reset(), set: (value, labels) => counter.inc(labels, value) };
}
