/** What the mempool holds, as its file wants it. */
import type { FeeDeltas } from '../fee-deltas.ts';
import type { Pool } from '../pool.ts';
import type { PoolEntry } from '../pool-entry.ts';
import type { Unbroadcast } from './unbroadcast.ts';
import type { MempoolFile } from './write-file.ts';

export type PersistedDeps = {
  readonly pool: Pool;
  readonly unbroadcast: Unbroadcast;
  readonly feeDeltas: FeeDeltas;
};

/** As of now: later changes do not show. */
export function contentOf({ pool, unbroadcast, feeDeltas }: PersistedDeps): MempoolFile {
  return {
    txs: parentsFirst(pool.entries()).map((tx) => {
      return { tx, time: Math.floor(tx.time / 1000), feeDelta: feeDeltas.get(tx.txid) };
    }),
    feeDeltas: feeDeltas.others((txid) => pool.byTxid(txid) !== undefined),
    unbroadcast: unbroadcast.list(),
  };
}

/** In the order of arrival, but for parents that a reorganisation brought back after their children. */
function parentsFirst(entries: Iterable<PoolEntry>): PoolEntry[] {
  const ordered = new Set<PoolEntry>();
  // A family has at most 25 generations.
  const add = (entry: PoolEntry): void => {
    if (ordered.has(entry)) return;
    for (const parent of entry.parents) add(parent);
    ordered.add(entry);
  };
  for (const entry of entries) add(entry);
  return [...ordered];
}
