/** The chain as others read it. */
import type { NetworkParams } from '#consensus';
import { type BlockHash, idToBytes } from '#primitives';
import type { KeyValueStore } from '#store';
import { assert } from '#util';
import { type ActiveChain, locatorIds } from './active-chain.ts';
import type { BlockIndex } from './block-index.ts';
import type { BlockStorage } from './block-storage.ts';
import type { CoinsCache } from './coins-cache.ts';
import { type HeaderId, TreeEntry } from './header-tree.ts';
import type { ChainReader, Coin, HeaderEntry, OutPoint } from './port.ts';
import { utxoStats } from './utxo-stats.ts';

export type ReaderState = {
  readonly params: NetworkParams;
  readonly index: BlockIndex;
  readonly indexStore: KeyValueStore;
  readonly active: ActiveChain;
  readonly coins: CoinsCache;
  readonly coinsStore: KeyValueStore;
  readonly storage: BlockStorage;
  readonly bestHeader: () => HeaderId;
  readonly coinAtTip: (outpoint: OutPoint) => Coin | undefined;
};

/** Runs a task in the writer's queue. */
type RunInQueue = <T>(task: () => Promise<T>) => Promise<T>;

export function createReader(state: ReaderState, runInQueue: RunInQueue, flush: () => Promise<void>): ChainReader {
  const { active, index, params } = state;
  const { tree } = index;
  const tip = (): TreeEntry => {
    assert(active.tip !== undefined, 'genesis is connected');
    return tree.entry(active.tip);
  };
  const activeAt = (height: number): TreeEntry | undefined => {
    const id = active.at(height);
    return id === undefined ? undefined : tree.entry(id);
  };
  return {
    params,
    tip,
    bestHeader: () => tree.entry(state.bestHeader()),
    getHeader: (hash) => {
      const id = tree.find(hash);
      return id === undefined ? undefined : tree.entry(id);
    },
    ancestor: (entry, height) => entryOf(index, entry).ancestor(height),
    activeAt,
    locator: (from) => {
      const id = from === undefined ? state.bestHeader() : entryOf(index, from).id;
      return locatorIds(tree, id).map((each) => tree.entry(each).hash);
    },
    headersAfter: (locator, stop, max) => {
      const start = forkHeight(state, locator);
      const stopId = stop === undefined ? undefined : tree.find(stop);
      const ids: HeaderId[] = [];
      for (let height = start + 1; ids.length < max; height++) {
        const id = active.at(height);
        if (id === undefined) break;
        ids.push(id);
        if (id === stopId) break;
      }
      return tree.headersOf(ids);
    },
    hasBlock: (hash) => withId(index, hash, (id) => index.hasData(id)) ?? false,
    isInvalid: (hash) => withId(index, hash, (id) => index.isFailed(id)) ?? false,
    readBlock: async (hash) => {
      const position = withId(index, hash, (id) => index.blockPosition(id));
      return position === undefined ? undefined : await state.storage.readBlock(position);
    },
    getCoin: (outpoint) => state.coinAtTip(outpoint),
    sizeOnDisk: () => state.storage.sizeOnDisk(),
    utxoStats: (signal) => utxoStats({ coinsStore: state.coinsStore, runInQueue, flush, tip }, signal),
  };
}

/** Height of the first locator hash that is on the active chain; 0 if none is. */
function forkHeight(state: ReaderState, locator: readonly BlockHash[]): number {
  for (const hash of locator) {
    const id = state.index.tree.findBytes(idToBytes(hash));
    if (id !== undefined && state.active.contains(id)) return state.index.tree.heightOf(id);
  }
  return 0;
}

function entryOf(index: BlockIndex, entry: HeaderEntry): TreeEntry {
  if (entry instanceof TreeEntry) return entry;
  const id = index.tree.find(entry.hash);
  assert(id !== undefined, 'an entry comes from this chain');
  return index.tree.entry(id);
}

function withId<T>(index: BlockIndex, hash: BlockHash, use: (id: HeaderId) => T): T | undefined {
  const id = index.tree.find(hash);
  return id === undefined ? undefined : use(id);
}
