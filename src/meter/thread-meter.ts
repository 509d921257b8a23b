/**
 * How a thread does: how much of the time its event loop was busy, how late its turns began, what collecting garbage took.
 * What has to listen for that begins with the first question, so a thread of which nobody asks pays nothing.
 */
import { monitorEventLoopDelay, PerformanceObserver, performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';

/** How often the delay is looked at. 100 short wake-ups a second: 0.1% of a core. */
const RESOLUTION_MS = 10;

type DelayMonitor = ReturnType<typeof monitorEventLoopDelay>;

/** Plain data. Counted since the thread began, but for the delay: that is of the time since the last question. */
export type ThreadFigures = {
  readonly activeMs: number;
  readonly idleMs: number;
  /** By how much turns were late; undefined at the first question. */
  readonly delay: DelayFigures | undefined;
  readonly gcMs: number;
  readonly heapBytes: number;
};

export type DelayFigures = { readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number };

/** Of the thread that makes it. */
export class ThreadMeter implements Disposable {
  #delay: DelayMonitor | undefined;
  #collections: PerformanceObserver | undefined;
  #gcMs = 0;

  figures(): ThreadFigures {
    const { active, idle } = performance.eventLoopUtilization();
    const delay = this.#delay === undefined ? undefined : delayOf(this.#delay);
    this.#listen();
    this.#delay?.reset();
    return {
      activeMs: active,
      idleMs: idle,
      delay,
      gcMs: this.#gcMs,
      heapBytes: getHeapStatistics().used_heap_size,
    };
  }

  [Symbol.dispose](): void {
    this.#delay?.disable();
    this.#collections?.disconnect();
  }

  #listen(): void {
    if (this.#delay !== undefined) return;
    this.#delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.#delay.enable();
    this.#collections = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) this.#gcMs += duration;
    });
    this.#collections.observe({ entryTypes: ['gc'] });
  }
}

/** The timer itself takes RESOLUTION_MS. */
function delayOf(histogram: DelayMonitor): DelayFigures | undefined {
  if (histogram.count === 0) return undefined;
  const ms = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
  return {
    p50Ms: ms(histogram.percentile(50)),
    p99Ms: ms(histogram.percentile(99)),
    maxMs: ms(histogram.max),
  };
}
