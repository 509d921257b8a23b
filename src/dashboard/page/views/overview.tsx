/** How the node does, at a glance. */
import type { JSX } from 'preact';
import type { Overview, Retarget, SyncState } from '../../contract.ts';
import * as format from '../format.ts';
import { BlockLink, PeerLink } from '../parts/links.tsx';
import { Facts, Figures, Panel } from '../parts/panel.tsx';
import { Sparkline } from '../parts/sparkline.tsx';
import { totals } from '../traffic.ts';
import type { ViewProps } from '../view-props.ts';

export function OverviewView({ feed, nowMs }: ViewProps): JSX.Element {
  const { overview } = feed;
  return (
    <>
      <SyncBanner sync={overview.sync} />
      <Headline feed={feed} nowMs={nowMs} />
      <div class="columns">
        <TipPanel overview={overview} nowMs={nowMs} />
        <RetargetPanel retarget={overview.retarget} nowMs={nowMs} />
        <TrafficPanel feed={feed} nowMs={nowMs} />
        <MempoolPanel feed={feed} nowMs={nowMs} />
        <SelfPanel overview={overview} nowMs={nowMs} />
        <RecentPanel feed={feed} nowMs={nowMs} />
      </div>
    </>
  );
}

const PHASES: Readonly<Record<SyncState['phase'], string>> = {
  'waiting-for-peers': 'Waiting for peers',
  headers: 'Fetching headers',
  blocks: 'Fetching blocks',
  'at-tip': 'At the tip',
  stalled: 'Stalled',
};

function SyncBanner({ sync }: { readonly sync: SyncState }): JSX.Element {
  const { phase, reason, height, headerHeight, progress, blocksPerSecond, bytesPerSecond, secondsLeft } = sync;
  const isDone = phase === 'at-tip';
  return (
    <section class={`banner ${phase}`} aria-label="Sync">
      <div class="banner-line">
        <strong data-field="phase">{PHASES[phase]}</strong>
        <span class="number quiet">
          {format.count(height)} of {format.count(headerHeight)} blocks
          {!isDone && ` · ${format.digits(blocksPerSecond)} blocks/s · ${format.byteRate(bytesPerSecond)}`}
          {!isDone && secondsLeft !== null && ` · ${format.duration(secondsLeft * 1000)} left`}
        </span>
        <span class="number">{format.percent(progress)}</span>
      </div>
      <progress max={1} value={progress} aria-label="Progress of the sync" />
      {reason !== '' && <p class="quiet">{reason}</p>}
    </section>
  );
}

function Headline({ feed, nowMs }: ViewProps): JSX.Element {
  const { tip, peers, chain } = feed.overview;
  const { txCount, vsizeBytes } = feed.mempool;
  return (
    <Figures
      facts={[
        { label: 'Height', value: format.count(tip.height), note: chain, field: 'height' },
        {
          label: 'Tip',
          value: format.duration(nowMs - tip.timeSeconds * 1000),
          note: 'since its time',
          field: 'tip-age',
        },
        {
          label: 'Peers',
          value: format.count(feed.peers.length),
          note: peers.isNetworkActive ? `${peers.inbound} in, ${peers.outbound} out` : 'network is switched off',
          field: 'peer-count',
        },
        {
          label: 'Mempool',
          value: format.count(txCount),
          note: format.withPrefix(vsizeBytes, 'vB'),
          field: 'mempool-count',
        },
        { label: 'Work', value: <Work chainWork={tip.chainWork} />, note: 'hashes, expected' },
      ]}
    />
  );
}

function Work({ chainWork }: { readonly chainWork: string }): JSX.Element {
  return (
    <span title={chainWork}>
      2<sup>{format.workBits(chainWork)}</sup>
    </span>
  );
}

function TipPanel({ overview, nowMs }: { readonly overview: Overview; readonly nowMs: number }): JSX.Element {
  const { tip, networkHashesPerSecond } = overview;
  return (
    <Panel title="Tip">
      <Facts
        facts={[
          { label: 'Block', value: <BlockLink hash={tip.hash} />, field: 'tip-hash' },
          { label: 'Time', value: format.dateTime(tip.timeSeconds * 1000) },
          { label: 'Median time', value: format.dateTime(tip.medianTimeSeconds * 1000) },
          {
            label: 'Connected here',
            value: tip.connectedAtMs === null ? 'before this start' : format.ago(tip.connectedAtMs, nowMs),
          },
          { label: 'Difficulty', value: difficulty(tip.difficulty), field: 'difficulty' },
          {
            label: 'Network hash rate',
            value: networkHashesPerSecond === null ? 'not known yet' : format.hashRate(networkHashesPerSecond),
            note: 'by the last 120 blocks',
          },
        ]}
      />
    </Panel>
  );
}

/** Regtest's is far below 1. */
const difficulty = (value: number): string => (value < 0.01 ? value.toExponential(2) : format.withPrefix(value, ''));

type RetargetProps = { readonly retarget: Retarget | null; readonly nowMs: number };

function RetargetPanel({ retarget, nowMs }: RetargetProps): JSX.Element {
  if (retarget === null) {
    return (
      <Panel title="Next retarget">
        <p class="quiet">The difficulty of this network never changes.</p>
      </Panel>
    );
  }
  const { nextHeight, blocksLeft, intervalBlocks, estimatedRatio, estimatedAtMs } = retarget;
  return (
    <Panel title="Next retarget">
      <progress max={intervalBlocks} value={intervalBlocks - blocksLeft} aria-label="Blocks of this interval" />
      <Facts
        facts={[
          { label: 'At height', value: format.count(nextHeight), field: 'retarget-height' },
          { label: 'Blocks left', value: `${format.count(blocksLeft)} of ${format.count(intervalBlocks)}` },
          { label: 'Estimated change', value: estimatedRatio === null ? 'not known yet' : change(estimatedRatio) },
          {
            label: 'Estimated in',
            value: estimatedAtMs === null ? 'not known yet' : format.duration(estimatedAtMs - nowMs),
          },
        ]}
      />
    </Panel>
  );
}

function change(ratio: number): string {
  const percent = (ratio - 1) * 100;
  return `${percent >= 0 ? '+' : '−'}${Math.abs(percent).toFixed(2)} %`;
}

function TrafficPanel({ feed }: ViewProps): JSX.Element {
  const [seriesIn, seriesOut] = [totals(feed.bandwidth, 'in'), totals(feed.bandwidth, 'out')];
  const { bytesIn, bytesOut } = feed.overview;
  const row = (name: string, series: readonly number[], total: number, tone: 'first' | 'second'): JSX.Element => {
    const now = format.byteRate(series.at(-1) ?? 0);
    return (
      <div class="trend">
        <p>
          <span>{name}</span> <strong class="number">{now}</strong>
          <small class="number">{format.bytes(total)} in all</small>
        </p>
        <Sparkline values={series} label={`${name} over the last minutes, now ${now}`} tone={tone} />
      </div>
    );
  };
  return (
    <Panel title="Traffic" aside={<a href="#/bandwidth">by protocol</a>}>
      {row('In', seriesIn, bytesIn, 'first')}
      {row('Out', seriesOut, bytesOut, 'second')}
    </Panel>
  );
}

function MempoolPanel({ feed }: ViewProps): JSX.Element {
  const { mempool, mempoolHistory } = feed;
  const next = mempool.projectedBlocks[0];
  return (
    <Panel title="Mempool" aside={<a href="#/mempool">by feerate</a>}>
      <div class="trend">
        <p>
          <span>Transactions</span> <strong class="number">{format.count(mempool.txCount)}</strong>
          <small class="number">{format.bytes(mempool.usageBytes)} of memory</small>
        </p>
        <Sparkline
          values={mempoolHistory.map(({ txCount }) => txCount)}
          label={`Transactions in the mempool since this page opened, now ${mempool.txCount}`}
        />
      </div>
      <Facts
        facts={[
          {
            label: 'Next block from',
            value: next && mempool.txCount > 0 ? `${format.feerate(next.minFeerateSatPerVb)} sat/vB` : 'nothing waits',
          },
          { label: 'Least taken', value: `${format.feerate(mempool.minFeerateSatPerVb)} sat/vB` },
          { label: 'Fees in all', value: `${format.bitcoins(mempool.totalFeeSats)} BTC` },
        ]}
      />
    </Panel>
  );
}

const REACH: Readonly<Record<Overview['self']['reachability'], string>> = {
  direct: 'by direct dials',
  relayed: 'through a relay',
  unverified: 'not verified',
  none: 'not reachable',
};

function SelfPanel({ overview, nowMs }: { readonly overview: Overview; readonly nowMs: number }): JSX.Element {
  const { self, userAgent, startedAtMs, indexes, prunedBelowHeight, knownAddresses } = overview;
  return (
    <Panel title="This node">
      <Facts
        facts={[
          { label: 'Version', value: userAgent },
          { label: 'Running for', value: format.duration(nowMs - startedAtMs) },
          { label: 'Peer id', value: <code class="breaks">{self.peerId}</code> },
          { label: 'Reachable', value: REACH[self.reachability] },
          { label: 'Addresses known', value: format.count(knownAddresses) },
          {
            label: 'Blocks kept',
            value: prunedBelowHeight === null ? 'all' : `from ${format.count(prunedBelowHeight)}`,
          },
          { label: 'Indexes', value: indexes.length === 0 ? 'none' : indexes.join(', ') },
        ]}
      />
    </Panel>
  );
}

const RECENT = 6;

function RecentPanel({ feed, nowMs }: ViewProps): JSX.Element {
  return (
    <Panel title="Latest blocks" aside={<a href="#/blocks">all recent</a>}>
      <ol class="recent">
        {feed.blocks.slice(0, RECENT).map((block) => (
          <li key={block.hash}>
            <a class="number" href={`#/block/${block.hash}`}>
              {format.count(block.height)}
            </a>
            <span class="number">{format.count(block.txCount)} tx</span>
            <span title="who told of it first">
              {block.announcements[0] ? (
                <PeerLink id={block.announcements[0].peerId} />
              ) : (
                <span class="quiet">{block.origin === 'own' ? 'made here' : ''}</span>
              )}
            </span>
            <span class="number quiet">{format.ago(block.timeSeconds * 1000, nowMs)}</span>
          </li>
        ))}
      </ol>
    </Panel>
  );
}
