/**
 * Bounds the memory that V8 takes beyond what the main thread needs. By default young objects get up to two halves of
 * 64 MB while blocks are connected, since these outlive a collection or two, and old ones four times what was alive at
 * the last full collection. A fraction of both is no slower (figures in the module's README). Sizes are settings of the
 * start of a process, which a program cannot give itself; but the factors of growth are read at each collection. To be
 * called before the rest is loaded: that alone makes V8 grow to 34 MB.
 */
import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** Of young objects, both halves. Reached in steps of two, so it may be twice that. */
const YOUNG_BYTES = 8 << 20;
/** Old objects are collected when there is so much more of them than were alive the last time. */
const OLD_GROWTH_PERCENT = 100;

/** From now on, for the life of the process. Worker threads have bounds of their own for young objects, and smaller ones. */
export function limitHeapGrowth(): void {
  setFlagsFromString(`--heap-growing-percent=${OLD_GROWTH_PERCENT}`);
  let isGrown = false;
  new PerformanceObserver(() => {
    const isLarge = youngBytes() >= YOUNG_BYTES;
    if (isLarge === isGrown) return;
    // It shrinks when there is little to do, and may grow again.
    isGrown = isLarge;
    setFlagsFromString(`--semi-space-growth-factor=${isGrown ? 1 : 2}`);
  }).observe({ entryTypes: ['gc'] });
}

function youngBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0;
}
