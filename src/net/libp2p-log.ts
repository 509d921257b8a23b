/**
 * libp2p's log lines in ours. Only its errors, at debug level, since peers cause most of them; and only so many a
 * second, so that no peer writes our disk full. Its traces are never formatted: they would cost more than the work.
 */
import type { ComponentLogger, Logger as Libp2pLogger } from '@libp2p/interface';
import { type Clock, errorText, type Logger } from '#util';
import { TokenBuckets } from './token-bucket.ts';

const LINE_RATE = { burst: 100, perSecond: 10 };
const MAX_LINE_LENGTH = 300;

export function libp2pLogger(log: Logger, clock: Clock): ComponentLogger {
  const rate = new TokenBuckets(clock);
  const forComponent = (name: string): Libp2pLogger => {
    const ignore = (): void => {};
    const error = (format: unknown, ...values: unknown[]): void => {
      if (rate.take('lines', LINE_RATE, 1)) log.debug(expand(String(format), values), { component: name });
    };
    return Object.assign(ignore, {
      error,
      trace: ignore,
      enabled: false,
      newScope: (scope: string) => forComponent(`${name}:${scope}`.slice(0, 80)),
    });
  };
  return { forComponent };
}

/** Fills libp2p's placeholders (`%p %e %a …`) with bounded texts. */
function expand(format: string, values: readonly unknown[]): string {
  let next = 0;
  const text = format.replace(/%[a-z]/g, () => {
    const value = values[next];
    next += 1;
    return value instanceof Error ? errorText(value) : String(value).slice(0, 120);
  });
  return text.slice(0, MAX_LINE_LENGTH);
}
