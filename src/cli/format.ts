/** Numbers as people read them. Pure; every function gives one short line without control characters. */
import type { NodeStatus } from '#node';

/** 4312 as 4,312. */
export function grouped(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** Decimal units with three digits that count: 999 B, 1.50 kB, 12.3 MB. */
export function bytes(value: number): string {
  let unit = 0;
  let amount = value;
  // Half a unit below 1000 the rounded text would read 1000.
  while (amount >= 999.5 && unit < BYTE_UNITS.length - 1) {
    amount /= 1000;
    unit++;
  }
  return unit === 0 ? `${Math.round(amount)} B` : `${threeDigits(amount)} ${BYTE_UNITS[unit]}`;
}

function threeDigits(value: number): string {
  if (value >= 99.95) return value.toFixed(0);
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}

/** A rate: one decimal below ten, none above. */
export function perSecond(value: number): string {
  return value < 9.95 ? value.toFixed(1) : grouped(value);
}

/** The two largest units: 45 s, 3 min 20 s, 5 h 12 min, 3 d 4 h. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3600)} h`;
}

/** The largest unit: 45 s, 3 min, 5 h, 3 d. */
export function age(seconds: number): string {
  return duration(seconds).split(' ').slice(0, 2).join(' ');
}

/** Milliseconds of a delay: 3 ms, 240 ms, 1.2 s. */
export function delay(ms: number): string {
  return ms < 999.5 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** Rounded down, so that 100.00% means all of it. */
export function percent(fraction: number): string {
  return `${(Math.floor(Math.min(1, Math.max(0, fraction)) * 10_000) / 100).toFixed(2)}%`;
}

/** The end of a peer id, where ids differ. */
export function shortPeer(id: string): string {
  return id.length <= 10 ? id : `…${id.slice(-8)}`;
}

/** The end of a block hash: its front is zeros. */
export function shortHash(hash: string): string {
  return `…${hash.slice(-8)}`;
}

/** `count` with its noun, which takes an s unless there is one. */
export function plural(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** A bar of `width` cells. */
export function bar(fraction: number, width: number): string {
  const full = Math.floor(Math.min(1, Math.max(0, fraction)) * width);
  return `${'█'.repeat(full)}${'░'.repeat(width - full)}`;
}

/** The one line that says how far the sync is. */
export function syncLine(sync: NodeStatus['sync']): string {
  const peers = plural(sync.peers, 'peer');
  const height = `block ${grouped(sync.height)}`;
  const reason = sync.reason === '' ? '' : `  ${sync.reason}`;
  switch (sync.phase) {
    case 'waiting-for-peers':
      return `waiting for peers  ${height}${reason}`;
    case 'headers':
      return `headers ${grouped(sync.headerHeight)}  ${percent(sync.progress)}  ${height}  ${peers}${reason}`;
    case 'blocks': {
      const left = sync.secondsLeft === undefined ? '' : `  ${duration(sync.secondsLeft)} left`;
      const rates = `${perSecond(sync.blocksPerSecond)} blocks/s  ${bytes(sync.bytesPerSecond)}/s`;
      return `${height} of ${grouped(sync.headerHeight)}  ${percent(sync.progress)}  ${rates}  ${peers}${left}`;
    }
    case 'at-tip':
      return `at the tip  ${height}  ${peers}`;
    case 'stalled':
      return `stalled  ${height} of ${grouped(sync.headerHeight)}  ${peers}  ${sync.reason}`;
  }
}

export type Align = 'left' | 'right';

/** Lines of a table whose columns are as wide as their widest cell, two spaces apart. */
export function table(align: readonly Align[], rows: readonly (readonly string[])[]): string[] {
  const widths = align.map((_, column) => Math.max(0, ...rows.map((row) => [...(row[column] ?? '')].length)));
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const gap = ' '.repeat(Math.max(0, (widths[column] ?? 0) - [...cell].length));
        return align[column] === 'right' ? gap + cell : cell + gap;
      })
      .join('  ')
      .trimEnd(),
  );
}
