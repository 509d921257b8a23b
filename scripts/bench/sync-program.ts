/** `starling node` that syncs a regtest chain from peers into a new data directory, in a process of its own. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { networkDirectory } from '#chain';
import { regtestParams } from './block-maker.ts';
import { type Ended, runProgram } from './program.ts';

export type SyncOrder = {
  /** Hash of the block at which it is done. */
  readonly tip: string;
  readonly datadir: string;
  /** `--connect` and `--bootstrap` flags, and whatever else. */
  readonly flags: readonly string[];
};

export type SyncEnded = Ended & {
  /** From the start of the process to the last block. */
  readonly reachedMs: number;
  /** Peer ids, as in the file of bans. */
  readonly banned: readonly string[];
};

/** From the start of the process to its end: opening, finding the peers, every check, everything flushed and closed. */
export async function syncByProgram(
  { tip, datadir, flags }: SyncOrder,
  execArgv: readonly string[],
): Promise<SyncEnded> {
  const log = ['--log-format', 'json', '--log-level', 'debug'];
  const args = ['node', '--network', 'regtest', '--datadir', datadir, '--listen', 'none', ...log, ...flags];
  const ended = await runProgram(args, execArgv, `"hash":"${tip}","msg":"new tip"`);
  const bans = join(networkDirectory(datadir, regtestParams()), 'libp2p', 'bans.json');
  const stored: { readonly discouraged: readonly { readonly subject: string }[] } = JSON.parse(
    await readFile(bans, 'utf8'),
  );
  return {
    ...ended,
    reachedMs: ended.reachedMs ?? Number.NaN,
    banned: stored.discouraged.map(({ subject }) => subject.replace('peer:', '')),
  };
}
