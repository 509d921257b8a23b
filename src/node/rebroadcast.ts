/**
 * Announces own transactions anew until some peer has heard of them: they may have been submitted while nobody was
 * connected (Core's ReattemptInitialBroadcast). Gossip has forgotten the first announcement by then.
 */
import type { Mempool } from '#mempool';
import type { Net } from '#net';
import { topics, txMessageFor } from '#protocol';
import { type Clock, errorText, type Logger, type Random, type TimerHandle } from '#util';

/** Ten to fifteen minutes, as in Core. */
const LEAST_MS = 10 * 60_000;
const SPREAD_MS = 5 * 60_000;

export type RebroadcastDeps = {
  readonly mempool: Pick<Mempool, 'unbroadcast' | 'markBroadcast' | 'get'>;
  readonly publish: Net['publish'];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
};

export class Rebroadcast implements Disposable {
  readonly #deps: RebroadcastDeps;
  #timer: TimerHandle;
  #isOver = false;

  constructor(deps: RebroadcastDeps) {
    this.#deps = deps;
    this.#timer = this.#schedule();
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#timer.cancel();
  }

  #schedule(): TimerHandle {
    const { clock, random, log } = this.#deps;
    return clock.after(LEAST_MS + random.below(SPREAD_MS), () => {
      this.#timer = this.#schedule();
      this.#announceAll().catch((error) => log.debug('not announced anew', { error: errorText(error) }));
    });
  }

  async #announceAll(): Promise<void> {
    const { mempool, publish } = this.#deps;
    for (const txid of mempool.unbroadcast()) {
      const entry = mempool.get(txid);
      if (this.#isOver || entry === undefined) continue;
      const sentTo = await publish('tx', topics.tx.codec.encode(txMessageFor(entry.tx, entry.fee)));
      if (sentTo > 0) mempool.markBroadcast(txid);
    }
  }
}
