/**
 * How the pool follows the chain: what a block confirms or contradicts leaves; what disconnected blocks held comes
 * back if it still can; then whatever the new tip no longer allows leaves (Core's removeForBlock,
 * MaybeUpdateMempoolForReorg and removeForReorg).
 * The chain reports a deep reorganisation in several steps. What they disconnect waits until the new branch has the
 * work of the old one, or the chain stays where it is (invalidateBlock), as in Core: at a tip in between, lower than
 * both, much of it would be refused as premature.
 */
import type { ChainChange, ChainReader, ConnectedBlock } from '#chain';
import { checkTxInputs, isFinalTx } from '#consensus';
import type { Transaction } from '#primitives';
import type { Clock } from '#util';
import { Slices } from '#util';
import type { Admission } from './admission.ts';
import { type ChainLimits, exceedsAncestorLimits } from './chain-limits.ts';
import type { FeeDeltas } from './fee-deltas.ts';
import type { PoolObservers } from './observer.ts';
import { type Pool, withDescendants } from './pool.ts';
import type { PoolEntry } from './pool-entry.ts';
import { allFound, findCoins, sequenceLocksPass } from './pre-checks.ts';
import type { RollingFee } from './rolling-fee.ts';
import type { ScriptMemory } from './script-memory.ts';
import type { SyncedTip } from './synced-tip.ts';

export type ChainFollowerDeps = {
  readonly chain: ChainReader;
  readonly pool: Pool;
  readonly observers: PoolObservers;
  readonly feeDeltas: FeeDeltas;
  readonly scripts: ScriptMemory;
  readonly admission: Admission;
  readonly rollingFee: RollingFee;
  readonly syncedTip: SyncedTip;
  readonly clock: Clock;
};

export type ChainFollowerOptions = {
  readonly chainLimits: ChainLimits;
  /** Bytes of disconnected blocks that wait; the newest blocks are given up first, they stand on the others. */
  readonly maxDisconnectedBytes: number;
};

export class ChainFollower {
  readonly #deps: ChainFollowerDeps;
  readonly #options: ChainFollowerOptions;
  /** Disconnected and not brought back yet, from the old tip downwards. */
  #waiting: ConnectedBlock[] = [];
  #waitingBytes = 0;
  /** Work of the tip before the first of them was disconnected. */
  #oldWork = 0n;

  constructor(deps: ChainFollowerDeps, options: ChainFollowerOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** To be awaited before the chain moves on. */
  async follow(change: ChainChange): Promise<void> {
    this.#deps.syncedTip.depart();
    for (const connected of change.connected) this.#leaveWithBlock(connected);
    if (change.connected.length > 0) this.#deps.rollingFee.blockConnected();
    for (const disconnected of change.disconnected) this.#setAside(disconnected);
    if (this.#waiting.length > 0) {
      if (!change.isSettled && change.tip.chainWork <= this.#oldWork) return;
      await this.#bringBack();
      this.#leaveWithTip();
    }
    this.#deps.admission.trim();
    this.#deps.syncedTip.arrive(change.tip.hash);
  }

  /** What is in the block now leaves, and so does whatever spends the same outputs (removeForBlock). */
  #leaveWithBlock({ entry: { height }, block }: ConnectedBlock): void {
    const { pool, scripts, observers, feeDeltas } = this.#deps;
    const confirmed: PoolEntry[] = [];
    for (const tx of block.transactions) {
      if (pool.size === 0 && feeDeltas.size === 0) break;
      const entry = pool.byTxid(tx.txid);
      if (entry !== undefined) {
        scripts.passed(entry);
        pool.remove(entry, 'block');
        confirmed.push(entry);
      }
      for (const input of tx.inputs) {
        const conflict = pool.spender(input.prevTxid, input.prevIndex);
        if (conflict === undefined) continue;
        pool.removeWithDescendants([conflict], 'conflict');
        feeDeltas.forget(conflict.txid);
      }
      feeDeltas.forget(tx.txid);
    }
    observers.blockConnected(height, confirmed);
  }

  #setAside(disconnected: ConnectedBlock): void {
    if (this.#waiting.length === 0) this.#oldWork = disconnected.entry.chainWork;
    this.#waiting.push(disconnected);
    this.#waitingBytes += disconnected.block.size;
    while (this.#waitingBytes > this.#options.maxDisconnectedBytes) {
      const newest = this.#waiting.shift();
      if (newest === undefined) break;
      this.#waitingBytes -= newest.block.size;
      for (const tx of newest.block.transactions) this.#dropOrphansOf(tx);
    }
  }

  /** Offers what waits, oldest first so that parents precede children. */
  async #bringBack(): Promise<void> {
    const { pool, admission, clock } = this.#deps;
    const slices = new Slices(clock);
    const blocks = this.#waiting.toReversed();
    this.#waiting = [];
    this.#waitingBytes = 0;
    const back = new Set<PoolEntry>();
    for (const { block } of blocks) {
      for (const tx of block.transactions) {
        await slices.rest();
        if (!tx.isCoinbase) await admission.admit(tx, 'block');
        const entry = pool.byTxid(tx.txid);
        if (entry === undefined) this.#dropOrphansOf(tx);
        else back.add(entry);
      }
    }
    const { chainLimits } = this.#options;
    const family = withDescendants([...back].filter((entry) => pool.has(entry)));
    const tooMany = [...family].filter((entry) => exceedsAncestorLimits(entry, chainLimits));
    pool.removeWithDescendants(tooMany, 'sizelimit');
  }

  /** The transaction is not in the pool: what spends it leaves, unless the chain has it after all. */
  #dropOrphansOf(tx: Transaction): void {
    const { chain, pool } = this.#deps;
    const orphans = new Set<PoolEntry>();
    // Other inputs are not looked at: what they spend may still be on its way back.
    tx.outputs.forEach((_, index) => {
      const spender = pool.spender(tx.txidBytes, index);
      const isGone = spender !== undefined && chain.getCoin({ txid: tx.txidBytes, index }) === undefined;
      if (isGone) orphans.add(spender);
    });
    pool.removeWithDescendants(orphans, 'reorg');
  }

  /** After a reorganisation: height and median time may have gone back. */
  #leaveWithTip(): void {
    const { pool } = this.#deps;
    const stale = [...pool.entries()].filter((entry) => !this.#isMineable(entry));
    pool.removeWithDescendants(stale, 'reorg');
  }

  #isMineable(entry: PoolEntry): boolean {
    const { chain, pool } = this.#deps;
    const tip = chain.tip();
    const height = tip.height + 1;
    // All entries are asked, and most of them answer without being decoded.
    if (!isFinalTx(entry, height, tip.medianTimePast)) return false;
    if (!entry.spendsCoinbase && !entry.mayHaveRelativeLock) return true;
    const { tx } = entry;
    const coins = findCoins({ chain, pool }, tx, tip);
    return allFound(coins) && sequenceLocksPass(chain, tx, coins, tip) && 'fee' in checkTxInputs(tx, coins, height);
  }
}
