/**
 * Operational failures: the disk is full, the directory is locked, a file is damaged. They are thrown,
 * retried or shown to the operator, and never blamed on data (a full disk does not make a block invalid).
 */
export type NodeErrorCode =
  | 'ABORTED'
  | 'BAD_CONFIG'
  | 'CORRUPT_DATA'
  | 'DATADIR_LOCKED'
  | 'DISK_FULL'
  | 'IO'
  | 'NETWORK'
  /** The blocks or undo data that it takes were removed to save room. */
  | 'PRUNED'
  | 'SCHEMA_TOO_NEW'
  | 'TIMEOUT'
  | 'WRONG_NETWORK';

export class NodeError extends Error {
  override readonly name = 'NodeError';
  readonly code: NodeErrorCode;

  /** `message` is one line that says what happened, to what, and what to do. */
  constructor(code: NodeErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** The text of anything thrown, in one bounded line. */
export function errorText(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return text.replace(/\s+/g, ' ').slice(0, 300);
}
