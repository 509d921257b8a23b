/** `starling manual`: every command, flag and variable on one page. */
import process from 'node:process';
import type { CommandRun, Commands } from '../command-row.ts';
import { ExitCode } from '../exit-codes.ts';
import { manualMarkdown, manualPage } from '../manual.ts';

import { oneOf } from '../values.ts';

/** The methods are loaded only for their own page. */
async function textOf(form: 'man' | 'markdown' | 'rpc', commands: Commands): Promise<string> {
  if (form !== 'rpc') return form === 'man' ? manualPage(commands) : manualMarkdown(commands);
  const { methodsManual, RPC_METHODS } = await import('#rpc');
  return methodsManual(RPC_METHODS);
}

export function manualRun(commands: Commands): CommandRun {
  return async (_settings, [given = 'markdown']) => {
    const form = oneOf('man', 'markdown', 'rpc')(given);
    process.stdout.write(await textOf(form, commands));
    return ExitCode.ok;
  };
}
