/** Blocks as they arrive: what they hold, how they came, and how long after the first each peer told of them. */
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { BlockAnnouncement, BlockRow } from '../../contract.ts';
import { delayPart, dotsPath, niceCeiling } from '../chart.ts';
import * as format from '../format.ts';
import { usePaints } from '../hooks.ts';
import { Delays } from '../parts/delays.tsx';
import { Level } from '../parts/level.tsx';
import { BlockLink, PeerLink } from '../parts/links.tsx';
import { Panel } from '../parts/panel.tsx';
import { ScrollBox } from '../parts/scroll-box.tsx';
import type { ViewProps } from '../view-props.ts';

const MAX_WEIGHT = 4_000_000;
/** Those in sight at first. */
const ROWS_AT_ONCE = 12;

export function BlocksView({ feed, nowMs }: ViewProps): JSX.Element {
  const longestMs = useMemo(() => {
    const delays = feed.blocks.flatMap(({ announcements }) => announcements.map(({ delayMs }) => delayMs));
    return niceCeiling(Math.max(10, ...delays));
  }, [feed.blocks]);
  // All at once take longer than a frame may.
  const paints = usePaints(Math.ceil(feed.blocks.length / ROWS_AT_ONCE));
  const rows = feed.blocks.slice(0, (paints + 1) * ROWS_AT_ONCE);
  const newest = feed.blocks[0];
  const newestPanel = useMemo(() => newest && <NewestPanel block={newest} />, [newest]);
  return (
    <>
      {newestPanel}
      <Panel
        title="Recent blocks"
        aside={`dots: peers that told of it, 1 ms to ${format.milliseconds(longestMs)} after the first`}
      >
        <BlockTable blocks={rows} nowMs={nowMs} longestMs={longestMs} />
      </Panel>
    </>
  );
}

type BlockTableProps = { readonly blocks: readonly BlockRow[]; readonly nowMs: number; readonly longestMs: number };

function BlockTable({ blocks, nowMs, longestMs }: BlockTableProps): JSX.Element {
  return (
    <ScrollBox label="Table of recent blocks">
      <table>
        <thead>
          <tr>
            <th scope="col">Height</th>
            <th scope="col">Hash</th>
            <th scope="col">Age</th>
            <th scope="col" class="end">
              Transactions
            </th>
            <th scope="col">Weight</th>
            <th scope="col" class="end">
              Fees, BTC
            </th>
            <th scope="col" class="end">
              Median, sat/vB
            </th>
            <th scope="col">Came</th>
            <th scope="col">First from</th>
            <th scope="col">Delays</th>
          </tr>
        </thead>
        <tbody>
          {blocks.map((block) => (
            <BlockTableRow key={block.hash} block={block} nowMs={nowMs} longestMs={longestMs} />
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}

const ORIGINS: Readonly<Record<NonNullable<BlockRow['origin']>, string>> = {
  rebuilt: 'from mempool',
  'rebuilt-with-round-trip': 'mempool + ask',
  whole: 'whole',
  own: 'made here',
};

type RowProps = { readonly block: BlockRow; readonly nowMs: number; readonly longestMs: number };

/** Drawn anew only when its text changes, which for most rows is once a minute. */
function BlockTableRow({ block, nowMs, longestMs }: RowProps): JSX.Element {
  const age = format.duration(nowMs - block.timeSeconds * 1000);
  return useMemo(() => blockTableRow(block, age, longestMs), [block, age, longestMs]);
}

function blockTableRow(block: BlockRow, age: string, longestMs: number): JSX.Element {
  const { height, hash, txCount, weight, feesSats, feeratePercentiles, origin, announcements } = block;
  const first = announcements[0];
  return (
    <tr data-height={height}>
      <th scope="row" class="number">
        <a href={`#/block/${hash}`}>{format.count(height)}</a>
      </th>
      <td>
        <BlockLink hash={hash} />
      </td>
      <td class="number">{age}</td>
      <td class="number end">{format.count(txCount)}</td>
      <td>{weight === null ? <span class="quiet">…</span> : <WeightBar weight={weight} />}</td>
      <td class="number end">{feesSats === null ? '–' : format.bitcoins(feesSats)}</td>
      <td class="number end">{feeratePercentiles?.[2] === undefined ? '–' : format.feerate(feeratePercentiles[2])}</td>
      <td>{origin === null ? '–' : ORIGINS[origin]}</td>
      <td>{first === undefined ? '–' : <PeerLink id={first.peerId} />}</td>
      <td>
        <DelayStrip announcements={announcements} longestMs={longestMs} />
      </td>
    </tr>
  );
}

function WeightBar({ weight }: { readonly weight: number }): JSX.Element {
  const text = format.withPrefix(weight, 'WU');
  return (
    <span class="weight number">
      <Level part={weight / MAX_WEIGHT} /> {text}
    </span>
  );
}

const STRIP_WIDTH = 130;

type StripProps = { readonly announcements: readonly BlockAnnouncement[]; readonly longestMs: number };

function DelayStrip({ announcements, longestMs }: StripProps): JSX.Element {
  if (announcements.length === 0) return <span class="quiet">–</span>;
  const xs = announcements.map(({ delayMs }) => 4 + delayPart(delayMs, longestMs) * (STRIP_WIDTH - 8));
  const last = announcements.at(-1)?.delayMs ?? 0;
  const label = `${format.plural(announcements.length, 'peer')} within ${format.milliseconds(last)}`;
  return (
    <span class="strip">
      <svg viewBox={`0 0 ${STRIP_WIDTH} 16`} width={STRIP_WIDTH} height="16" role="img" aria-label={label}>
        <path class="axis" d={`M4 8H${STRIP_WIDTH - 4}`} />
        <path class="dots" d={dotsPath(xs, 8)} />
        <path class="dots first" d={dotsPath(xs.slice(0, 1), 8)} />
      </svg>
    </span>
  );
}

const SHOWN_PEERS = 12;

function NewestPanel({ block }: { readonly block: BlockRow }): JSX.Element {
  const { announcements, height } = block;
  const shown = announcements.slice(0, SHOWN_PEERS);
  const more = announcements.length - shown.length;
  return (
    <Panel title="The newest block" aside={<span class="number">{format.count(height)}</span>}>
      {shown.length === 0 && (
        <p class="quiet">No peer told of it by gossip{block.origin === 'own' && ': it was made here'}.</p>
      )}
      <Delays announcements={shown} />
      {more > 0 && (
        <p class="quiet">
          <a href={`#/block/${block.hash}`}>and {more} more</a>
        </p>
      )}
    </Panel>
  );
}
