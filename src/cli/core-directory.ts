/**
 * Keeps off a data directory of Bitcoin Core. The layout and the names are the same, so a file of settings that serves both
 * could lead there, and opening it would write into Core's databases, or with --reindex remove its coins.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { networkDirectory } from '#chain';
import type { NetworkParams } from '#consensus';
import { NodeError } from '#util';

/** What Core alone makes: bitcoind writes both at its first start. */
const MARKS = ['settings.json', 'peers.dat'];

/** Throws NodeError `BAD_CONFIG`. */
export function refuseCoreDirectory(datadir: string, params: NetworkParams): void {
  const directory = networkDirectory(datadir, params);
  const mark = MARKS.find((name) => existsSync(join(directory, name)));
  if (mark === undefined) return;
  throw new NodeError(
    'BAD_CONFIG',
    `${directory} belongs to Bitcoin Core (it has ${mark}): give another --datadir; ` +
      '"starling import" takes the blocks over from its blk*.dat files',
  );
}
