/** Log lines from the network's thread to the node's. So many a second: the other thread may be busy for long. */
import type { Clock, LogFields, Logger } from '#util';
import { TokenBuckets } from '../token-bucket.ts';
import type { FromWorker, Post } from './messages.ts';

const LINE_RATE = { burst: 500, perSecond: 50 };

export function forwardingLogger(post: Post<FromWorker>, clock: Clock): Logger {
  const rate = new TokenBuckets(clock);
  const forModule = (module: string): Logger => {
    const send =
      (level: 'debug' | 'info' | 'warn' | 'error') =>
      (text: string, fields?: LogFields): void => {
        if (rate.take(level, LINE_RATE, 1)) post({ kind: 'log', level, module, text, fields });
      };
    return {
      debug: send('debug'),
      info: send('info'),
      warn: send('warn'),
      error: send('error'),
      child: (name) => forModule(name),
    };
  };
  return forModule('');
}
