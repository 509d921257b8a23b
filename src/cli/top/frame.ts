/** One frame of `starling top`: exactly as many lines and cells as the screen has. Pure. */
import { age, bar, bytes, duration, grouped, percent, perSecond, plural, shortHash, syncLine } from '../format.ts';
import type { Figures } from './figures.ts';
import { type Panel, panelsOf, peerLines, perSecondText, virtual } from './panels.ts';
import { fitted, type Line, line, span, textOf } from './spans.ts';
import { SORTS, type View } from './view.ts';

/** `rows` is undefined where everything is to be shown. */
export type Size = { readonly columns: number; readonly rows: number | undefined };

export type Frame = {
  readonly lines: readonly Line[];
  /** Peers shown at once, and how far they can be scrolled. */
  readonly page: number;
  readonly maxScroll: number;
};

const MAX_COLUMNS = 500;
const MAX_ROWS = 500;
const BAR_CELLS = 20;
const MIN_BAR_CELLS = 5;
const LABEL_CELLS = 9;
const PANEL_CELLS = 39;
const MAX_PANEL_ROWS = 10;
const MIN_PANEL_ROWS = 2;
/** What panels leave to the peers. */
const MIN_PEERS = 4;
/** Rule and head. */
const PEERS_FRAME_ROWS = 2;

/** `trouble` says why the figures are old. */
export function frameOf(figures: Figures, view: View, size: Size, trouble?: string): Frame {
  const columns = Math.max(1, Math.min(MAX_COLUMNS, size.columns));
  const rows = size.rows === undefined ? undefined : Math.max(1, Math.min(MAX_ROWS, size.rows));
  if (view.isHelp) return { lines: filled(HELP, columns, rows), page: 0, maxScroll: 0 };
  const head = headLines(figures, columns, trouble);
  const foot = rows === undefined ? [] : [footLine(view)];
  const room = rows === undefined ? undefined : Math.max(0, rows - head.length - foot.length);
  const panels = panelLines(panelsOf(figures), columns, room, figures.peers.length);
  const page = room === undefined ? figures.peers.length : Math.max(0, room - panels.length - PEERS_FRAME_ROWS);
  const maxScroll = Math.max(0, figures.peers.length - page);
  const scroll = Math.min(view.scroll, maxScroll);
  const [titles = line(''), ...peers] = peerLines(figures.peers, view, columns);
  const shown = peers.slice(scroll, scroll + page);
  const place = maxScroll === 0 ? '' : `, ${scroll + 1} to ${scroll + shown.length}`;
  const ruled = rule(`${plural(figures.peers.length, 'peer')}${place}`, columns);
  const body = [...head, ...panels, ...(rows === undefined || page > 0 ? [ruled, titles, ...shown] : [])];
  if (rows === undefined) return { lines: filled(body, columns, undefined), page, maxScroll };
  return {
    lines: [...filled(body, columns, rows - foot.length), ...filled(foot, columns, foot.length)],
    page,
    maxScroll,
  };
}

/** To the right size, whatever was given. */
function filled(lines: readonly Line[], columns: number, rows: number | undefined): readonly Line[] {
  const cut = lines.slice(0, rows);
  const missing = Math.max(0, (rows ?? 0) - cut.length);
  return [...cut, ...Array.from({ length: missing }, () => line(''))].map((each) => fitted(each, columns));
}

const label = (text: string): string => text.padEnd(LABEL_CELLS);

function headLines(figures: Figures, columns: number, trouble: string | undefined): readonly Line[] {
  const { chain, agent, uptimeSeconds, mempool, rate, peers } = figures;
  const outbound = peers.filter(({ isInbound }) => !isInbound).length;
  const left = `starling  ${chain}  ${agent}  up ${duration(uptimeSeconds)}`;
  const right = `${plural(peers.length, 'peer')}, ${outbound} outbound`;
  const gap = ' '.repeat(Math.max(2, columns - left.length - right.length));
  const usage = `memory ${bytes(mempool.usage)} of ${bytes(mempool.maxUsage)}`;
  const total = (name: string, perSecond: number | undefined, sum: number): string =>
    `${name} ${perSecondText(perSecond)} (${bytes(sum)})`;
  return [
    line(`${left}${gap}${right}`, 'title'),
    trouble === undefined ? syncProgress(figures, columns) : line(`${label('trouble')}${trouble}`, 'bad'),
    line(`${label('tip')}${tipText(figures, columns)}`),
    line(
      `${label('mempool')}${plural(mempool.transactions, 'transaction')}  ${virtual(mempool.vsize)}  ${usage}` +
        `  from ${mempool.minSatPerVb.toFixed(2)} sat/vB`,
    ),
    line(
      `${label('traffic')}${total('in', rate?.bytesIn, figures.bytesIn)}  ${total('out', rate?.bytesOut, figures.bytesOut)}`,
    ),
  ];
}

function syncProgress({ sync, progress, height, headers }: Figures, columns: number): Line {
  const fraction = sync?.progress ?? progress;
  const text =
    sync === undefined
      ? `${percent(fraction)}  ${heights(height, headers)}`
      : phaseText({ ...sync, height: Math.max(height, sync.height) });
  const isDone = sync === undefined ? height === headers && fraction === 1 : sync.phase === 'at-tip';
  const cells = Math.max(MIN_BAR_CELLS, Math.min(BAR_CELLS, columns - LABEL_CELLS - 2 - text.length));
  return [span(label('sync')), span(bar(fraction, cells), isDone ? 'good' : 'warn'), span(`  ${text}`)];
}

const heights = (height: number, headers: number): string => `block ${grouped(height)} of ${grouped(headers)}`;

/** While blocks come, shorter than the line of a log: how many peers there are stands above. */
function phaseText(sync: NonNullable<Figures['sync']>): string {
  if (sync.phase !== 'blocks') return syncLine(sync);
  const left = sync.secondsLeft === undefined ? '' : `  ${age(sync.secondsLeft)} left`;
  const rates = `${perSecond(sync.blocksPerSecond)}/s  ${bytes(sync.bytesPerSecond)}/s`;
  return `${percent(sync.progress)}  ${heights(sync.height, sync.headerHeight)}  ${rates}${left}`;
}

function tipText({ blocks, difficulty, nowSeconds }: Figures, columns: number): string {
  const [tip] = blocks;
  if (tip === undefined) return '-';
  const hash = columns >= 120 ? tip.hash : shortHash(tip.hash);
  return `${hash}  ${duration(nowSeconds - tip.timeSeconds)} ago  ${plural(tip.transactions, 'transaction')}  difficulty ${difficultyText(difficulty)}`;
}

const difficultyText = (value: number): string => (value < 1000 ? value.toPrecision(3) : bytes(value).replace('B', ''));

/** A line with a title in it: it parts a screen also where there are no colours. */
function rule(title: string, columns: number): Line {
  const left = `── ${title} `;
  return [span(left, 'title'), span('─'.repeat(Math.max(0, columns - [...left].length)), 'dim')];
}

/** As many panels beside each other as fit; what has no room is left out, from the end. */
function panelLines(
  panels: readonly Panel[],
  columns: number,
  room: number | undefined,
  peers: number,
): readonly Line[] {
  const beside = Math.max(1, Math.floor((columns + 1) / (PANEL_CELLS + 1)));
  const bands = Array.from({ length: Math.ceil(panels.length / beside) }, (_, at) =>
    panels.slice(at * beside, (at + 1) * beside),
  );
  const left = room === undefined ? Number.POSITIVE_INFINITY : room - PEERS_FRAME_ROWS - Math.min(peers, MIN_PEERS);
  while (bands.length > 0 && left / bands.length < 1 + MIN_PANEL_ROWS) bands.pop();
  const rows = Math.min(MAX_PANEL_ROWS, Math.floor(left / Math.max(1, bands.length)) - 1);
  return bands.flatMap((band) => bandLines(band, rows, columns));
}

function bandLines(band: readonly Panel[], rows: number, columns: number): readonly Line[] {
  const width = Math.floor((columns - (band.length - 1)) / band.length);
  const drawn = band.map(({ title, lines }) => [rule(title, width), ...lines(rows, width)]);
  const height = Math.max(...drawn.map((lines) => lines.length));
  return Array.from({ length: height }, (_, row) =>
    drawn.flatMap((lines, at) => [...(at === 0 ? [] : [span(' ')]), ...fitted(lines[row] ?? line(''), width)]),
  );
}

function footLine({ sort }: View): Line {
  return line(`q quit   s sort (${sort})   r reverse   ↑↓ PgUp PgDn scroll   ? help`, 'dim');
}

const HELP: readonly Line[] = [
  line('starling top', 'title'),
  line(''),
  ...[
    ['q, Ctrl-C', 'quit'],
    ['s', `sort the peers by the next column: ${SORTS.join(', ')}`],
    ['r', 'reverse their order'],
    ['↑ ↓, k j', 'scroll the peers by one'],
    ['PgUp PgDn', 'by a page; Home and End: to the first and the last'],
    ['Ctrl-Z', 'suspend; fg comes back'],
    ['?, Esc', 'leave this help'],
  ].map(([key = '', does = '']) => line(`  ${key.padEnd(11)}${does}`)),
  line(''),
  ...[
    'Fee rates: each transaction by its own; the dearest are above.',
    'Blocks: height, hash, age, transactions. Of one that came while this runs also',
    'how long it took from the first word of it until it was connected, and whose',
    'word that was. Where there is no room, columns are left out.',
    'score is gossip’s opinion of a peer. Coloured peers are below zero, or charged',
    'with offences.',
  ].map((text) => line(`  ${text}`)),
];

/** For pipes and files: no spaces at the ends. */
export function plainText({ lines }: Frame): string {
  return `${lines.map((each) => textOf(each).trimEnd()).join('\n')}\n`;
}
