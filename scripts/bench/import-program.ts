/** `starling import` of one file of regtest blocks into a new data directory, in a process of its own. */
import { assert } from '#util';
import { type Ended, runProgram } from './program.ts';

export type ImportOrder = {
  readonly file: string;
  /** Hash of the file's last block, which must be the tip afterwards. */
  readonly tip: string;
  readonly datadir: string;
  readonly flags?: readonly string[];
};

/** From the start of the process to its end: opening, every check, everything flushed and closed. */
export async function importByProgram(order: ImportOrder, execArgv: readonly string[]): Promise<Ended> {
  const { file, tip, datadir, flags = [] } = order;
  const ended = await runProgram(['import', '--network', 'regtest', '--datadir', datadir, ...flags, file], execArgv);
  assert(ended.output.includes(tip), `the tip is another one: ${ended.output}`);
  return ended;
}
