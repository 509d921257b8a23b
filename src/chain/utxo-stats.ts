/** gettxoutsetinfo over the stored coins, as of one block, while the chain goes on. */
import type { KeyValueStore } from '#store';
import { COIN_KEYS, decodeCoin, decodeCoinKey } from './coin-codec.ts';
import type { Coin, HeaderEntry, OutPoint, UtxoStats } from './port.ts';
import { computeUtxoFigures } from './utxo-hash.ts';

export type UtxoStatsDeps = {
  readonly coinsStore: KeyValueStore;
  /** Runs a task in the writer's queue. */
  readonly runInQueue: <T>(task: () => Promise<T>) => Promise<T>;
  readonly flush: () => Promise<void>;
  readonly tip: () => HeaderEntry;
};

/** The snapshot is taken inside the writer's queue, right after a flush; the walk happens outside of it. */
export async function utxoStats(deps: UtxoStatsDeps, signal?: AbortSignal): Promise<UtxoStats> {
  const entries = deps.coinsStore.entries(COIN_KEYS)[Symbol.asyncIterator]();
  try {
    const { tip, first } = await deps.runInQueue(async () => {
      await deps.flush();
      // The store takes its snapshot at the first step.
      return { tip: deps.tip(), first: await entries.next() };
    });
    const { txouts, totalAmount, hashSerialized3, muhash } = await computeUtxoFigures(coinsOf(first, entries), signal);
    return { height: tip.height, bestBlock: tip.hash, txouts, totalAmount, hashSerialized3, muhash };
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
