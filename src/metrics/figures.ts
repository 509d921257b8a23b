/**
 * What the rows read: the state of the node at one moment, and the few counts that only who listens can make. All of it is
 * plain numbers of the modules' own; nothing here is asked more often than somebody scrapes.
 */
import { statfs } from 'node:fs/promises';
import type { HeaderEntry } from '#chain';
import type { IndexInfo } from '#indexes';
import type { NodeStatus, StarlingNode } from '#node';
import type { Clock } from '#util';

export type Figures = {
  readonly nowMs: number;
  readonly status: NodeStatus;
  readonly chain: ChainFigures;
  readonly mempool: MempoolFigures;
  readonly indexes: readonly IndexInfo[];
  readonly store: StoreFigures;
};

type ChainFigures = {
  readonly transactions: number | undefined;
  readonly lowestStoredHeight: number;
  readonly reorganisations: number;
  readonly disconnectedBlocks: number;
};

type MempoolFigures = ReturnType<StarlingNode['mempool']['stats']> & {
  readonly minFeeSatPerKvb: number;
  readonly unbroadcast: number;
  readonly entered: number;
  /** By Core's MemPoolRemovalReason. */
  readonly left: Readonly<Record<string, number>>;
};

type StoreFigures = {
  readonly blockFileBytes: number;
  readonly coinsBytes: number;
  readonly diskFreeBytes: number;
  readonly diskSizeBytes: number;
};

export class FigureReader implements Disposable {
  readonly #node: StarlingNode;
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #stopTips: () => void;
  #tip: HeaderEntry;
  #reorganisations = 0;
  #disconnectedBlocks = 0;
  #entered = 0;
  readonly #left: Record<string, number> = { expiry: 0, sizelimit: 0, reorg: 0, block: 0, conflict: 0, replaced: 0 };

  /** `directory`: of the network's data, for the room on its disk. The mempool's counts go on until the node ends. */
  constructor(node: StarlingNode, directory: string, clock: Clock) {
    this.#node = node;
    this.#directory = directory;
    this.#clock = clock;
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
    const [status, blockFileBytes, coinsBytes, disk] = await Promise.all([
      this.#node.status(),
      chain.sizeOnDisk(),
      chain.coinsSizeOnDisk(),
      statfs(this.#directory),
    ]);
    return {
      nowMs: this.#clock.now(),
      status,
      chain: {
        transactions: chain.totalTxCount(status.tip.height),
        lowestStoredHeight: chain.lowestStoredHeight(),
        reorganisations: this.#reorganisations,
        disconnectedBlocks: this.#disconnectedBlocks,
      },
      mempool: {
        ...mempool.stats(),
        minFeeSatPerKvb: mempool.minFeeSatPerKvb(),
        unbroadcast: mempool.unbroadcast().length,
        entered: this.#entered,
        left: { ...this.#left },
      },
      indexes: indexes.info(),
      store: {
        blockFileBytes,
        coinsBytes,
        diskFreeBytes: disk.bavail * disk.bsize,
        diskSizeBytes: disk.blocks * disk.bsize,
      },
    };
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
    this.#reorganisations++;
    this.#disconnectedBlocks += left;
  }
}

/** Of the last block that both have below them. */
function forkHeight({ ancestor }: Pick<StarlingNode['chain'], 'ancestor'>, a: HeaderEntry, b: HeaderEntry): number {
  let height = Math.min(a.height, b.height);
  while (ancestor(a, height).hash !== ancestor(b, height).hash) height--;
  return height;
}
