/**
 * The newest blocks of the active chain, newest first, with who told of them. Follows the tip for as long as the node runs, since
 * when a block came is not known later; what it costs for each tip is a row. Bound: MAX_BLOCKS.
 */
import type { HeaderEntry } from '#chain';
import type { StarlingNode } from '#node';
import type { BlockHash } from '#primitives';
import { serving } from '#rpc';
import type { Clock } from '#util';
import type { BlockRow, BlocksDelta } from '../contract.ts';

export const MAX_BLOCKS = 50;

/** What the body tells; null what cannot be known any more. */
export type BlockDetails = Pick<BlockRow, 'sizeBytes' | 'weight' | 'feesSats' | 'feeratePercentiles'>;

const UNKNOWN: BlockDetails = { sizeBytes: null, weight: null, feesSats: null, feeratePercentiles: null };

type Listed = { readonly entry: HeaderEntry; readonly connectedAtMs: number | null; details: BlockDetails | undefined };

type FollowedNode = Pick<StarlingNode, 'onTip' | 'onBlockNews' | 'blockOrigin'> & {
  readonly chain: Pick<StarlingNode['chain'], 'tip' | 'ancestor' | 'txCount'>;
};

export class BlockList implements Disposable {
  readonly #node: FollowedNode;
  readonly #clock: Clock;
  readonly #following = new DisposableStack();
  readonly news: serving.BlockNews;
  #listed: Listed[] = [];
  /** Hears of each change; undefined while nobody reads: then no changes are gathered. */
  #onChange: (() => void) | undefined;
  readonly #changed = new Set<BlockHash>();
  readonly #removed = new Set<BlockHash>();

  constructor(node: FollowedNode, clock: Clock) {
    this.#node = node;
    this.#clock = clock;
    this.news = new serving.BlockNews(clock);
    this.#listed = this.#upTo(node.chain.tip(), null);
    this.#following.defer(node.onTip((tip) => this.#tipMoved(tip)));
    this.#following.defer(node.onBlockNews((hash, peer) => this.#told(hash, peer)));
  }

  [Symbol.dispose](): void {
    this.#following.dispose();
  }

  /** Gathers changes from now on, until what it gives is called. */
  watch(onChange: () => void): () => void {
    this.takeDelta();
    this.#onChange = onChange;
    return () => {
      this.#onChange = undefined;
    };
  }

  rows(): readonly BlockRow[] {
    return this.#listed.map((listed) => this.#row(listed));
  }

  connectedAtMs(hash: BlockHash): number | null {
    return this.#listed.find(({ entry }) => entry.hash === hash)?.connectedAtMs ?? null;
  }

  /** What changed since it was last asked. */
  takeDelta(): BlocksDelta {
    const delta = {
      changed: this.#listed.filter(({ entry }) => this.#changed.has(entry.hash)).map((listed) => this.#row(listed)),
      removed: [...this.#removed],
    };
    this.#changed.clear();
    this.#removed.clear();
    return delta;
  }

  /** The newest block whose details are not known. */
  nextWithoutDetails(): HeaderEntry | undefined {
    return this.#listed.find(({ details }) => details === undefined)?.entry;
  }

  /** Undefined: they cannot be had. */
  setDetails(hash: BlockHash, details: BlockDetails | undefined): void {
    const listed = this.#listed.find(({ entry }) => entry.hash === hash);
    if (listed === undefined) return;
    listed.details = details ?? UNKNOWN;
    this.#change(hash);
  }

  #row({ entry, connectedAtMs, details = UNKNOWN }: Listed): BlockRow {
    const { hash, height, header } = entry;
    const { firstHeardAtMs = null, announcements = [] } = this.news.of(hash) ?? {};
    return {
      height,
      hash,
      timeSeconds: header.time,
      txCount: this.#node.chain.txCount(hash),
      ...details,
      connectedAtMs,
      firstHeardAtMs,
      announcements: announcements.map(({ peerId, delayMs }) => ({ peerId, delayMs: Math.round(delayMs * 10) / 10 })),
      origin: this.#node.blockOrigin(hash) ?? null,
    };
  }

  #told(hash: BlockHash, peer: string): void {
    const isNew = this.news.told(hash, peer);
    if (isNew && this.#listed.some(({ entry }) => entry.hash === hash)) this.#change(hash);
  }

  #tipMoved(tip: HeaderEntry): void {
    const before = this.#listed;
    this.#listed = this.#upTo(tip, this.#clock.now());
    if (this.#onChange === undefined) return;
    const now = new Set(this.#listed.map(({ entry }) => entry.hash));
    for (const { entry } of before) {
      // One that comes back is told of as changed: its place in the list is another.
      if (now.delete(entry.hash)) continue;
      this.#removed.add(entry.hash);
      this.#changed.delete(entry.hash);
    }
    for (const hash of now) {
      this.#removed.delete(hash);
      this.#changed.add(hash);
    }
    this.#onChange();
  }

  /** Down to a block that is listed, whose ancestors are then too, or to the end of the list. */
  #upTo(tip: HeaderEntry, connectedAtMs: number | null): Listed[] {
    const fresh: Listed[] = [];
    for (let entry = tip; ; entry = this.#node.chain.ancestor(entry, entry.height - 1)) {
      const at = this.#listed.findIndex((listed) => listed.entry.hash === entry.hash);
      if (at !== -1) return [...fresh, ...this.#listed.slice(at)].slice(0, MAX_BLOCKS);
      fresh.push({ entry, connectedAtMs, details: undefined });
      if (entry.height === 0 || fresh.length === MAX_BLOCKS) return fresh;
    }
  }

  #change(hash: BlockHash): void {
    if (this.#onChange === undefined) return;
    this.#changed.add(hash);
    this.#onChange();
  }
}
