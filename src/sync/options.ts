/** Every knob of sync and its default, in one place. Times are milliseconds. */
import type { IntakeOptions } from './intake.ts';
import type { BatchSizing } from './rates.ts';

export type PresyncOptions = {
  /** Core's MAX_HEADERS_RESULTS: fewer than this is the end of a peer's chain. */
  readonly maxHeadersPerRequest: number;
  /** Core's HEADER_COMMITMENT_PERIOD: one bit is kept for so many headers. */
  readonly commitmentPeriod: number;
  /** Core's REDOWNLOAD_BUFFER_SIZE: headers that must match before the first of them is stored. */
  readonly redownloadBuffer: number;
};

export type HeaderOptions = PresyncOptions & {
  /** A peer that has not answered by now is left. */
  readonly requestTimeoutMs: number;
  /** Another peer is asked too when the last answer is this old. */
  readonly joinAfterMs: number;
  readonly maxSessions: number;
  /** Another peer is asked too when one has been in presync for so long: it may be a flood of cheap headers. */
  readonly presyncJoinAfterMs: number;
  /** How long a peer may take in presync before others are let in instead of it; doubles for that peer. */
  readonly presyncTurnMs: number;
  /** How long a peer whose presync came to nothing is not asked again, first and at most. */
  readonly minRestMs: number;
  readonly maxRestMs: number;
  /** How long an outbound peer that claims less than the minimum chain work is kept: others are found through it. */
  readonly lowWorkGraceMs: number;
  /** Peers that are asked what follows our headers although they claim no more. */
  readonly crossChecks: number;
  /** Core's stale-tip time: without a new header for so long they are asked again. */
  readonly crossCheckAfterMs: number;
};

export type BlockOptions = {
  /** Core's BLOCK_DOWNLOAD_WINDOW: how far bodies are fetched ahead of the first missing one. */
  readonly windowBlocks: number;
  /** Branches looked after at a time. */
  readonly maxBranches: number;
  readonly intake: IntakeOptions;
  /**
   * Bytes asked of all peers together while nothing waits for the chain; less the more does. Enough for a block of every
   * peer: with many peers the budget in memory alone would leave most of them idle.
   */
  readonly maxAskedBytes: number;
  readonly sizing: BatchSizing;
  /** What a block is taken to weigh before one has come. */
  readonly firstBlockBytes: number;
  readonly maxBatchesPerPeer: number;
  /** Core's BLOCK_STALLING_TIMEOUT_DEFAULT and _MAX: when a block that holds up the rest is asked of another peer. */
  readonly minStallMs: number;
  readonly maxStallMs: number;
  /** The same for an announced block that could not be rebuilt. */
  readonly urgentHedgeMs: number;
  /**
   * How long the body of an announced block is left to be rebuilt from the mempool. The caller says earlier when it
   * cannot be; this is for blocks that nobody tries to rebuild.
   */
  readonly announceGraceMs: number;
  /** A batch without a byte for this long is given up, also with nobody else to ask; doubles each time. */
  readonly patienceMs: number;
};

export type SyncOptions = {
  readonly headers: HeaderOptions;
  readonly blocks: BlockOptions;
  /** How often deadlines are looked at while something is due. */
  readonly tickMs: number;
  /** Over how long shown rates are averaged. */
  readonly rateWindowMs: number;
};

const MIB = 2 ** 20;

export const syncDefaults: SyncOptions = {
  headers: {
    maxHeadersPerRequest: 2000,
    commitmentPeriod: 606,
    redownloadBuffer: 14_441,
    requestTimeoutMs: 15_000,
    joinAfterMs: 2_000,
    maxSessions: 3,
    presyncJoinAfterMs: 5_000,
    presyncTurnMs: 15_000,
    minRestMs: 10 * 60_000,
    maxRestMs: 6 * 3_600_000,
    lowWorkGraceMs: 120_000,
    crossChecks: 2,
    crossCheckAfterMs: 30 * 60_000,
  },
  blocks: {
    windowBlocks: 1024,
    maxBranches: 4,
    intake: { maxBytes: 16 * MIB, depth: 4 },
    maxAskedBytes: 64 * MIB,
    sizing: { maxBlocksPerPeer: 128, firstBatchBytes: 2 * MIB, maxFirstBlocks: 16, inFlightMs: 2_000 },
    firstBlockBytes: MIB / 4,
    maxBatchesPerPeer: 2,
    minStallMs: 2_000,
    maxStallMs: 64_000,
    urgentHedgeMs: 500,
    announceGraceMs: 20_000,
    patienceMs: 60_000,
  },
  tickMs: 100,
  rateWindowMs: 10_000,
};
