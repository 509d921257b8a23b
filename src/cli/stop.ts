/**
 * Ctrl-C and friends: the first asks to stop in order, the second does not wait. A reader of the output that goes
 * away (`starling node | head`) asks too.
 */
import process from 'node:process';
import { systemClock } from '#util';
import { ExitCode } from './exit-codes.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** One Ctrl-C under `npm start` arrives twice: from the terminal, and passed on by npm. Nobody types that fast. */
const SAME_KEY_MS = 500;

export type StopListener = Disposable & {
  /** Aborts when the user wants the program to stop. */
  readonly signal: AbortSignal;
  /** For those who ask by other ways. */
  readonly stop: () => void;
};

/** Disposing stops listening. */
export function listenForStop(): StopListener {
  const controller = new AbortController();
  let firstMs: number | undefined;
  const asked = (): void => {
    const nowMs = systemClock.monotonicMs();
    firstMs ??= nowMs;
    if (nowMs - firstMs > SAME_KEY_MS) process.exit(ExitCode.interrupted);
    controller.abort();
  };
  const unread = (): void => controller.abort();
  for (const name of SIGNALS) process.on(name, asked);
  process.stdout.on('error', unread);
  return {
    signal: controller.signal,
    stop: () => controller.abort(),
    [Symbol.dispose]: () => {
      for (const name of SIGNALS) process.off(name, asked);
      process.stdout.off('error', unread);
    },
  };
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
