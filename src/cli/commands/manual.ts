/** `starling manual`: every command, flag and variable on one page. */
import process from 'node:process';
import type { CommandRun, Commands } from '../command-row.ts';
import { ExitCode } from '../exit-codes.ts';
import { manualMarkdown, manualPage } from '../manual.ts';

import { oneOf } from '../values.ts';

export function manualRun(commands: Commands): CommandRun {
  return async (_settings, [given = 'markdown']) => {
    const form = oneOf('man', 'markdown')(given);
    process.stdout.write(form === 'man' ? manualPage(commands) : manualMarkdown(commands));
    return ExitCode.ok;
  };
}
