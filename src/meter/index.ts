export { Histogram, type HistogramFigures, LATENCY_SECONDS } from './histogram.ts';
export { Tally } from './tally.ts';
export { type DelayFigures, type ThreadFigures, ThreadMeter } from './thread-meter.ts';
