/** The parts of a frame below its head: mempool by fee rate, recent blocks, protocols, peers. Pure. */
import { type Align, age, bar, bytes, delay, grouped, shortHash, shortPeer, table } from '../format.ts';
import { type Column, fittingTable } from './columns.ts';
import type { BlockFigures, FeeBucket, Figures, PeerFigures, ProtocolFigures } from './figures.ts';
import type { Traffic } from './rates.ts';
import { type Line, line, type Style } from './spans.ts';
import type { Sort, View } from './view.ts';

export type Panel = {
  readonly title: string;
  /** At most so many lines, none longer than the width. */
  readonly lines: (rows: number, width: number) => readonly Line[];
};

const BAR_CELLS = 24;
/** Any IPv4 address with its port fits. */
const MIN_ADDRESS_CELLS = 24;

export function panelsOf(figures: Figures): readonly Panel[] {
  return [
    { title: 'mempool by fee rate, sat/vB', lines: (rows, width) => feeLines(figures.mempool.buckets, rows, width) },
    {
      title: 'recent blocks',
      lines: (rows, width) => blockLines(figures.blocks, figures.nowSeconds, width).slice(0, rows),
    },
    { title: 'bytes by protocol', lines: (rows, width) => protocolLines(figures, width).slice(0, rows) },
  ];
}

/** The dearest above. What fits into fewer lines than there are buckets is put together, the smallest first. */
function feeLines(buckets: readonly FeeBucket[], rows: number, width: number): readonly Line[] {
  const merged = mergedBuckets(buckets, rows);
  const most = Math.max(1, ...merged.map(({ vsize }) => vsize));
  const cells = Math.max(4, Math.min(BAR_CELLS, width - 32));
  const lines = merged.map(({ from, to, count, vsize }) => [
    to === undefined ? `${from}+` : `${from}-${to}`,
    bar(vsize / most, cells),
    virtual(vsize),
    grouped(count),
  ]);
  if (lines.length === 0) return [line('empty', 'dim')];
  return table(['right', 'left', 'right', 'right'], lines.reverse()).map((text) => line(text));
}

export function mergedBuckets(buckets: readonly FeeBucket[], rows: number): readonly FeeBucket[] {
  const kept = buckets.slice(
    Math.max(
      0,
      buckets.findIndex(({ count }) => count > 0),
    ),
    buckets.findLastIndex(({ count }) => count > 0) + 1,
  );
  while (kept.length > Math.max(1, rows)) {
    const sums = kept.slice(1).map(({ vsize }, at) => vsize + (kept[at]?.vsize ?? 0));
    const at = sums.indexOf(Math.min(...sums));
    const [low, high] = [kept[at], kept[at + 1]];
    if (low === undefined || high === undefined) break;
    kept.splice(at, 2, { ...high, from: low.from, count: low.count + high.count, vsize: low.vsize + high.vsize });
  }
  return kept;
}

/** Virtual bytes. */
export const virtual = (vsize: number): string => bytes(vsize).replace(/B$/, 'vB');

function blockLines(blocks: readonly BlockFigures[], nowSeconds: number, width: number): readonly Line[] {
  const column = (align: Align, weight: number, cell: (block: BlockFigures) => string): Column => {
    return { align, weight, cells: blocks.map(cell) };
  };
  const columns = [
    column('right', 6, ({ height }) => grouped(height)),
    column('left', 1, ({ hash }) => shortHash(hash)),
    column('right', 5, ({ timeSeconds }) => age(nowSeconds - timeSeconds)),
    column('right', 4, ({ transactions }) => `${grouped(transactions)} tx`),
    column('right', 3, ({ delayMs }) => (delayMs === undefined ? '' : delay(delayMs))),
    column('left', 2, ({ firstPeer }) => (firstPeer === undefined ? '' : shortPeer(firstPeer))),
  ];
  return fittingTable(columns, width).map((text) => line(text));
}

export const perSecondText = (value: number | undefined): string => (value === undefined ? '-' : `${bytes(value)}/s`);

/** Who carries most now, then who has carried most. */
function protocolLines({ protocols }: Figures, width: number): readonly Line[] {
  if (protocols.length === 0) return [line('no peers', 'dim')];
  const sum = (traffic: Traffic | undefined): number => (traffic?.bytesIn ?? 0) + (traffic?.bytesOut ?? 0);
  const sorted = protocols.toSorted((a, b) => sum(b.rate) - sum(a.rate) || sum(b) - sum(a));
  const column = (head: string, weight: number, cell: (protocol: ProtocolFigures) => string): Column => {
    return { align: head === '' ? 'left' : 'right', weight, cells: [head, ...sorted.map(cell)] };
  };
  const columns = [
    column('', 5, ({ name }) => name),
    column('in/s', 4, ({ rate }) => perSecondText(rate?.bytesIn)),
    column('out/s', 3, ({ rate }) => perSecondText(rate?.bytesOut)),
    column('in', 2, ({ bytesIn }) => bytes(bytesIn)),
    column('out', 1, ({ bytesOut }) => bytes(bytesOut)),
  ];
  return withHead(fittingTable(columns, width));
}

function withHead(
  [head = '', ...rows]: readonly string[],
  styleOf: (row: number) => Style = () => 'plain',
): readonly Line[] {
  return [line(head, 'dim'), ...rows.map((text, row) => line(text, styleOf(row)))];
}

const BY: Readonly<Record<Sort, (peer: PeerFigures) => number>> = {
  id: ({ id }) => id,
  height: ({ height }) => -height,
  ping: ({ pingMs }) => pingMs ?? Number.POSITIVE_INFINITY,
  score: ({ score }) => score,
  in: ({ rate, bytesIn }) => -(rate?.bytesIn ?? bytesIn),
  out: ({ rate, bytesOut }) => -(rate?.bytesOut ?? bytesOut),
};

function sortedPeers(peers: readonly PeerFigures[], { sort, isReversed }: View): readonly PeerFigures[] {
  const by = BY[sort];
  // Infinity less infinity is no number.
  const sorted = peers.toSorted((a, b) => (by(a) === by(b) ? a.id - b.id : by(a) - by(b)));
  return isReversed ? sorted.reverse() : sorted;
}

/** A head, and a line a peer, sorted; the widths are those of all. */
export function peerLines(peers: readonly PeerFigures[], view: View, width: number): readonly Line[] {
  const sorted = sortedPeers(peers, view);
  const mark = view.isReversed ? '▲' : '▼';
  const column = (
    align: Align,
    weight: number,
    head: string,
    cell: (peer: PeerFigures) => string,
    sort?: Sort,
  ): Column => {
    return { align, weight, cells: [sort === view.sort ? `${head}${mark}` : head, ...sorted.map(cell)] };
  };
  const columns = [
    column('right', 8, 'id', ({ id }) => String(id), 'id'),
    column('left', 6, '', ({ isInbound }) => (isInbound ? 'in' : 'out')),
    column('left', 9, 'address', ({ address }) => shortMiddle(address, width / 3)),
    column('right', 1, 'height', ({ height }) => (height < 0 ? '-' : grouped(height)), 'height'),
    column('right', 7, 'ping', ({ pingMs }) => (pingMs === undefined ? '-' : delay(pingMs)), 'ping'),
    column('right', 5, 'score', ({ score }) => score.toFixed(1), 'score'),
    column('right', 4, 'in/s', ({ rate }) => perSecondText(rate?.bytesIn), 'in'),
    column('right', 3, 'out/s', ({ rate }) => perSecondText(rate?.bytesOut), 'out'),
    column('left', 0, 'agent', ({ agent }) => agent),
  ];
  return withHead(fittingTable(columns, width), (row) => styleOf(sorted[row]));
}

/** The ends of an address tell more than its middle. */
function shortMiddle(text: string, maxCells: number): string {
  if (text.length <= Math.max(MIN_ADDRESS_CELLS, maxCells)) return text;
  return `${text.slice(0, MIN_ADDRESS_CELLS - 13)}…${text.slice(-12)}`;
}

/** What a user may want to look at: bad for gossip, or charged with offences. */
const styleOf = (peer: PeerFigures | undefined): Style =>
  peer !== undefined && (peer.penaltyPoints > 0 || peer.score < 0) ? 'warn' : 'plain';
