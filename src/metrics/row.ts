/** What a row of the table of metrics says. Values are read when somebody scrapes, never written on the way of a block. */
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

/** Undefined and not finite: nothing is known, so nothing is said. */
type Value = number | undefined;

type Common = {
  /** starling_<area>_<what>[_<unit>], of counters with `_total`. */
  readonly name: string;
  readonly help: string;
  /** A counter counts from the start of the node. */
  readonly type: 'gauge' | 'counter';
  readonly unit: Unit;
};

export type MetricRow = Common &
  (
    | { readonly label?: undefined; readonly read: (figures: Figures) => Value }
    /** `read` gives a value for each value of the label. These come from our own tables: never a peer, address or hash. */
    | { readonly label: string; readonly read: (figures: Figures) => Readonly<Record<string, Value>> }
  );

/** A state as Prometheus shows one: 1 at the value that holds, 0 at the others. */
export function oneOf(values: readonly string[], holds: string): Readonly<Record<string, number>> {
  return Object.fromEntries(values.map((value) => [value, value === holds ? 1 : 0]));
}

/** The names with how many of the items have each, 0 included. */
export function countBy(names: readonly string[], items: readonly string[]): Readonly<Record<string, number>> {
  return Object.fromEntries(names.map((name) => [name, items.filter((item) => item === name).length]));
}
