/** What waits, by the fee rate it pays, and where the next block's line runs. */
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { Mempool, ProjectedBlock } from '../../contract.ts';
import * as format from '../format.ts';
import { Histogram, type Measure } from '../parts/histogram.tsx';
import { LatestTransactions } from '../parts/latest-transactions.tsx';
import { Level } from '../parts/level.tsx';
import { Figures, Panel } from '../parts/panel.tsx';
import type { ViewProps } from '../view-props.ts';

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
      <Panel title="Newest transactions">
        <LatestTransactions latest={mempool.latest} nowMs={nowMs} />
      </Panel>
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
            <p class="number">
              {format.count(block.txCount)} tx, {format.withPrefix(block.vsizeBytes, 'vB')}
            </p>
            <p class="number">{format.bitcoins(block.feesSats)} BTC</p>
            <Level part={block.vsizeBytes / MAX_BLOCK_VSIZE} />
            <p class="quiet">{block.isEstimate ? 'estimated' : 'as the miner has it'}</p>
          </li>
        ))}
      </ol>
    </Panel>
  );
}
