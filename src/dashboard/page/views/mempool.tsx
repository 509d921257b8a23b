/** What waits, by the fee rate it pays, and where the next block's line runs. */
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { FeerateBucket, Mempool, ProjectedBlock } from '../../contract.ts';
import { niceCeiling } from '../chart.ts';
import * as format from '../format.ts';
import { TxLink } from '../parts/links.tsx';
import { Figures, Panel } from '../parts/panel.tsx';
import type { ViewProps } from '../view-props.ts';

type Measure = 'vsizeBytes' | 'txCount';

export function MempoolView({ feed, nowMs }: ViewProps): JSX.Element {
  const { mempool } = feed;
  const [measure, setMeasure] = useState<Measure>('vsizeBytes');
  const isByCount = measure === 'txCount';
  const toggle = (
    <button type="button" aria-pressed={isByCount} onClick={() => setMeasure(isByCount ? 'vsizeBytes' : 'txCount')}>
      count transactions
    </button>
  );
  const histogram = useMemo(
    () => <Histogram buckets={mempool.histogram} next={mempool.projectedBlocks[0]} measure={measure} />,
    [mempool, measure],
  );
  return (
    <>
      <MempoolFigures mempool={mempool} />
      <Panel title="By fee rate" aside={toggle}>
        {histogram}
      </Panel>
      <ProjectedPanel blocks={mempool.projectedBlocks} />
      <LatestPanel mempool={mempool} nowMs={nowMs} />
    </>
  );
}

function MempoolFigures({ mempool }: { readonly mempool: Mempool }): JSX.Element {
  const { txCount, vsizeBytes, usageBytes, maxBytes, totalFeeSats, minFeerateSatPerVb, enteredCount, leftCount } =
    mempool;
  return (
    <Figures
      facts={[
        { label: 'Transactions', value: format.count(txCount), field: 'mempool-count' },
        { label: 'Size', value: format.withPrefix(vsizeBytes, 'vB'), field: 'mempool-vsize' },
        { label: 'Memory', value: format.bytes(usageBytes), note: `of ${format.bytes(maxBytes)}` },
        { label: 'Fees', value: format.bitcoins(totalFeeSats), note: 'BTC' },
        { label: 'Least taken', value: format.feerate(minFeerateSatPerVb), note: 'sat/vB' },
        {
          label: 'Entered',
          value: format.count(enteredCount),
          note: `${format.count(leftCount)} left, since the start`,
        },
      ]}
    />
  );
}

const WIDTH = 720;
const HEIGHT = 220;
const FOOT = 40;
const LEFT = 58;

type HistogramProps = {
  readonly buckets: readonly FeerateBucket[];
  readonly next: ProjectedBlock | undefined;
  readonly measure: Measure;
};

function Histogram({ buckets, next, measure }: HistogramProps): JSX.Element {
  const shown = occupied(buckets);
  if (shown.length === 0) return <p class="quiet">The mempool is empty.</p>;
  const top = niceCeiling(Math.max(...shown.map((bucket) => bucket[measure])));
  const step = (WIDTH - LEFT) / shown.length;
  const least = next && format.feerate(next.minFeerateSatPerVb);
  const label = `Mempool by fee rate.${least ? ` The next block takes what pays ${least} sat per vbyte or more.` : ''}`;
  const line = next === undefined ? undefined : LEFT + step * positionOf(next.minFeerateSatPerVb, shown);
  return (
    <div class="histogram">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT + FOOT + 16}`} role="img" aria-label={label}>
        <ValueAxis top={top} unit={measure === 'txCount' ? '' : 'vB'} />
        {shown.map((bucket, at) => (
          <Bar
            key={bucket.fromSatPerVb}
            bucket={bucket}
            x={LEFT + at * step}
            step={step}
            top={top}
            measure={measure}
            isNext={next !== undefined && bucket.fromSatPerVb >= next.minFeerateSatPerVb}
            hasLabel={at % Math.ceil(shown.length / 16) === 0}
          />
        ))}
        {line !== undefined && (
          <g class="next-line">
            <path d={`M${line} 4V${HEIGHT + 16}`} />
            <text x={line + (line > WIDTH - 130 ? -6 : 6)} y="14" text-anchor={line > WIDTH - 130 ? 'end' : 'start'}>
              next block from here
            </text>
          </g>
        )}
        <text class="axis-title" x={(WIDTH + LEFT) / 2} y={HEIGHT + FOOT + 14} text-anchor="middle">
          sat/vB
        </text>
      </svg>
    </div>
  );
}

/** The buckets from the first to the last that holds something, and one more on each side. */
export function occupied(buckets: readonly FeerateBucket[]): readonly FeerateBucket[] {
  const first = buckets.findIndex(({ txCount }) => txCount > 0);
  if (first === -1) return [];
  const last = buckets.findLastIndex(({ txCount }) => txCount > 0);
  return buckets.slice(Math.max(0, first - 1), last + 2);
}

/** Where a fee rate stands among the buckets, in buckets from the left. */
function positionOf(satPerVb: number, buckets: readonly FeerateBucket[]): number {
  const at = buckets.findLastIndex(({ fromSatPerVb }) => fromSatPerVb <= satPerVb);
  if (at === -1) return 0;
  const [from, to] = [buckets[at]?.fromSatPerVb ?? 0, buckets[at + 1]?.fromSatPerVb ?? 0];
  return at + (to > from ? (satPerVb - from) / (to - from) : 0);
}

type BarProps = {
  readonly bucket: FeerateBucket;
  readonly x: number;
  readonly step: number;
  readonly top: number;
  readonly measure: Measure;
  readonly isNext: boolean;
  readonly hasLabel: boolean;
};

function Bar({ bucket, x, step, top, measure, isNext, hasLabel }: BarProps): JSX.Element {
  const { fromSatPerVb, txCount, vsizeBytes } = bucket;
  const height = (bucket[measure] / top) * HEIGHT;
  return (
    <g class={isNext ? 'bar next' : 'bar'}>
      <title>{`from ${format.feerate(fromSatPerVb)} sat/vB: ${format.count(txCount)} transactions, ${format.withPrefix(vsizeBytes, 'vB')}`}</title>
      <rect x={x + 1} y={16 + HEIGHT - height} width={Math.max(step - 2, 1)} height={height} />
      {hasLabel && (
        <text x={x} y={HEIGHT + 34} text-anchor="middle">
          {format.feerate(fromSatPerVb)}
        </text>
      )}
    </g>
  );
}

function ValueAxis({ top, unit }: { readonly top: number; readonly unit: string }): JSX.Element {
  return (
    <g class="grid">
      {[0, 0.5, 1].map((part) => {
        const y = 16 + HEIGHT * (1 - part);
        return (
          <g key={part}>
            <path d={`M${LEFT} ${y}H${WIDTH}`} />
            <text x={LEFT - 8} y={y + 4} text-anchor="end">
              {format.withPrefix(top * part, unit)}
            </text>
          </g>
        );
      })}
    </g>
  );
}

const MAX_BLOCK_VSIZE = 1_000_000;

function ProjectedPanel({ blocks }: { readonly blocks: readonly ProjectedBlock[] }): JSX.Element {
  return (
    <Panel title="Blocks to come" aside="if no more arrived">
      {blocks.length === 0 && <p class="quiet">Nothing waits.</p>}
      <ol class="projected">
        {blocks.map((block, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the place in the line is what it is
          <li key={at}>
            <h3>{at === 0 ? 'Next block' : `Block +${at + 1}`}</h3>
            <p class="number main">
              ~{format.feerate(block.medianFeerateSatPerVb)} <small>sat/vB</small>
            </p>
            <p class="number">
              {format.feerate(block.minFeerateSatPerVb)} – {format.feerate(block.maxFeerateSatPerVb)} sat/vB
            </p>
            <p class="number">{format.count(block.txCount)} transactions</p>
            <p class="number">{format.bitcoins(block.feesSats)} BTC</p>
            <meter
              min={0}
              max={MAX_BLOCK_VSIZE}
              value={block.vsizeBytes}
              aria-label={`${format.withPrefix(block.vsizeBytes, 'vB')} of a block's 1 MvB`}
            />
            <p class="quiet">{block.isEstimate ? 'estimated' : 'as the miner has it'}</p>
          </li>
        ))}
      </ol>
    </Panel>
  );
}

function LatestPanel({ mempool, nowMs }: { readonly mempool: Mempool; readonly nowMs: number }): JSX.Element {
  return (
    <Panel title="Newest transactions">
      <ol class="recent">
        {mempool.latest.map(({ txid, vsizeBytes, feeSats, enteredAtMs }) => (
          <li key={txid}>
            <TxLink txid={txid} />
            <span class="number">{format.count(vsizeBytes)} vB</span>
            <span class="number">{format.feerate(feeSats / vsizeBytes)} sat/vB</span>
            <span class="number quiet">{format.ago(enteredAtMs, nowMs)}</span>
          </li>
        ))}
      </ol>
      {mempool.latest.length === 0 && <p class="quiet">None yet.</p>}
    </Panel>
  );
}
