/**
 * What happens when something in the network's thread throws where nobody catches. libp2p has places where a remote
 * peer can cause that (js-libp2p issues 3415 and 3512); dying of it would let strangers stop nodes. Such an error is
 * logged and survived, so many in a minute; one of our own code, or too many, ends the thread in order.
 */
import { type Clock, errorText, type Logger } from '#util';
import { TokenBuckets } from '../token-bucket.ts';

const SURVIVED = { burst: 10, perSecond: 10 / 60 };
/** The folder of our own code: `src/`, or what it was built into. */
const OWN_CODE = new URL('../../', import.meta.url).href;

export type GuardDeps = {
  readonly clock: Clock;
  readonly log: Logger;
  /** Tells the other thread why this one ends. */
  readonly fail: (error: unknown) => void;
};

export function guardThread(deps: GuardDeps): void {
  const rate = new TokenBuckets(deps.clock);
  const judge = (error: unknown): void => {
    if (!isOwnFailure(error) && rate.take('errors', SURVIVED, 1)) {
      deps.log.error('an error of libp2p that nobody caught was survived', { error: errorText(error) });
      return;
    }
    deps.fail(error);
    process.exit(1);
  };
  process.on('uncaughtException', judge);
  process.on('unhandledRejection', judge);
}

/** Whether the innermost frame of the error's stack is our code. An error without a stack is nobody's. */
export function isOwnFailure(error: unknown): boolean {
  if (!(error instanceof Error) || error.stack === undefined) return false;
  const frame = error.stack.split('\n').find((line) => /\bfile:\/\/|\(\/|at \//.test(line));
  if (frame === undefined) return false;
  const at = frame.indexOf(OWN_CODE);
  return at >= 0 && !frame.slice(at + OWN_CODE.length).includes('/node_modules/');
}
