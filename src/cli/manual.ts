/** The manual, from the tables of commands, options and exit codes: as Markdown and as a manual page. */
import { VERSION } from '#util';
import type { CommandRow, Commands } from './command-row.ts';
import { variableOf } from './config/environment.ts';
import { EXIT_CODE_HELP } from './exit-codes.ts';
import { type CommandName, type OptionRow, takes } from './option-row.ts';
import { OPTIONS } from './options.ts';

const ABOUT = 'a Bitcoin-rules full node whose peers speak libp2p';

const SOURCES =
  'A flag goes before its variable, that before the file of --config, that before the profile, that before the default. ' +
  'A variable is STARLING_ and the flag in capitals; lists are separated by spaces, switches are 1 and 0, an ' +
  'empty variable is none. In a file, keys are the flags without their dashes; a table (TOML), an object (JSON) or a ' +
  'section counts for the network of its name alone. A file that is neither TOML nor JSON is read as a bitcoin.conf, ' +
  'with Bitcoin Core’s names and order; what has no counterpart is named when the program starts.';

const rowsOf = (name: CommandName): readonly OptionRow<unknown>[] =>
  Object.values<OptionRow<unknown>>(OPTIONS).filter((row) => takes(row, name));

const commandList = (commands: Commands): readonly (readonly [CommandName, CommandRow])[] =>
  Object.entries(commands).map(([name, row]) => [name as CommandName, row]);

const usage = (name: CommandName, row: CommandRow): string =>
  ['starling', name, ...Object.keys(row.args), ...(rowsOf(name).length > 0 ? ['[flags]'] : [])].join(' ');

const flagText = ({ flag, value }: OptionRow<unknown>): string =>
  value === undefined ? `--${flag}` : `--${flag} ${value}`;

const withDefault = ({ help, defaultText }: OptionRow<unknown>): string =>
  defaultText === undefined ? help : `${help} (default: ${defaultText})`;

/** A flag is explained once, with the commands that take it. */
const takers = (row: OptionRow<unknown>, commands: Commands): string =>
  commandList(commands)
    .map(([name]) => name)
    .filter((name) => takes(row, name))
    .join(', ');

export function manualMarkdown(commands: Commands): string {
  const cell = (text: string): string => text.replace(/[|<]/g, '\\$&');
  const rows = Object.values<OptionRow<unknown>>(OPTIONS).map(
    (row) =>
      `| \`${cell(flagText(row))}\` | \`${variableOf(row.flag)}\` | ${cell(withDefault(row))} | ${takers(row, commands)} |`,
  );
  return [
    `# starling ${VERSION}`,
    '',
    `Starling is ${ABOUT}.`,
    '',
    '## Commands',
    ...commandList(commands).flatMap(([name, row]) => [
      '',
      `### ${usage(name, row)}`,
      '',
      `${capital(row.summary)}. ${row.details}`,
      ...Object.entries(row.args).map(([arg, about]) => `\n- \`${arg}\`: ${about}`),
      '',
      '```sh',
      ...row.examples.map(([command, does]) => `${command}  # ${does}`),
      '```',
    ]),
    '',
    '## Settings',
    '',
    SOURCES,
    '',
    '| flag | variable | meaning | commands |',
    '|---|---|---|---|',
    ...rows,
    '',
    '## Exit codes',
    '',
    '| code | meaning |',
    '|---|---|',
    ...EXIT_CODE_HELP.map(([code, means]) => `| ${code} | ${means} |`),
    '',
  ].join('\n');
}

/** In the macros of man(7). */
export function manualPage(commands: Commands): string {
  const lines = [
    `.TH STARLING 1 "" "starling ${VERSION}" "Starling"`,
    // Commands are not stretched to the margin.
    '.ad l',
    '.SH NAME',
    `starling \\- ${roff(ABOUT)}`,
    '.SH SYNOPSIS',
    ...commandList(commands).flatMap(([name, row], index) => [
      ...(index === 0 ? [] : ['.br']),
      `.B ${roff(usage(name, row))}`,
    ]),
    '.SH COMMANDS',
    ...commandList(commands).flatMap(([name, row]) => [
      '.TP',
      `.B ${roff(name)}`,
      roff(`${capital(row.summary)}. ${row.details}`),
      ...Object.entries(row.args).flatMap(([arg, about]) => ['.IP', `.B ${roff(arg)}`, '.br', roff(about)]),
      ...row.examples.flatMap(([command, does]) => ['.IP', `.B ${roff(command)}`, '.br', roff(`(${does})`)]),
    ]),
    '.SH SETTINGS',
    roff(SOURCES),
    ...Object.values<OptionRow<unknown>>(OPTIONS).flatMap((row) => [
      '.TP',
      `.B ${roff(flagText(row))}`,
      roff(`${withDefault(row)}; for ${takers(row, commands)}`),
    ]),
    '.SH EXIT STATUS',
    ...EXIT_CODE_HELP.flatMap(([code, means]) => ['.TP', `.B ${code}`, roff(means)]),
  ];
  return `${lines.join('\n')}\n`;
}

/** Text of a page: no line of it is a request, and a dash is one that can be copied. */
function roff(text: string): string {
  return (
    text
      .replaceAll('\\', '\\e')
      .replaceAll('-', '\\-')
      // Around the arguments of a macro they would be taken off.
      .replaceAll('"', '\\(dq')
      .replaceAll('…', '...')
      .replaceAll('’', '\\(cq')
      .replace(/^(?=[.'])/, '\\&')
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
