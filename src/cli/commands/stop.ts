/** `starling stop`: asks a running node to stop. */
import process from 'node:process';
import { ExitCode } from '../exit-codes.ts';
import type { Settings } from '../options.ts';
import { resultOf } from '../rpc-client.ts';

export async function runStop(settings: Settings): Promise<ExitCode> {
  process.stdout.write(`${String(await resultOf(settings, 'stop'))}\n`);
  return ExitCode.ok;
}
