/**
 * The coins' figures as of each block (Core's CoinStatsIndex). The record of a block is the MuHash of the coins and the
 * totals (`coin-totals.ts`).
 *
 * MuHash goes on from its state, which is 24 times the hash: `m` | height | hash keeps that of the last blocks, and of
 * one in many before them. So the index goes back to where the chain forked without reading what it leaves.
 */
import { bogoSize, type Coin, type OutPoint, serializeUtxo } from '#chain';
import { blockSubsidy } from '#consensus';
import { MuHash3072 } from '#crypto';
import type { BlockHash } from '#primitives';
import { isUnspendable } from '#script';
import type { BatchOp, KeyValueStore } from '#store';
import { type Clock, concatBytes, Slices, toReversedHex } from '#util';
import type { IndexedBlock } from './block-source.ts';
import {
  addOutput,
  addUnclaimed,
  blockInfoOf,
  type CoinTotals,
  decodeTotals,
  encodeTotals,
  NO_TOTALS,
  type RunningTotals,
  spendCoin,
  TOTALS_BYTES,
  unspendable,
} from './coin-totals.ts';
import type { Indexer } from './follower.ts';
import { type BlockRef, blockKey, damagedIndex, readRecord } from './index-records.ts';
import type { CoinStats, IndexedChain } from './port.ts';

const STATE = 0x6d;
/** More than the 288 blocks that pruning leaves: no reorganisation goes deeper there. */
const KEPT_STATES = 300;
/** Below, every so many blocks. */
const STATE_INTERVAL = 2000;
const HASH_BYTES = 32;
/** Coins hashed between two looks at the clock; each takes some 20 us. */
const COINS_A_LOOK = 64;

export type CoinStatsDeps = {
  readonly store: KeyValueStore;
  readonly chain: Pick<IndexedChain, 'params' | 'ancestor'>;
  readonly clock: Clock;
};

export function createCoinStatsIndexer(deps: CoinStatsDeps): Indexer {
  const { store } = deps;
  let state: Uint8Array = new MuHash3072().toBytes();
  let totals = NO_TOTALS;
  return {
    name: 'coinstatsindex',
    stand: (ref) => {
      const stored = ref === undefined ? new MuHash3072().toBytes() : store.get(blockKey(STATE, ref));
      if (stored === undefined) return false;
      state = stored;
      totals = ref === undefined ? NO_TOTALS : (readStats(store, ref)?.totals ?? NO_TOTALS);
      return true;
    },
    add: async (data) => {
      const walk = new BlockWalk(deps, state, totals);
      await walk.run(data);
      const newState = walk.muhash.toBytes();
      return {
        record: concatBytes(walk.muhash.digest(), encodeTotals(walk.totals)),
        ops: [{ kind: 'put', key: blockKey(STATE, data.entry), value: newState }, ...dropOld(deps, data)],
        taken: () => {
          state = newState;
          totals = walk.totals;
        },
      };
    },
  };
}

/** The state that is one too many now. */
function dropOld({ chain }: CoinStatsDeps, { entry }: IndexedBlock): BatchOp[] {
  const height = entry.height - KEPT_STATES;
  if (height < 0 || height % STATE_INTERVAL === 0) return [];
  return [{ kind: 'del', key: blockKey(STATE, chain.ancestor(entry, height)) }];
}

/** Takes one block's coins in and out: Core's CoinStatsIndex::CustomAppend. */
class BlockWalk {
  readonly muhash: MuHash3072;
  readonly totals: RunningTotals;
  readonly #deps: CoinStatsDeps;
  readonly #slices: Slices;
  #coins = 0;

  constructor(deps: CoinStatsDeps, state: Uint8Array, totals: CoinTotals) {
    this.#deps = deps;
    this.muhash = MuHash3072.fromBytes(state);
    this.totals = { ...totals };
    this.#slices = new Slices(deps.clock);
  }

  async run({ block, entry, spent }: IndexedBlock): Promise<void> {
    const { params } = this.#deps.chain;
    const { totals } = this;
    const { height, hash } = entry;
    const subsidy = blockSubsidy(height, params);
    totals.subsidy += subsidy;
    // Genesis' output is no coin.
    if (height === 0) totals.genesisBlock += subsidy;
    else {
      const undo = await spent();
      // Another coinbase took the place of this one's coins.
      const isReplaced = params.bip30Unspendable.get(height) === hash;
      for (const [at, tx] of block.transactions.entries()) {
        if (tx.isCoinbase && isReplaced) totals.bip30 += subsidy;
        else await this.#addOutputs(tx, height);
        if (!tx.isCoinbase) await this.#spendInputs(tx, undo[at - 1] ?? []);
      }
    }
    addUnclaimed(totals);
  }

  async #addOutputs(tx: IndexedBlock['block']['transactions'][number], height: number): Promise<void> {
    const { txidBytes: txid, isCoinbase } = tx;
    for (const [index, output] of tx.outputs.entries()) {
      if (isUnspendable(output.scriptPubKey)) {
        this.totals.scripts += output.value;
        continue;
      }
      this.muhash.insert(serializeUtxo({ txid, index }, { output, height, isCoinbase }));
      addOutput(this.totals, output, bogoSize(output.scriptPubKey), isCoinbase);
      await this.#rest();
    }
  }

  async #spendInputs(tx: IndexedBlock['block']['transactions'][number], coins: readonly Coin[]): Promise<void> {
    for (const [at, { prevTxid, prevIndex }] of tx.inputs.entries()) {
      const coin = coins[at];
      if (coin === undefined) throw damagedIndex(`the undo data of transaction ${tx.txid} are too short`);
      const outpoint: OutPoint = { txid: prevTxid, index: prevIndex };
      this.muhash.remove(serializeUtxo(outpoint, coin));
      spendCoin(this.totals, coin, bogoSize(coin.output.scriptPubKey));
      await this.#rest();
    }
  }

  async #rest(): Promise<void> {
    this.#coins++;
    if (this.#coins % COINS_A_LOOK === 0) await this.#slices.rest();
  }
}

type Stats = { readonly muhash: Uint8Array; readonly totals: CoinTotals };

function readStats(store: KeyValueStore, ref: BlockRef): Stats | undefined {
  const record = readRecord(store, ref);
  if (record === undefined) return undefined;
  if (record.length !== HASH_BYTES + TOTALS_BYTES) throw damagedIndex(`the figures of block ${ref.hash} are damaged`);
  return { muhash: record.subarray(0, HASH_BYTES), totals: decodeTotals(record.subarray(HASH_BYTES)) };
}

/** Throws NodeError. */
export function findCoinStats(
  store: KeyValueStore,
  chain: Pick<IndexedChain, 'ancestor' | 'activeAt' | 'getHeader'>,
  block: BlockHash | number,
): CoinStats | undefined {
  const entry = typeof block === 'number' ? chain.activeAt(block) : chain.getHeader(block);
  const stats = entry === undefined ? undefined : readStats(store, entry);
  if (entry === undefined || stats === undefined) return undefined;
  const { height, hash } = entry;
  const before = height === 0 ? NO_TOTALS : readStats(store, chain.ancestor(entry, height - 1))?.totals;
  if (before === undefined) throw damagedIndex(`the figures of the block before ${hash} are missing`);
  return {
    height,
    blockHash: hash,
    txouts: Number(stats.totals.txouts),
    bogoSize: Number(stats.totals.bogoSize),
    totalAmount: stats.totals.amount,
    totalUnspendableAmount: unspendable(stats.totals),
    muhash: toReversedHex(stats.muhash),
    blockInfo: blockInfoOf(before, stats.totals),
  };
}
