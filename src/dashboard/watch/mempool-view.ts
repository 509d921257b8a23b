/**
 * The mempool at a glance. What comes and goes is counted for as long as the node runs; the next blocks are projected only while
 * somebody reads, and take a fiftieth of the time at most.
 */
import type { StarlingNode } from '#node';
import type { Clock } from '#util';
import type { Mempool, MempoolTx, ProjectedBlock } from '../contract.ts';
import { FeerateHistogram } from './feerate-histogram.ts';
import { projectBlocks } from './projected-blocks.ts';

const MAX_LATEST = 10;
const MIN_PROJECTION_INTERVAL_MS = 2_000;
const PROJECTION_REST_TIMES = 50;
/** Fee rates are told to a thousandth. */
const PRECISION = 1_000;

type Projection = { readonly blocks: readonly ProjectedBlock[]; readonly version: number; readonly nextMs: number };

export class MempoolView implements Disposable {
  readonly #node: Pick<StarlingNode, 'mempool' | 'chain'>;
  readonly #clock: Clock;
  readonly #histogram = new FeerateHistogram();
  readonly #latest: MempoolTx[] = [];
  #entered = 0;
  #left = 0;
  #isStopped = false;
  #projection: Projection = { blocks: [], version: -1, nextMs: Number.NEGATIVE_INFINITY };

  constructor(node: Pick<StarlingNode, 'mempool' | 'chain'>, clock: Clock) {
    this.#node = node;
    this.#clock = clock;
    for (const entry of node.mempool.entries()) this.#histogram.add(entry);
    // There for as long as the mempool lives.
    node.mempool.observe({
      entered: (entry) => {
        if (this.#isStopped) return;
        this.#entered++;
        this.#histogram.add(entry);
        const { txid, vsize, fee } = entry;
        this.#latest.unshift({ txid, vsizeBytes: vsize, feeSats: Number(fee), enteredAtMs: clock.now() });
        if (this.#latest.length > MAX_LATEST) this.#latest.pop();
      },
      left: (entry) => {
        if (this.#isStopped) return;
        this.#left++;
        this.#histogram.remove(entry);
      },
    });
  }

  [Symbol.dispose](): void {
    this.#isStopped = true;
  }

  /** Another one where something is to be told anew. */
  version(): string {
    const { mempool } = this.#node;
    return `${mempool.version()} ${this.#projection.version} ${mempool.minFeeSatPerKvb()}`;
  }

  /** Projects the next blocks anew if the mempool changed and it is time to. */
  project(): void {
    const { chain, mempool } = this.#node;
    const startedMs = this.#clock.monotonicMs();
    const version = mempool.version();
    if (version === this.#projection.version || startedMs < this.#projection.nextMs) return;
    // Between a block and its mempool what would be in the next one is not known.
    if (mempool.syncedTip() !== chain.tip().hash) return;
    const blocks = projectBlocks(chain, mempool.entries(), this.#histogram.buckets()).map(rounded);
    const tookMs = this.#clock.monotonicMs() - startedMs;
    const nextMs = startedMs + Math.max(MIN_PROJECTION_INTERVAL_MS, PROJECTION_REST_TIMES * tookMs);
    this.#projection = { blocks, version, nextMs };
  }

  state(): Mempool {
    const { mempool } = this.#node;
    const { count, vsize, usage, maxBytes, totalFee } = mempool.stats();
    return {
      txCount: count,
      vsizeBytes: vsize,
      usageBytes: usage,
      maxBytes,
      totalFeeSats: Number(totalFee),
      minFeerateSatPerVb: mempool.minFeeSatPerKvb() / 1_000,
      enteredCount: this.#entered,
      leftCount: this.#left,
      histogram: this.#histogram.buckets().map(({ feesSats: _, ...bucket }) => bucket),
      projectedBlocks: this.#projection.blocks,
      latest: [...this.#latest],
    };
  }
}

const thousandths = (rate: number): number => Math.round(rate * PRECISION) / PRECISION;

function rounded(block: ProjectedBlock): ProjectedBlock {
  return {
    ...block,
    minFeerateSatPerVb: thousandths(block.minFeerateSatPerVb),
    medianFeerateSatPerVb: thousandths(block.medianFeerateSatPerVb),
    maxFeerateSatPerVb: thousandths(block.maxFeerateSatPerVb),
  };
}
