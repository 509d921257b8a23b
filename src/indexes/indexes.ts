/**
 * The indexes of a data directory, with Core's places: `indexes/txindex`, `indexes/blockfilter/basic` and
 * `indexes/coinstats` in the network's folder.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { idToBytes } from '#primitives';
import { type KeyValueStore, openLevelStore } from '#store';
import { NodeError } from '#util';
import { matchesFilter } from './basic-filter.ts';
import { BlockSource } from './block-source.ts';
import { createCoinStatsIndexer, findCoinStats } from './coin-stats-index.ts';
import { createFilterIndexer, findFilter } from './filter-index.ts';
import { Follower, type FollowerDeps, type Indexer } from './follower.ts';
import type { Indexes, IndexSelection } from './port.ts';
import { createTxIndexer, findTransaction } from './tx-index.ts';

export type IndexStores = {
  readonly transactions?: KeyValueStore | undefined;
  readonly filters?: KeyValueStore | undefined;
  readonly coinStats?: KeyValueStore | undefined;
};

export type IndexesDeps = Pick<FollowerDeps, 'chain' | 'clock' | 'log' | 'onFatal' | 'maxLagBlocks'>;

export type RunningIndexes = AsyncDisposable &
  Indexes & {
    /** The lowest block that an index still has to read; infinite if there is none. */
    readonly nextHeight: () => number;
  };

const MIB = 1 << 20;
const STORE = { cacheBytes: 4 * MIB, writeBufferBytes: 4 * MIB };
/** Ids come in no order: more of them in one table cost less to sort in. */
const TX_STORE = { cacheBytes: 8 * MIB, writeBufferBytes: 16 * MIB };

/** `directory` is the network's. Throws NodeError: `BAD_CONFIG` with pruning, WRONG_NETWORK, CORRUPT_DATA, IO. */
export async function openIndexes(
  directory: string,
  selection: IndexSelection,
  deps: IndexesDeps,
): Promise<RunningIndexes> {
  checkSelection(selection, deps.chain.pruneTargetBytes() !== undefined);
  await using stack = new AsyncDisposableStack();
  const open = async (isWanted: boolean | undefined, path: readonly string[], options: typeof STORE) => {
    if (isWanted !== true) return undefined;
    const place = join(directory, 'indexes', ...path);
    await mkdir(place, { recursive: true });
    return stack.use(await openLevelStore(place, options));
  };
  const stores: IndexStores = {
    transactions: await open(selection.txIndex, ['txindex'], TX_STORE),
    filters: await open(selection.blockFilterIndex, ['blockfilter', 'basic'], STORE),
    coinStats: await open(selection.coinStatsIndex, ['coinstats'], STORE),
  };
  const indexes = stack.use(startIndexes(stores, deps));
  const resources = stack.move();
  return { ...indexes, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

/** Throws NodeError `BAD_CONFIG`. */
export function checkSelection({ txIndex }: IndexSelection, isPruning: boolean): void {
  if (isPruning && txIndex === true) throw new NodeError('BAD_CONFIG', 'Prune mode is incompatible with --txindex');
}

/** Does not own the stores. */
export function startIndexes(stores: IndexStores, deps: IndexesDeps): RunningIndexes {
  const { chain } = deps;
  const { transactions, filters, coinStats } = stores;
  const blocks = new BlockSource(chain);
  const follow = (store: KeyValueStore | undefined, create: (store: KeyValueStore) => Indexer): Follower | undefined =>
    store && new Follower({ ...deps, store, indexer: create(store), blocks });
  const followers = {
    transactions: follow(transactions, () => createTxIndexer(chain)),
    filters: follow(filters, createFilterIndexer),
    coinStats: follow(coinStats, (store) => createCoinStatsIndexer({ ...deps, store })),
  };
  const all = Object.values(followers).filter((follower) => follower !== undefined);
  for (const follower of all) follower.start();
  const filter: Indexes['filter'] = async (hash) => {
    await followers.filters?.untilTip();
    return filters && findFilter(filters, chain, hash);
  };
  return {
    info: () => all.map(({ info }) => info),
    nextHeight: () => Math.min(...all.map(({ nextHeight }) => nextHeight)),
    transaction: async (txid) => {
      await followers.transactions?.untilTip();
      return transactions && findTransaction(transactions, chain, txid);
    },
    filter,
    matches: async (hash, scripts) => {
      const found = await filter(hash);
      return found && matchesFilter(found.filter, idToBytes(hash), scripts);
    },
    coinStats: async (block) => {
      await followers.coinStats?.untilTip();
      return coinStats && findCoinStats(coinStats, chain, block);
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(all.map((follower) => follower[Symbol.asyncDispose]()));
    },
  };
}
