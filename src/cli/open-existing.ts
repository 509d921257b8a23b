/** Opens the chain of a data directory for commands that only look at it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Chain, networkDirectory, openChain } from '#chain';
import { loadNetwork } from '#node';
import { type Logger, NodeError, systemClock } from '#util';
import { showOpening } from './open-progress.ts';
import type { Settings } from './options.ts';
import type { Terminal } from './terminal.ts';

const MIB = 1 << 20;
/** Reading needs no more. */
const CACHE_MIB = 64;

/** Throws NodeError; a directory without a chain is an error, and is not made into one. */
export async function openExistingChain(
  settings: Settings,
  { log, terminal, signal }: { readonly log: Logger; readonly terminal: Terminal; readonly signal: AbortSignal },
): Promise<Chain> {
  const params = await loadNetwork(settings.network);
  const directory = networkDirectory(settings.datadir, params);
  if (!existsSync(join(directory, 'chainstate'))) {
    const hint = 'run "starling node" or "starling import" first, or name another --datadir or --network';
    throw new NodeError('BAD_CONFIG', `there is no ${params.name} chain in ${directory}: ${hint}`);
  }
  return openChain({
    params,
    datadir: settings.datadir,
    dbCacheBytes: CACHE_MIB * MIB,
    pruneBytes: 'as-is',
    log,
    signal,
    onProgress: showOpening(terminal, log, systemClock),
  });
}
