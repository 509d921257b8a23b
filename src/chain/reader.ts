/** The chain as others read it. */
import type { NetworkParams } from '#consensus';
import { type BlockHash, idToBytes } from '#primitives';
import type { KeyValueStore } from '#store';
import { assert } from '#util';
import { type ActiveChain, locatorIds } from './active-chain.ts';
import type { BlockIndex } from './block-index.ts';
import { type BlockStorage, sizeOnDisk } from './block-storage.ts';
import type { Candidates } from './candidates.ts';
import { chainTips } from './chain-tips.ts';
import { type CoinsCache, decodeStored } from './coins-cache.ts';
import { type HeaderId, TreeEntry } from './header-tree.ts';
import type { ChainReader, Coin, HeaderEntry, OutPoint } from './port.ts';
import type { Pruner } from './pruner.ts';
import { scanCoins } from './scan-coins.ts';
import { TxTotals } from './tx-counts.ts';
import { utxoStats } from './utxo-stats.ts';

export type ReaderState = {
  readonly params: NetworkParams;
  readonly index: BlockIndex;
  readonly indexStore: KeyValueStore;
  readonly active: ActiveChain;
  readonly candidates: Candidates;
  readonly coins: CoinsCache;
  readonly coinsStore: KeyValueStore;
  readonly storage: BlockStorage;
  readonly pruner: Pruner;
  readonly bestHeader: () => HeaderId;
  readonly coinAtTip: (outpoint: OutPoint) => Coin | undefined;
};

/** Runs a task in the writer's queue. */
type RunInQueue = <T>(task: () => Promise<T>) => Promise<T>;

export function createReader(state: ReaderState, runInQueue: RunInQueue, flush: () => Promise<void>): ChainReader {
  const { active, index, params } = state;
  const { tree } = index;
  const totals = new TxTotals(active, index);
  const tip = (): TreeEntry => {
    assert(active.tip !== undefined, 'genesis is connected');
    return tree.entry(active.tip);
  };
  const activeAt = (height: number): TreeEntry | undefined => {
    const id = active.at(height);
    return id === undefined ? undefined : tree.entry(id);
  };
  const snapshots = { coinsStore: state.coinsStore, runInQueue, flush, tip };
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
    readBlock: (hash) => readBlock(state, hash),
    lowestStoredHeight: () => state.pruner.lowestStored,
    pruneTargetBytes: () => state.pruner.targetBytes,
    getCoin: (outpoint) => state.coinAtTip(outpoint),
    sizeOnDisk: async () => sizeOnDisk(state.storage),
    blockPosition: (hash) => withId(index, hash, (id) => index.blockPosition(id)),
    readBlockPart: (position, offset, length) => state.storage.readBlockPart(position, offset, length),
    readUndo: (hash) => readUndo(state, hash),
    txCount: (hash) => withId(index, hash, (id) => index.txCount(id)) ?? 0,
    totalTxCount: (height) => totals.upTo(height),
    chainTips: () => chainTips(state),
    utxoStats: (options) => utxoStats(snapshots, options),
    scanCoins: (options) => scanCoins(snapshots, options),
    coinsSizeOnDisk: () => state.coinsStore.sizeOnDisk(),
  };
}

async function readBlock({ index, storage }: ReaderState, hash: BlockHash): Promise<Uint8Array | undefined> {
  const id = index.tree.find(hash);
  const position = id === undefined ? undefined : index.blockPosition(id);
  if (id === undefined || position === undefined) return undefined;
  try {
    return await storage.readBlock(position);
  } catch (error) {
    // Its file was pruned meanwhile.
    if (!index.hasData(id)) return undefined;
    throw error;
  }
}

async function readUndo({ index, storage }: ReaderState, hash: BlockHash): Promise<Coin[][] | undefined> {
  const id = index.tree.find(hash);
  if (id === undefined) return undefined;
  const position = index.undoPosition(id);
  // Genesis has none, and spent nothing.
  if (position === undefined) return id === 0 ? [] : undefined;
  try {
    const undo = await storage.readUndo(position, index.tree.entry(id).header);
    return undo.map((coins) => coins.map(decodeStored));
  } catch (error) {
    // Its file was pruned meanwhile.
    if (!index.hasUndo(id)) return undefined;
    throw error;
  }
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
