/** What a soak's samples say. */
import { slopePerHour, toMegabytes } from './growth.ts';
import type { Minute } from './soak.ts';

/** Of a node, after the warm-up. */
const MAX_HEAP_MB_PER_HOUR = 1;
/** What the least of ten counts may differ by. */
const COUNT_SCATTER = 0.03;
const LEAST_COUNT_SCATTER = 10;
/** Below it nothing is judged. */
const LEAST_SAMPLES = 3;
/** What the load itself changes, or the messages of the last minutes (gossipsub has a set for each): shown, not judged. */
const NOT_JUDGED: ReadonlySet<string> = new Set([
  ...['height', 'in mempools', 'known addresses', 'peers', 'connections'],
  ...['promises', 'maps', 'sets'],
]);

export type Verdict = { readonly lines: readonly string[]; readonly isFlat: boolean };

/** The first third is the warm-up. */
export function warmedUp<T>(run: readonly T[]): readonly T[] {
  return run.slice(Math.floor(run.length / 3));
}

export function verdictOf(run: readonly Minute[]): Verdict {
  const heap = heapVerdict(warmedUp(run));
  const counts = countVerdict(warmedUp(run));
  const isFlat = heap.isFlat && counts.isFlat;
  return { lines: [...heap.lines, '', ...counts.lines, '', isFlat ? 'flat' : 'NOT FLAT'], isFlat };
}

function heapVerdict(run: readonly Minute[]): Verdict {
  const processes = run[0]?.processes.length ?? 0;
  const slopes = Array.from({ length: processes }, (_, at) => {
    const slope = (of: (minute: Minute) => number): number =>
      slopePerHour(run.map((minute) => ({ atMs: minute.atMs, value: toMegabytes(of(minute)) })));
    return {
      heap: slope(({ processes: all }) => all[at]?.heapBytes ?? Number.NaN),
      external: slope(({ processes: all }) => all[at]?.externalBytes ?? Number.NaN),
    };
  });
  if (slopes.some(({ heap }) => Number.isNaN(heap))) return { lines: ['too short for a slope'], isFlat: true };
  const line = (what: string, of: (slope: (typeof slopes)[number]) => number): string =>
    `${what.padEnd(44)}${slopes.map((each) => of(each).toFixed(2).padStart(8)).join('')}  MB/h a node, by process`;
  return {
    lines: [
      line(`heap (< ${MAX_HEAP_MB_PER_HOUR})`, ({ heap }) => heap),
      line('outside of the heap', ({ external }) => external),
    ],
    isFlat: slopes.every(({ heap }) => heap < MAX_HEAP_MB_PER_HOUR),
  };
}

/**
 * All processes together: the least of the first half, and of the second. Pings and calls that are on their way at one
 * moment are not at another; what leaks is there at all.
 */
function countVerdict(run: readonly Minute[]): Verdict {
  const half = Math.ceil(run.length / 2);
  const names = [...new Set(run.flatMap(({ processes }) => processes.flatMap(({ counts }) => Object.keys(counts))))];
  const least = (minutes: readonly Minute[], name: string): number => {
    const totals = minutes.map(({ processes }) => processes.reduce((sum, { counts }) => sum + (counts[name] ?? 0), 0));
    return Math.min(...totals);
  };
  const isLongEnough = run.length >= LEAST_SAMPLES;
  const rows = names.map((name) => {
    const [before, after] = [least(run.slice(0, half), name), least(run.slice(-half), name)];
    const room = Math.max(LEAST_COUNT_SCATTER, COUNT_SCATTER * before);
    return { name, before, after, isGrown: isLongEnough && !NOT_JUDGED.has(name) && after - before > room };
  });
  return {
    lines: rows.map(
      ({ name, before, after, isGrown }) =>
        `${name.padEnd(50)}${String(before).padStart(9)} ${String(after).padStart(9)}${isGrown ? '  GROWN' : ''}`,
    ),
    isFlat: rows.every(({ isGrown }) => !isGrown),
  };
}
