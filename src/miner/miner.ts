/**
 * Makes block after block on the tip, for chains whose difficulty a processor meets. A search ends when the tip moves,
 * and after a while, so that newer transactions come in; nothing is lost by it, for a search remembers nothing.
 * What goes wrong is logged, and tried again after a pause.
 */
import type { HeaderEntry } from '#chain';
import type { BlockTemplate } from '#mempool';
import { Block } from '#primitives';
import { type Clock, errorText, type Logger, sleep } from '#util';
import type { Grinder } from './grinder.ts';

/** After so long the block is made anew, with the transactions of then. */
const REFRESH_MS = 5_000;
/** Between two looks whether there is something to do. */
const PAUSE_MS = 250;
const FAILURE_PAUSE_MS = 5_000;

type Submitted = { readonly kind: 'accepted' | 'duplicate' } | { readonly kind: 'rejected'; readonly code: string };

export type MinerDeps = {
  readonly tip: () => HeaderEntry;
  readonly onTip: (listener: () => void) => () => void;
  /** A new one each time: with another extra nonce, and the transactions of now. */
  readonly template: () => BlockTemplate;
  readonly submit: (block: Block) => Promise<Submitted>;
  /** False while blocks of others are known or expected: one more would only be a fork. */
  readonly mayMine: () => boolean;
  readonly grinder: Grinder;
  readonly clock: Clock;
  readonly log: Logger;
};

export class Miner implements AsyncDisposable {
  readonly #deps: MinerDeps;
  readonly #minIntervalMs: number;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;

  /** Begins at once. No block has a time less than `minIntervalMs` after the one before. */
  constructor(deps: MinerDeps, minIntervalMs: number) {
    this.#deps = deps;
    this.#minIntervalMs = minIntervalMs;
    this.#running = this.#run();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort(new Error('mining stops'));
    await this.#running;
    await this.#deps.grinder[Symbol.asyncDispose]();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    const { clock, log } = this.#deps;
    const pause = (ms: number): Promise<void> => sleep(clock, ms, signal).catch(() => {});
    while (!signal.aborted) {
      try {
        const waitMs = this.#waitMs();
        if (waitMs > 0) await pause(waitMs);
        else await this.#mine();
      } catch (error) {
        if (signal.aborted) return;
        log.error('no block could be mined; trying again', { error: errorText(error) });
        await pause(FAILURE_PAUSE_MS);
      }
    }
  }

  /** Until it is worth looking again; 0 when a block may be made now. */
  #waitMs(): number {
    const { tip, clock, mayMine } = this.#deps;
    if (!mayMine()) return PAUSE_MS;
    const leftMs = tip().header.time * 1000 + this.#minIntervalMs - clock.now();
    return Math.min(PAUSE_MS, Math.max(0, leftMs));
  }

  async #mine(): Promise<void> {
    const { template, submit, log, grinder } = this.#deps;
    const { block, height } = template();
    const solved = await this.#untilStale((signal) => grinder.grind(block.header, signal));
    if (solved === undefined) return;
    const result = await submit(Block.fromParts(solved, block.transactions));
    if (result.kind === 'rejected') throw new Error(`a mined block was rejected: ${result.code}`);
    log.info('block mined', { height, hash: solved.hash, transactions: block.transactions.length });
  }

  /** Undefined when the tip moved, or the template grew old, before there was a result. */
  async #untilStale<T>(search: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    const { clock, onTip } = this.#deps;
    const round = new AbortController();
    const end = (): void => round.abort(new Error('the template is stale'));
    const timer = clock.after(REFRESH_MS, end);
    const forget = onTip(end);
    this.#stopping.signal.addEventListener('abort', end);
    try {
      return await search(round.signal);
    } catch (error) {
      if (round.signal.aborted) return undefined;
      throw error;
    } finally {
      timer.cancel();
      forget();
      this.#stopping.signal.removeEventListener('abort', end);
    }
  }
}
