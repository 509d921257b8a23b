/** Looks through all coins for scripts (Core's scantxoutset), as of one block, while the chain goes on. */
import { byteAt } from '#util';
import { type CoinSnapshotDeps, withCoinSnapshot } from './coin-snapshot.ts';
import type { Coin, CoinScan, CoinScanOptions, OutPoint } from './port.ts';

/** The first two bytes of the key: coins are spread evenly over them. */
const KEY_SPACE = 0x10000;
const COINS_A_REPORT = 1000;

export function scanCoins(deps: CoinSnapshotDeps, options: CoinScanOptions): Promise<CoinScan> {
  const { matches, onProgress, signal } = options;
  return withCoinSnapshot(deps, async ({ tip, coins }) => {
    const found: (readonly [OutPoint, Coin])[] = [];
    let txouts = 0;
    for await (const [outpoint, coin] of coins) {
      signal?.throwIfAborted();
      txouts++;
      if (matches(coin.output.scriptPubKey)) found.push([outpoint, coin]);
      if (txouts % COINS_A_REPORT === 0)
        onProgress?.((byteAt(outpoint.txid, 0) * 256 + byteAt(outpoint.txid, 1)) / KEY_SPACE);
    }
    return { height: tip.height, bestBlock: tip.hash, txouts, coins: found };
  });
}
