/**
 * What the bodies of the listed blocks tell, newest first, one at a time: reading and decoding a full block takes tens of
 * milliseconds, so it rests for twenty times what the last one took. Only while somebody reads.
 */
import type { HeaderEntry } from '#chain';
import type { StarlingNode } from '#node';
import { Block } from '#primitives';
import { coreIo } from '#rpc';
import { type Clock, errorText, type Logger, type TimerHandle } from '#util';
import type { BlockDetails, BlockList } from './block-list.ts';

const REST_TIMES = 20;
const MIN_REST_MS = 20;

export type DetailsDeps = {
  readonly chain: Pick<StarlingNode['chain'], 'readBlock' | 'readUndo'>;
  readonly blocks: Pick<BlockList, 'nextWithoutDetails' | 'setDetails'>;
  readonly clock: Clock;
  readonly log: Logger;
};

export class BlockDetailsReader implements Disposable {
  readonly #deps: DetailsDeps;
  #timer: TimerHandle | undefined;
  #isReading = false;
  #isStopped = false;

  constructor(deps: DetailsDeps) {
    this.#deps = deps;
    this.poke();
  }

  [Symbol.dispose](): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  /** There may be a block to read. */
  poke(): void {
    if (this.#timer !== undefined || this.#isReading || this.#isStopped) return;
    const entry = this.#deps.blocks.nextWithoutDetails();
    if (entry !== undefined) void this.#read(entry);
  }

  async #read(entry: HeaderEntry): Promise<void> {
    const { blocks, clock, log } = this.#deps;
    const startedMs = clock.monotonicMs();
    this.#isReading = true;
    try {
      blocks.setDetails(entry.hash, await this.#detailsOf(entry));
    } catch (error) {
      log.debug('a block for the dashboard could not be read', { hash: entry.hash, error: errorText(error) });
      blocks.setDetails(entry.hash, undefined);
    }
    this.#isReading = false;
    if (this.#isStopped) return;
    const restMs = Math.max(MIN_REST_MS, REST_TIMES * (clock.monotonicMs() - startedMs));
    this.#timer = clock.after(restMs, () => {
      this.#timer = undefined;
      this.poke();
    });
  }

  async #detailsOf({ hash }: HeaderEntry): Promise<BlockDetails | undefined> {
    const { chain } = this.#deps;
    const [raw, spent] = [await chain.readBlock(hash), await chain.readUndo(hash)];
    if (raw === undefined) return undefined;
    const block = Block.fromBytes(raw);
    const sizes = { sizeBytes: block.size, weight: block.weight };
    if (spent === undefined) return { ...sizes, feesSats: null, feeratePercentiles: null };
    const stats = coreIo.blockStats({ block, spent, isCoinbaseLost: () => false });
    const percentiles = stats['feerate_percentiles'] as readonly bigint[];
    return { ...sizes, feesSats: Number(stats['totalfee']), feeratePercentiles: percentiles.map(Number) };
  }
}
