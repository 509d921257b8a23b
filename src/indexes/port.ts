/** What the rest of the node sees of the indexes, and what they need of the chain. */
import type { Chain, ChainReader } from '#chain';
import type { BlockHash, Sats, Transaction, Txid } from '#primitives';

/** Which indexes are kept; none by default (Core's -txindex, -blockfilterindex, -coinstatsindex). */
export type IndexSelection = {
  readonly txIndex?: boolean;
  readonly blockFilterIndex?: boolean;
  readonly coinStatsIndex?: boolean;
};

export type IndexedChain = Pick<
  ChainReader,
  | 'params'
  | 'tip'
  | 'activeAt'
  | 'ancestor'
  | 'getHeader'
  | 'readBlock'
  | 'readUndo'
  | 'blockPosition'
  | 'readBlockPart'
  | 'lowestStoredHeight'
  | 'pruneTargetBytes'
> &
  Pick<Chain, 'observe'>;

/** Core's getindexinfo, of one index. */
export type IndexInfo = {
  readonly name: 'txindex' | 'basic block filter index' | 'coinstatsindex';
  /** Whether it has been at the tip, and is not far behind now. */
  readonly synced: boolean;
  readonly bestBlockHeight: number;
};

export type IndexedTransaction = { readonly tx: Transaction; readonly blockHash: BlockHash };

/** BIP158's basic filter, and BIP157's header that commits to it and to all before it (32 bytes, internal order). */
export type BlockFilter = { readonly filter: Uint8Array; readonly header: Uint8Array };

/** What one block did to the coins, in satoshis: block_info of Core's gettxoutsetinfo. */
export type BlockInfo = {
  readonly prevoutSpent: Sats;
  readonly coinbase: Sats;
  readonly newOutputsExCoinbase: Sats;
  /** All that nobody can ever spend; and why. */
  readonly unspendable: Sats;
  readonly unspendables: {
    readonly genesisBlock: Sats;
    readonly bip30: Sats;
    readonly scripts: Sats;
    readonly unclaimedRewards: Sats;
  };
};

/** The coins as of a block: Core's gettxoutsetinfo with an index. */
export type CoinStats = {
  readonly height: number;
  readonly blockHash: BlockHash;
  readonly txouts: number;
  readonly bogoSize: number;
  readonly totalAmount: Sats;
  readonly totalUnspendableAmount: Sats;
  /** Hex as Core shows it. */
  readonly muhash: string;
  readonly blockInfo: BlockInfo;
};

/**
 * All but `info` wait until the index stands at the tip, unless it is far behind: then they answer from what there is. Undefined: nothing known, or no such index. Throw NodeError.
 */
export type Indexes = {
  readonly info: () => readonly IndexInfo[];
  /** Not of genesis, whose transaction is no coin. Also of blocks that were left, as long as no other has it. */
  readonly transaction: (txid: Txid) => Promise<IndexedTransaction | undefined>;
  /** Also of blocks that were left. */
  readonly filter: (hash: BlockHash) => Promise<BlockFilter | undefined>;
  /** Whether the block's filter has one of the scripts; of one that the block does not have, once in 784,931 times. */
  readonly matches: (hash: BlockHash, scripts: readonly Uint8Array[]) => Promise<boolean | undefined>;
  /** By hash also of blocks that were left; by height of the active chain. */
  readonly coinStats: (block: BlockHash | number) => Promise<CoinStats | undefined>;
};
