/** The mempool by fee rate, and the line above which the next block takes. */
import type { JSX } from 'preact';
import type { FeerateBucket, ProjectedBlock } from '../../contract.ts';
import { niceCeiling } from '../chart.ts';
import { occupiedBuckets, placeAmong } from '../fee-buckets.ts';
import * as format from '../format.ts';
import { Measured } from './measured.tsx';

export type Measure = 'vsizeBytes' | 'txCount';

const HEIGHT = 210;
const HEAD = 20;
const FOOT = 40;
const LEFT = 64;
/** Room for the number of a column below it. */
const LABEL_WIDTH = 44;
const LINE_TEXT_WIDTH = 95;

type HistogramProps = {
  readonly buckets: readonly FeerateBucket[];
  readonly next: ProjectedBlock | undefined;
  readonly measure: Measure;
};

export function Histogram(props: HistogramProps): JSX.Element {
  if (occupiedBuckets(props.buckets).length === 0) return <p class="quiet">The mempool is empty.</p>;
  return <Measured draw={(widthPx) => <Columns {...props} widthPx={widthPx} />} />;
}

/** A block that takes all takes its columns whole, though what pays least pays more than the column's border. */
function lineAt({ txCount, minFeerateSatPerVb }: ProjectedBlock, shown: readonly FeerateBucket[]): number {
  const all = shown.reduce((sum, bucket) => sum + bucket.txCount, 0);
  return txCount >= all ? shown.findIndex((bucket) => bucket.txCount > 0) : placeAmong(minFeerateSatPerVb, shown);
}

const clamp = (part: number): number => Math.min(Math.max(part, 0), 1);

function Columns({ buckets, next, measure, widthPx }: HistogramProps & { readonly widthPx: number }): JSX.Element {
  const shown = occupiedBuckets(buckets);
  const top = niceCeiling(Math.max(...shown.map((bucket) => bucket[measure])));
  const step = (widthPx - LEFT) / shown.length;
  const eachLabel = Math.ceil((shown.length * LABEL_WIDTH) / (widthPx - LEFT));
  const least = next?.minFeerateSatPerVb ?? Number.POSITIVE_INFINITY;
  const isLine = next !== undefined;
  const line = isLine ? lineAt(next, shown) : shown.length;
  const label = isLine ? `The next block takes what pays ${format.feerate(least)} sat per vbyte or more.` : '';
  return (
    <svg width={widthPx} height={HEAD + HEIGHT + FOOT} role="img" aria-label={`Mempool by fee rate. ${label}`}>
      <ValueAxis top={top} unit={measure === 'txCount' ? '' : 'vB'} widthPx={widthPx} />
      {shown.map((bucket, at) => (
        <Column
          key={bucket.fromSatPerVb}
          {...{ bucket, step, measure, top }}
          x={LEFT + at * step}
          nextPart={clamp(at + 1 - line)}
          hasLabel={at % eachLabel === 0}
        />
      ))}
      {isLine && <NextBlockLine x={LEFT + step * line} widthPx={widthPx} />}
      <text x={(widthPx + LEFT) / 2} y={HEAD + HEIGHT + FOOT - 4} text-anchor="middle">
        sat/vB
      </text>
    </svg>
  );
}

type ColumnProps = {
  readonly bucket: FeerateBucket;
  readonly x: number;
  readonly step: number;
  readonly top: number;
  readonly measure: Measure;
  /** How much of it, on the right, the next block takes. */
  readonly nextPart: number;
  readonly hasLabel: boolean;
};

function Column({ bucket, x, step, top, measure, nextPart, hasLabel }: ColumnProps): JSX.Element {
  const { fromSatPerVb, txCount, vsizeBytes } = bucket;
  const height = (bucket[measure] / top) * HEIGHT;
  const width = Math.max(step - 2, 1);
  const taken = width * nextPart;
  const from = format.feerate(fromSatPerVb);
  return (
    <g class="column">
      <title>{`from ${from} sat/vB: ${format.count(txCount)} transactions, ${format.withPrefix(vsizeBytes, 'vB')}`}</title>
      <rect x={x + 1} y={HEAD + HEIGHT - height} width={width} height={height} />
      <rect class="next" x={x + 1 + width - taken} y={HEAD + HEIGHT - height} width={taken} height={height} />
      {hasLabel && (
        <text x={x} y={HEAD + HEIGHT + 17} text-anchor="middle">
          {from}
        </text>
      )}
    </g>
  );
}

function NextBlockLine({ x, widthPx }: { readonly x: number; readonly widthPx: number }): JSX.Element {
  const isLeft = x > widthPx - LINE_TEXT_WIDTH;
  return (
    <g class="next-line">
      <path d={`M${x} 2V${HEAD + HEIGHT}`} />
      <text x={x + (isLeft ? -7 : 7)} y={12} text-anchor={isLeft ? 'end' : 'start'}>
        next block →
      </text>
    </g>
  );
}

type ValueAxisProps = { readonly top: number; readonly unit: string; readonly widthPx: number };

function ValueAxis({ top, unit, widthPx }: ValueAxisProps): JSX.Element {
  return (
    <g class="grid">
      {[0, 0.5, 1].map((part) => {
        const y = HEAD + HEIGHT * (1 - part);
        return (
          <g key={part}>
            <path d={`M${LEFT} ${y}H${widthPx}`} />
            <text x={LEFT - 8} y={y + 4} text-anchor="end">
              {part === 0 ? '0' : format.withPrefix(top * part, unit)}
            </text>
          </g>
        );
      })}
    </g>
  );
}
