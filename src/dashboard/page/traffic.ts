/** Bandwidth by protocol: which protocols have a colour of their own, and their layers over time. Pure. */
import type { Bandwidth, BandwidthSample } from '../contract.ts';

export type Direction = 'in' | 'out';

export type ProtocolTraffic = {
  readonly name: string;
  /** Bytes a second, mean of the samples. */
  readonly meanIn: number;
  readonly meanOut: number;
  readonly nowIn: number;
  readonly nowOut: number;
  readonly seriesIn: readonly number[];
  readonly seriesOut: readonly number[];
};

const rateOf = (sample: BandwidthSample, direction: Direction, at: number): number =>
  (direction === 'in' ? sample.inBytesPerSecond : sample.outBytesPerSecond)[at] ?? 0;

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

/** Every protocol that carried something, the busiest first. */
export function trafficByProtocol({ protocols, samples }: Bandwidth): ProtocolTraffic[] {
  const all = protocols.map((name, at) => {
    const seriesIn = samples.map((sample) => rateOf(sample, 'in', at));
    const seriesOut = samples.map((sample) => rateOf(sample, 'out', at));
    return {
      name,
      ...{ meanIn: mean(seriesIn), meanOut: mean(seriesOut), seriesIn, seriesOut },
      ...{ nowIn: seriesIn.at(-1) ?? 0, nowOut: seriesOut.at(-1) ?? 0 },
    };
  });
  return all
    .filter(({ meanIn, meanOut }) => meanIn + meanOut > 0)
    .sort((a, b) => b.meanIn + b.meanOut - a.meanIn - a.meanOut);
}

/** The first `max - 1`, and the others as one. */
export function withRest(traffic: readonly ProtocolTraffic[], max: number): ProtocolTraffic[] {
  if (traffic.length <= max) return [...traffic];
  const rest = traffic.slice(max - 1);
  const sum = (of: (each: ProtocolTraffic) => number): number => rest.reduce((total, each) => total + of(each), 0);
  const sums = (of: (each: ProtocolTraffic) => readonly number[]): number[] =>
    (rest[0] === undefined ? [] : of(rest[0])).map((_, at) => sum((each) => of(each)[at] ?? 0));
  const others = {
    name: `${rest.length} others`,
    ...{ meanIn: sum((each) => each.meanIn), meanOut: sum((each) => each.meanOut) },
    ...{ nowIn: sum((each) => each.nowIn), nowOut: sum((each) => each.nowOut) },
    ...{ seriesIn: sums((each) => each.seriesIn), seriesOut: sums((each) => each.seriesOut) },
  };
  return [...traffic.slice(0, max - 1), others];
}

/** Of all protocols together, oldest first. */
export function totals({ samples }: Bandwidth, direction: Direction): number[] {
  return samples.map(({ inBytesPerSecond, outBytesPerSecond }) =>
    (direction === 'in' ? inBytesPerSecond : outBytesPerSecond).reduce((sum, each) => sum + each, 0),
  );
}
