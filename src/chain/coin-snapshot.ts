/** All coins as of one block, while the chain goes on. */
import type { KeyValueStore } from '#store';
import { COIN_KEYS, decodeCoin, decodeCoinKey } from './coin-codec.ts';
import type { Coin, HeaderEntry, OutPoint } from './port.ts';

export type CoinSnapshotDeps = {
  readonly coinsStore: KeyValueStore;
  /** Runs a task in the writer's queue. */
  readonly runInQueue: <T>(task: () => Promise<T>) => Promise<T>;
  readonly flush: () => Promise<void>;
  readonly tip: () => HeaderEntry;
};

export type CoinSnapshot = {
  readonly tip: HeaderEntry;
  /** In the order of their keys; to be walked once. Other work gets its turn about once in a thousand coins. */
  readonly coins: AsyncIterable<readonly [OutPoint, Coin]>;
};

/** The snapshot is taken inside the writer's queue, right after a flush; it is used outside of it. */
export async function withCoinSnapshot<T>(
  deps: CoinSnapshotDeps,
  use: (snapshot: CoinSnapshot) => Promise<T>,
): Promise<T> {
  const entries = deps.coinsStore.entries(COIN_KEYS)[Symbol.asyncIterator]();
  try {
    const { tip, first } = await deps.runInQueue(async () => {
      await deps.flush();
      // The store takes its snapshot at the first step.
      return { tip: deps.tip(), first: await entries.next() };
    });
    return await use({ tip, coins: coinsOf(first, entries) });
  } finally {
    await entries.return?.();
  }
}

type Entry = readonly [Uint8Array, Uint8Array];

async function* coinsOf(
  first: IteratorResult<Entry>,
  rest: AsyncIterator<Entry>,
): AsyncGenerator<readonly [OutPoint, Coin]> {
  for (let step = first; step.done !== true; step = await rest.next()) {
    const [key, value] = step.value;
    yield [decodeCoinKey(key), decodeCoin(value)];
  }
}
