/** What a person sees while a chain is opened and that takes long: after a crash, or when it is built anew. */
import type { OpenProgress } from '#chain';
import type { Clock, Logger } from '#util';
import { bar, bytes, grouped, percent } from './format.ts';
import type { Terminal } from './terminal.ts';

const BAR_CELLS = 24;
/** Where lines are not redrawn. */
const LOG_MS = 10_000;

/** A line redrawn in place, or log lines now and then. */
export function showOpening(terminal: Terminal, log: Logger, clock: Clock): (progress: OpenProgress) => void {
  let nextMs = clock.monotonicMs() + LOG_MS;
  return ({ what, done, total }) => {
    const share = total === 0 ? 1 : done / total;
    const shown = what === 'connecting blocks' || what === 'counting transactions' ? grouped : bytes;
    const text = `${shown(done)} of ${shown(total)}`;
    if (terminal.isInteractive) terminal.live([`${bar(share, BAR_CELLS)} ${percent(share)}  ${what}: ${text}`]);
    else if (clock.monotonicMs() >= nextMs) {
      nextMs = clock.monotonicMs() + LOG_MS;
      log.info(what, { done: text, share: percent(share) });
    }
  };
}
