/** What the program's exit codes mean. The table is printed by `starling --help`. */
import { errorText, NodeError } from '#util';

export const ExitCode = Object.freeze({
  ok: 0,
  unexpected: 1,
  usage: 2,
  locked: 3,
  wrongData: 4,
  disk: 5,
  rejected: 6,
  network: 7,
  interrupted: 130,
});

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

export const EXIT_CODE_HELP: readonly (readonly [ExitCode, string])[] = [
  [ExitCode.ok, 'done, or stopped as asked'],
  [ExitCode.unexpected, 'an unexpected failure: please report it'],
  [ExitCode.usage, 'a wrong flag, value or configuration file'],
  [ExitCode.locked, 'another process uses the data directory'],
  [ExitCode.wrongData, 'the data directory is damaged, pruned, of another network, or of a newer version'],
  [ExitCode.disk, 'the disk is full or fails'],
  [ExitCode.rejected, 'a block or block file was not accepted'],
  [ExitCode.network, 'the network could not be used'],
  [ExitCode.interrupted, 'interrupted before the work was done'],
];

const BY_ERROR: Readonly<Record<NodeError['code'], ExitCode>> = {
  ABORTED: ExitCode.interrupted,
  BAD_CONFIG: ExitCode.usage,
  CORRUPT_DATA: ExitCode.wrongData,
  DATADIR_LOCKED: ExitCode.locked,
  DISK_FULL: ExitCode.disk,
  IO: ExitCode.disk,
  NETWORK: ExitCode.network,
  PRUNED: ExitCode.wrongData,
  SCHEMA_TOO_NEW: ExitCode.wrongData,
  TIMEOUT: ExitCode.network,
  WRONG_NETWORK: ExitCode.wrongData,
};

/** The exit code of anything thrown, and the one line to print for it. */
export function describeFailure(error: unknown): { readonly code: ExitCode; readonly line: string } {
  if (error instanceof NodeError) return { code: BY_ERROR[error.code], line: errorText(error) };
  const systemCode = error instanceof Error && 'code' in error ? error.code : undefined;
  if (systemCode === 'ENOSPC') return { code: ExitCode.disk, line: `the disk is full: ${errorText(error)}` };
  if (systemCode === 'EACCES' || systemCode === 'EROFS' || systemCode === 'EIO' || systemCode === 'ENOENT') {
    return { code: ExitCode.disk, line: errorText(error) };
  }
  return { code: ExitCode.unexpected, line: `unexpected failure: ${errorText(error)}` };
}
