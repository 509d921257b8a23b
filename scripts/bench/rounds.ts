/** Runs cases in turns and sums them up. Medians, because other work on the machine only ever makes a run slower. */
import type { Case, CaseResult, Figure, Sample } from './benchmark.ts';

/** Measures each case once to warm up, unless it is always cold, then all of them `rounds` times in turns. */
export async function runRounds(
  cases: readonly Case[],
  rounds: number,
  report: (done: number, of: number) => void,
): Promise<CaseResult[]> {
  const samples = new Map<string, Sample[]>(cases.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const [index, { name, measure, isAlwaysCold = false }] of cases.entries()) {
      if (round === 0 && isAlwaysCold) continue;
      report(round * cases.length + index, (rounds + 1) * cases.length);
      const sample = await measure();
      if (round > 0) samples.get(name)?.push(sample);
    }
  }
  return summarize(cases, samples);
}

/** `samples`: by case name, the n-th of each taken in the same round. */
export function summarize(
  cases: readonly Pick<Case, 'name' | 'unit' | 'against'>[],
  samples: ReadonlyMap<string, readonly Sample[]>,
): CaseResult[] {
  return cases.map(({ name, unit, against }) => {
    const own = samples.get(name) ?? [];
    const others = against === undefined ? undefined : samples.get(against);
    const wall = (sample: Sample): number => value(unit, sample.amount, sample.wallMs);
    const cpu = (sample: Sample): number | undefined =>
      sample.cpuMs === undefined ? undefined : value(unit, sample.amount, sample.cpuMs);
    return {
      name,
      unit,
      wall: figure(own.map(wall)),
      cpu: ifAll(own.map(cpu), figure),
      ratio:
        against === undefined || others === undefined
          ? undefined
          : { against, wall: medianRatio(own, others, wall), cpu: ifAll(ratios(own, others, cpu), median) },
      extra: medianExtras(own),
      rounds: own.length,
    };
  });
}

function value(unit: string, amount: number, ms: number): number {
  return unit === 'ms' ? ms : amount / (ms / 1000);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

function figure(values: readonly number[]): Figure {
  return { median: median(values), low: Math.min(...values), high: Math.max(...values) };
}

type Measure<T> = (sample: Sample) => T;

function ratios(
  own: readonly Sample[],
  others: readonly Sample[],
  of: Measure<number | undefined>,
): (number | undefined)[] {
  return own.map((sample, round) => {
    const other = others[round];
    const [above, below] = [of(sample), other === undefined ? undefined : of(other)];
    return above === undefined || below === undefined ? undefined : above / below;
  });
}

function medianRatio(own: readonly Sample[], others: readonly Sample[], of: Measure<number>): number {
  return ifAll(ratios(own, others, of), median) ?? Number.NaN;
}

function ifAll<T>(values: readonly (number | undefined)[], use: (values: readonly number[]) => T): T | undefined {
  const known = values.filter((each) => each !== undefined);
  return known.length === values.length && known.length > 0 ? use(known) : undefined;
}

function medianExtras(samples: readonly Sample[]): Record<string, number> {
  const names = new Set(samples.flatMap(({ extra }) => Object.keys(extra ?? {})));
  return Object.fromEntries(
    [...names].map((name) => [
      name,
      median(samples.map(({ extra }) => extra?.[name]).filter((each) => each !== undefined)),
    ]),
  );
}
