/**
 * Keeps figures fresh: asks anew when the node tells of something, not more often than the eye follows, and otherwise every two
 * seconds, since bytes and pings have no events. Whatever fails is told, and tried again.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type NodeEvent, type RpcTarget, readEvents } from '#rpc';
import { errorText, NodeError } from '#util';
import type { Collector } from './collector.ts';
import type { Figures } from './figures.ts';

const REFRESH_MS = 2_000;
/** Between two askings, whatever happens: after a block, and after transactions and peers, of which there are many. */
const AFTER_BLOCK_MS = 200;
const AFTER_OTHERS_MS = 1_000;
const RETRY_MS = 2_000;
/** A node that takes so long for an answer is told of. */
const SLOW_MS = 5_000;

export type Watched = {
  readonly collector: Collector;
  /** Anew for each try: a node that was started again has another login. */
  readonly target: () => Promise<RpcTarget>;
  readonly show: (figures: Figures) => void;
  /** `reason` is one line; the figures are what they were. */
  readonly trouble: (reason: string) => void;
};

/** Until the signal aborts, which also has to end what the collector asks. */
export async function watch(watched: Watched, signal: AbortSignal): Promise<void> {
  const bell = new Bell();
  const failed = new AbortController();
  const ends = AbortSignal.any([signal, failed.signal]);
  try {
    await Promise.all([refreshing(watched, bell, ends), listening(watched, bell, ends)]);
  } finally {
    failed.abort();
  }
}

/** Rung to have figures refreshed after at most so many milliseconds from the last time. */
class Bell {
  #waitMs = REFRESH_MS;
  #wake: () => void = () => {};

  ring(waitMs: number): void {
    if (waitMs >= this.#waitMs) return;
    this.#waitMs = waitMs;
    this.#wake();
  }

  /** Waits from now on. */
  async wait(signal: AbortSignal): Promise<void> {
    let waitedMs = 0;
    const startedMs = performance.now();
    while (waitedMs < this.#waitMs && !signal.aborted) {
      const woken = new AbortController();
      this.#wake = () => woken.abort();
      await pause(this.#waitMs - waitedMs, undefined, { signal: AbortSignal.any([signal, woken.signal]) }).catch(
        () => {},
      );
      waitedMs = performance.now() - startedMs;
    }
    this.#waitMs = REFRESH_MS;
  }
}

async function refreshing({ collector, show, trouble }: Watched, bell: Bell, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await bell.wait(signal);
    if (signal.aborted) return;
    const slow = setTimeout(() => trouble(`no answer for ${SLOW_MS / 1000} s`), SLOW_MS);
    try {
      show(await collector.collect());
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof NodeError)) throw error;
      trouble(errorText(error));
    } finally {
      clearTimeout(slow);
    }
  }
}

async function listening({ collector, target }: Watched, bell: Bell, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const event of readEvents(await target(), signal)) {
        collector.hear(event);
        bell.ring(urgency(event));
      }
    } catch (error) {
      // It does without them; what is wrong with the node, the figures tell.
      if (!(error instanceof NodeError)) throw error;
    }
    collector.forgetSync();
    await pause(RETRY_MS, undefined, { signal }).catch(() => {});
  }
}

const urgency = ({ name }: NodeEvent): number =>
  name === 'blocks' || name === 'state' ? AFTER_BLOCK_MS : AFTER_OTHERS_MS;
