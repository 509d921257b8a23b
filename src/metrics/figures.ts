/**
 * What the rows read: the state of the node at one moment, and the few counts that only who listens can make. All of it is
 * plain numbers of the modules' own; nothing here is asked more often than somebody scrapes.
 */
import { statfs } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import type { HeaderEntry } from '#chain';
import type { IndexInfo } from '#indexes';
import { Histogram, type HistogramFigures } from '#meter';
import type { NodeFigures, NodeStatus, StarlingNode } from '#node';
import { type Clock, errorText, type Logger } from '#util';

/** What needs the disk, or a look at thousands of files, is asked for no more often than this. */
const DISK_EVERY_MS = 30_000;
const REORGANISATION_BLOCKS = [1, 2, 3, 6, 10, 20, 50, 100];

export type Figures = {
  readonly nowMs: number;
  readonly status: NodeStatus;
  readonly counted: NodeFigures;
  /** The event loop of the main thread, since the process began. */
  readonly loop: { readonly activeMs: number; readonly idleMs: number };
  readonly chain: ChainFigures;
  readonly mempool: MempoolFigures;
  readonly indexes: readonly IndexInfo[];
  readonly disk: DiskFigures;
};

type ChainFigures = {
  readonly transactions: number | undefined;
  readonly lowestStoredHeight: number;
  /** Of each reorganisation, how many blocks were left. */
  readonly reorganisationBlocks: HistogramFigures;
  readonly disconnectedBlocks: number;
};

type MempoolFigures = ReturnType<StarlingNode['mempool']['stats']> & {
  readonly minFeeSatPerKvb: number;
  readonly entered: number;
  /** By Core's MemPoolRemovalReason. */
  readonly left: Readonly<Record<string, number>>;
};

type DiskFigures = {
  readonly blockFileBytes: number;
  readonly coinsBytes: number;
  readonly diskFreeBytes: number;
  readonly diskSizeBytes: number;
};

export type FigureDeps = { readonly clock: Clock; readonly log: Logger };

export class FigureReader implements Disposable {
  readonly #node: StarlingNode;
  readonly #directory: string;
  readonly #deps: FigureDeps;
  readonly #stopTips: () => void;
  #tip: HeaderEntry;
  readonly #reorganisationBlocks = new Histogram(REORGANISATION_BLOCKS);
  #disconnectedBlocks = 0;
  #entered = 0;
  #disk: DiskFigures | undefined;
  #diskReadMs = 0;
  readonly #left: Record<string, number> = { expiry: 0, sizelimit: 0, reorg: 0, block: 0, conflict: 0, replaced: 0 };

  /** `directory`: of the network's data, for the room on its disk. The mempool's counts go on until the node ends. */
  constructor(node: StarlingNode, directory: string, deps: FigureDeps) {
    this.#node = node;
    this.#directory = directory;
    this.#deps = deps;
    this.#tip = node.chain.tip();
    this.#stopTips = node.onTip((tip) => this.#tipMoved(tip));
    node.mempool.observe({
      entered: () => {
        this.#entered++;
      },
      left: (_entry, reason) => {
        this.#left[reason] = (this.#left[reason] ?? 0) + 1;
      },
    });
  }

  async read(): Promise<Figures> {
    const { chain, mempool, indexes } = this.#node;
    const [status, counted, disk] = await Promise.all([this.#node.status(), this.#node.figures(), this.#diskFigures()]);
    const { active, idle } = performance.eventLoopUtilization();
    return {
      nowMs: this.#deps.clock.now(),
      status,
      counted,
      loop: { activeMs: active, idleMs: idle },
      chain: {
        transactions: chain.totalTxCount(status.tip.height),
        lowestStoredHeight: chain.lowestStoredHeight(),
        reorganisationBlocks: this.#reorganisationBlocks.figures(),
        disconnectedBlocks: this.#disconnectedBlocks,
      },
      mempool: {
        ...mempool.stats(),
        minFeeSatPerKvb: mempool.minFeeSatPerKvb(),
        entered: this.#entered,
        left: { ...this.#left },
      },
      indexes: indexes.info(),
      disk,
    };
  }

  /** Those of a while ago, while new ones are read for the next time: who scrapes does not wait for the disk. */
  #diskFigures(): DiskFigures | Promise<DiskFigures> {
    const isOld = this.#deps.clock.monotonicMs() - this.#diskReadMs >= DISK_EVERY_MS;
    if (this.#disk === undefined) return this.#readDisk();
    if (isOld) this.#readDisk().catch((error) => this.#diskFailed(error));
    return this.#disk;
  }

  async #readDisk(): Promise<DiskFigures> {
    this.#diskReadMs = this.#deps.clock.monotonicMs();
    const { chain } = this.#node;
    const [blockFileBytes, coinsBytes, disk] = await Promise.all([
      chain.sizeOnDisk(),
      chain.coinsSizeOnDisk(),
      statfs(this.#directory),
    ]);
    this.#disk = {
      blockFileBytes,
      coinsBytes,
      diskFreeBytes: disk.bavail * disk.bsize,
      diskSizeBytes: disk.blocks * disk.bsize,
    };
    return this.#disk;
  }

  /** The next scrape tries again, waits for it, and says if it fails too. */
  #diskFailed(error: unknown): void {
    this.#disk = undefined;
    this.#deps.log.debug('the sizes on the disk could not be read', { error: errorText(error) });
  }

  [Symbol.dispose](): void {
    this.#stopTips();
  }

  /** Each change of the tip is heard of in order, so what the new tip does not build on was disconnected. */
  #tipMoved(tip: HeaderEntry): void {
    const last = this.#tip;
    this.#tip = tip;
    const left = last.height - forkHeight(this.#node.chain, last, tip);
    if (left === 0) return;
    this.#reorganisationBlocks.add(left);
    this.#disconnectedBlocks += left;
  }
}

/** Of the last block that both have below them. */
function forkHeight({ ancestor }: Pick<StarlingNode['chain'], 'ancestor'>, a: HeaderEntry, b: HeaderEntry): number {
  let height = Math.min(a.height, b.height);
  while (ancestor(a, height).hash !== ancestor(b, height).hash) height--;
  return height;
}
