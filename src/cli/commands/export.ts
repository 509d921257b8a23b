/** `starling export`: blocks of the active chain in a file framed as Bitcoin Core's blk*.dat. */
import { open, rename, rm, stat } from 'node:fs/promises';
import process from 'node:process';
import type { Chain } from '#chain';
import { asBuffer, NodeError, systemClock } from '#util';
import { ExitCode } from '../exit-codes.ts';
import { bar, bytes, grouped, percent, plural } from '../format.ts';
import { loggingOf } from '../logging.ts';
import { openExistingChain } from '../open-existing.ts';
import type { Settings } from '../options.ts';
import { listenForStop } from '../stop.ts';
import { createTerminal, type Terminal } from '../terminal.ts';

/** Magic and length, as in blk*.dat. */
const FRAME_BYTES = 8;
const BAR_CELLS = 24;

export async function runExport(settings: Settings, args: readonly string[]): Promise<ExitCode> {
  const [file = ''] = args;
  using stop = listenForStop();
  const terminal = createTerminal(process.stderr, systemClock, { plainIntervalMs: 5_000 });
  const logging = loggingOf(settings, terminal);
  if (await exists(file)) throw new NodeError('BAD_CONFIG', `${file} exists; name a new file, nothing is overwritten`);
  await using chain = await openExistingChain(settings, { log: logging.log, terminal, signal: stop.signal });
  const { from, to = chain.tip().height } = settings;
  if (from > to) throw new NodeError('BAD_CONFIG', `--from ${from} is above --to ${to}`);
  if (to > chain.tip().height) {
    throw new NodeError('BAD_CONFIG', `--to ${to} is above the tip, which is block ${chain.tip().height}`);
  }
  const lowest = chain.lowestStoredHeight();
  if (from < lowest) {
    throw new NodeError('PRUNED', `blocks below ${lowest} were pruned; export from there: --from ${lowest}`);
  }
  // Under another name until it is whole: a file that exists is complete.
  const partial = `${file}.partial`;
  try {
    const written = await writeBlocks({ chain, terminal, from, to, signal: stop.signal }, partial);
    await rename(partial, file);
    terminal.settle();
    process.stdout.write(`wrote ${plural(to - from + 1, 'block')} (${from} to ${to}), ${bytes(written)}, to ${file}\n`);
    return ExitCode.ok;
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

type Job = {
  readonly chain: Chain;
  readonly terminal: Terminal;
  readonly from: number;
  readonly to: number;
  readonly signal: AbortSignal;
};

async function writeBlocks(job: Job, path: string): Promise<number> {
  const { chain, from, to } = job;
  await using handle = await open(path, 'w');
  let written = 0;
  for (let height = from; height <= to; height++) {
    if (job.signal.aborted) throw new NodeError('ABORTED', 'interrupted; nothing was written');
    const entry = chain.activeAt(height);
    const raw = entry && (await chain.readBlock(entry.hash));
    if (raw === undefined)
      throw new NodeError('CORRUPT_DATA', `block ${height} cannot be read from the data directory`);
    const frame = Buffer.alloc(FRAME_BYTES);
    frame.set(chain.params.magic);
    frame.writeUInt32LE(raw.length, chain.params.magic.length);
    await handle.writev([frame, asBuffer(raw)]);
    written += frame.length + raw.length;
    const done = (height - from + 1) / (to - from + 1);
    job.terminal.live([`${bar(done, BAR_CELLS)} ${percent(done)}  block ${grouped(height)}  ${bytes(written)}`]);
  }
  await handle.sync();
  return written;
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
