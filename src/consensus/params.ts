/** What makes one chain differ from another. Built from JSON by `parseNetworkParams`; immutable. */
import type { Block, BlockHash } from '#primitives';

export type NetworkParams = {
  /** `mainnet`, `testnet3`, `testnet4`, `signet`, `regtest`, or the name in the network file. */
  readonly name: string;
  /** Core's chain name as RPC shows it: `main`, `test`, `testnet4`, `signet`, `regtest`, or `name`. */
  readonly chainName: string;
  /** Folder below the data directory; empty for mainnet, as Core does. */
  readonly dataDirName: string;
  /** Message start: the 4 bytes in front of each block in blk*.dat. */
  readonly magic: Uint8Array;
  readonly genesis: Block;
  readonly pow: {
    /** Largest target. */
    readonly limit: bigint;
    readonly targetSpacingSeconds: number;
    readonly targetTimespanSeconds: number;
    /** Testnet rule: a block 20 minutes after its parent may have minimum difficulty. */
    readonly allowMinDifficultyBlocks: boolean;
    readonly noRetargeting: boolean;
    /** Testnet4's timewarp and retarget rules. */
    readonly enforceBip94: boolean;
  };
  readonly subsidyHalvingInterval: number;
  /** The first height at which each rule is enforced. */
  readonly activation: {
    readonly bip34: number;
    readonly bip65: number;
    readonly bip66: number;
    readonly csv: number;
    readonly segwit: number;
    readonly taproot: number;
  };
  /** Hash of the block at the BIP34 height: while it is an ancestor BIP30 need not be checked. */
  readonly bip34Hash: BlockHash | undefined;
  /** Blocks allowed to break BIP30 (mainnet 91842 and 91880). */
  readonly bip30Exceptions: ReadonlyMap<number, BlockHash>;
  /** Blocks whose coinbases those took the place of (mainnet 91722 and 91812). */
  readonly bip30Unspendable: ReadonlyMap<number, BlockHash>;
  /** Script flags of the blocks that break P2SH or taproot rules, instead of the usual ones. */
  readonly scriptFlagExceptions: ReadonlyMap<BlockHash, number>;
  readonly minimumChainWork: bigint;
  readonly assumeValid: BlockHash | undefined;
  readonly checkpoints: ReadonlyMap<number, BlockHash>;
  /** How many transactions the chain had when the file was made: to guess how far a sync is. Decides nothing. */
  readonly chainTxData: ChainTxData | undefined;
  /** BIP325 challenge script; present on signets only. */
  readonly signetChallenge: Uint8Array | undefined;
  readonly address: {
    readonly pubKeyHash: number;
    readonly scriptHash: number;
    readonly secretKey: number;
    readonly bech32Hrp: string;
    /** Version of extended keys (BIP32): `xpub` and `xprv`, or `tpub` and `tprv`. */
    readonly extPublicKey: number;
    readonly extSecretKey: number;
  };
  /** Multiaddrs (also dnsaddr) of nodes to ask first. */
  readonly seeds: readonly string[];
};

/** Core's ChainTxData. */
export type ChainTxData = {
  /** Unix seconds. */
  readonly time: number;
  /** Transactions from genesis up to then. */
  readonly txCount: number;
  /** Transactions a second around then. */
  readonly txRate: number;
};

/** What header rules ask of a header's ancestors. Implemented by `chain`'s header tree. */
export type HeaderView = {
  readonly height: number;
  readonly version: number;
  /** Unix seconds. */
  readonly time: number;
  readonly bits: number;
  readonly hash: BlockHash;
  /** The ancestor at `height` (0 .. this.height), itself included. O(log n). */
  readonly ancestor: (height: number) => HeaderView;
};
