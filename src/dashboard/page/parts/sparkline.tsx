import type { JSX } from 'preact';
import { areaPath, linePath, niceCeiling } from '../chart.ts';

type SparklineProps = {
  readonly values: readonly number[];
  /** What it shows, and how much it is now: for those who do not see it. */
  readonly label: string;
  readonly tone?: 'first' | 'second';
};

const WIDTH = 240;
const HEIGHT = 48;

export function Sparkline({ values, label, tone = 'first' }: SparklineProps): JSX.Element {
  const top = niceCeiling(Math.max(0, ...values));
  // One alone is level so far.
  const drawn = values.length === 1 ? [...values, ...values] : values;
  return (
    <svg
      class={`sparkline ${tone}`}
      viewBox={`0 -1 ${WIDTH} ${HEIGHT + 2}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <path class="area" d={areaPath(drawn, WIDTH, HEIGHT, top)} />
      <path class="line" d={linePath(drawn, WIDTH, HEIGHT, top)} />
    </svg>
  );
}
