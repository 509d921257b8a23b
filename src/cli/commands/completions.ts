/** `starling completions`: what shells need to complete a command line. */
import process from 'node:process';
import type { CommandRun, Commands } from '../command-row.ts';
import { completionsOf } from '../completions.ts';
import { ExitCode } from '../exit-codes.ts';

import { oneOf } from '../values.ts';

export function completionsRun(commands: Commands): CommandRun {
  return async (_settings, [shell = '']) => {
    process.stdout.write(completionsOf(oneOf('bash', 'zsh', 'fish')(shell), commands));
    return ExitCode.ok;
  };
}
