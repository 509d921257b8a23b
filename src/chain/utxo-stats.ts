/** gettxoutsetinfo over the stored coins, as of one block, while the chain goes on. */
import { type CoinSnapshotDeps, withCoinSnapshot } from './coin-snapshot.ts';
import type { UtxoStats, UtxoStatsOptions } from './port.ts';
import { computeUtxoFigures } from './utxo-hash.ts';

export function utxoStats(deps: CoinSnapshotDeps, options: UtxoStatsOptions = {}): Promise<UtxoStats> {
  return withCoinSnapshot(deps, async ({ tip, coins }) => {
    const figures = await computeUtxoFigures(coins, options);
    return { height: tip.height, bestBlock: tip.hash, ...figures };
  });
}
