/** What a row of the table says. Values are read when somebody scrapes, never written on the way of a block. */
import type { HistogramFigures } from '#meter';
import type { Figures } from './figures.ts';

/** Prometheus' base units; the name ends with it. `count` has none: the name says what is counted, or is a state of 0 or 1. */
export type Unit =
  | 'seconds'
  | 'bytes'
  | 'bytes_per_second'
  | 'ratio'
  | 'hashes'
  | 'satoshis'
  | 'satoshis_per_kvb'
  | 'count';

type Common = {
  /** starling_<area>_<what>[_<unit>], of counters with `_total`. */
  readonly name: string;
  readonly help: string;
  readonly unit: Unit;
};

/** By the value of a label. These come from our own tables: never a peer, address or hash. */
export type ByLabel<T> = Readonly<Record<string, T>>;

/** Undefined and not finite: nothing is known, so nothing is said. */
type Readings<T> =
  | { readonly labels?: undefined; readonly read: (figures: Figures) => T | undefined }
  | { readonly labels: readonly [string]; readonly read: (figures: Figures) => ByLabel<T | undefined> }
  | {
      readonly labels: readonly [string, string];
      readonly read: (figures: Figures) => ByLabel<ByLabel<T | undefined>>;
    };

/** Counters and histograms count from the start of the node. */
export type MetricRow = Common &
  (
    | ({ readonly type: 'gauge' | 'counter' } & Readings<number>)
    | ({ readonly type: 'histogram' } & Readings<HistogramFigures>)
  );

/** A state as Prometheus shows one: 1 at the value that holds, 0 at the others. */
export function oneOf(values: readonly string[], holds: string): ByLabel<number> {
  return Object.fromEntries(values.map((value) => [value, value === holds ? 1 : 0]));
}

/** The names with how many of the items have each, 0 included. */
export function countBy(names: readonly string[], items: readonly string[]): ByLabel<number> {
  return Object.fromEntries(names.map((name) => [name, items.filter((item) => item === name).length]));
}

/** The same labels with something made of each value. */
export function mapLabels<From, To>(from: ByLabel<From>, to: (value: From) => To): ByLabel<To> {
  return Object.fromEntries(Object.entries(from).map(([label, value]) => [label, to(value)]));
}

export function seconds(ms: number): number {
  return ms / 1000;
}
