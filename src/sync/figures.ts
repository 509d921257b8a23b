/** What the download does at the moment, and what became of requests since the start. Plain numbers. */

export type SyncFigures = {
  /** Blocks of the window by what is known of their bodies. */
  readonly window: Readonly<Record<'wanted' | 'asked' | 'received' | 'stored', number>>;
  readonly windowBlocks: number;
  readonly requestsInFlight: number;
  /** By how they ended: the names of `BatchEnd`. */
  readonly requests: Readonly<Record<string, number>>;
  readonly receivedBlocks: number;
  readonly receivedBytes: number;
  /** Received and not decided. */
  readonly heldBytes: number;
  readonly maxHeldBytes: number;
  /** After so long without a byte the first missing block is asked of a second peer too. */
  readonly stallMs: number;
};
