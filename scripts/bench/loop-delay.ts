/**
 * How late the event loops of a process are, its main thread's and its network thread's. Loaded in front of a program
 * (`--import`), in each of its threads; whoever asks does so over a channel between threads.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { BroadcastChannel, isMainThread, threadName } from 'node:worker_threads';

const RESOLUTION_MS = 10;
const CHANNEL = 'starling-bench-loop-delay';

type Question = { readonly kind: 'reset' } | { readonly kind: 'ask' };
type Answer = { readonly kind: 'answer'; readonly thread: string; readonly p99Ms: number; readonly maxMs: number };

/** Milliseconds, by thread: `main`, `net`. */
export type LoopDelays = Readonly<Record<string, { readonly p99Ms: number; readonly maxMs: number }>>;

const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
const channel = new BroadcastChannel(CHANNEL);
const isMeasured = isMainThread || threadName === 'net';

if (isMeasured) {
  histogram.enable();
  channel.onmessage = (event) => receive((event as { readonly data: Question | Answer }).data);
}
channel.unref();

const answers = new Map<string, Answer>();
let onAnswer: (() => void) | undefined;

function receive(message: Question | Answer): void {
  if (message.kind === 'reset') histogram.reset();
  else if (message.kind === 'ask') channel.postMessage(ownAnswer());
  else {
    answers.set(message.thread, message);
    onAnswer?.();
  }
}

/** The sampling timer itself is late by its resolution on a loop that is never busy. */
function ownAnswer(): Answer {
  const toMs = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
  const thread = isMainThread ? 'main' : (threadName ?? '');
  return { kind: 'answer', thread, p99Ms: toMs(histogram.percentile(99)), maxMs: toMs(histogram.max) };
}

/** Begins anew in both threads. */
export function resetLoopDelays(): void {
  histogram.reset();
  channel.postMessage({ kind: 'reset' } satisfies Question);
}

/** Of this thread and the network's. Main thread only. */
export async function loopDelays(): Promise<LoopDelays> {
  const main = ownAnswer();
  answers.clear();
  await new Promise<void>((resolve) => {
    onAnswer = resolve;
    channel.postMessage({ kind: 'ask' } satisfies Question);
  });
  return Object.fromEntries([main, ...answers.values()].map(({ thread, p99Ms, maxMs }) => [thread, { p99Ms, maxMs }]));
}
