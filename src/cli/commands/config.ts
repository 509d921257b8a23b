/** `starling config`: the settings and where each comes from; what is wrong in a file of settings. */
import process from 'node:process';
import { NodeError } from '#util';
import { variableOf } from '../config/environment.ts';
import { shownDefault, shownText, shownValue } from '../config/show.ts';
import { ExitCode } from '../exit-codes.ts';
import { table } from '../format.ts';
import { type OptionRow, takes } from '../option-row.ts';
import { OPTIONS, type OptionName, type Settings } from '../options.ts';
import { checkFile, type Resolved } from '../settings.ts';
import { path } from '../values.ts';

export async function runConfig(
  settings: Settings,
  [action = '', file]: readonly string[],
  resolved: Resolved,
): Promise<ExitCode> {
  if (action === 'show' && file === undefined) {
    process.stdout.write(settings.json ? jsonText(resolved) : humanText(resolved));
    return ExitCode.ok;
  }
  if (action === 'check' && file !== undefined) return check(path(file));
  throw new NodeError('BAD_CONFIG', '"starling config show", or "starling config check FILE" is expected');
}

async function check(file: string): Promise<ExitCode> {
  const { problems, notes } = await checkFile(file);
  for (const note of notes) process.stdout.write(`note: ${note}\n`);
  for (const problem of problems) process.stdout.write(`wrong: ${problem}\n`);
  if (problems.length === 0) process.stdout.write(`${file} can be used\n`);
  return problems.length === 0 ? ExitCode.ok : ExitCode.usage;
}

/** The settings of a node: what this command alone takes is none. */
function nodeRows(): readonly (readonly [OptionName, OptionRow<unknown>])[] {
  return Object.entries<OptionRow<unknown>>(OPTIONS)
    .filter(([, row]) => takes(row, 'node'))
    .map(([name, row]) => [name as OptionName, row] as const);
}

function humanText({ given }: Resolved): string {
  const rows = nodeRows().map(([name, row]) => {
    const found = given.get(name);
    const value = found === undefined ? shownDefault(row) : found.texts.map((text) => shownText(row, text)).join(' ');
    return [row.flag, value, found === undefined ? 'default' : `${found.origin.kind} ${found.origin.place}`];
  });
  return `${table(['left', 'left', 'left'], rows)
    .map((line) => line.trimEnd())
    .join('\n')}\n`;
}

function jsonText({ settings, given, notes }: Resolved): string {
  const shown = nodeRows().map(([name, row]) => {
    const found = given.get(name);
    const value = shownValue(row, settings[name], found?.texts);
    const from = found?.origin ?? { kind: 'default', place: '' };
    return [row.flag, { value, from: from.kind, place: from.place, variable: variableOf(row.flag) }];
  });
  return `${JSON.stringify({ settings: Object.fromEntries(shown), notes }, undefined, 2)}\n`;
}
