/** Completions for shells, from the tables of commands and options. */
import type { Commands } from './command-row.ts';
import { type CommandName, type OptionRow, takes } from './option-row.ts';
import { OPTIONS } from './options.ts';

type Shell = 'bash' | 'zsh' | 'fish';

type Command = {
  readonly name: CommandName;
  readonly summary: string;
  readonly words: readonly string[];
  readonly rows: readonly OptionRow<unknown>[];
};

const ROWS: readonly OptionRow<unknown>[] = Object.values<OptionRow<unknown>>(OPTIONS);

function commandList(commands: Commands): readonly Command[] {
  return Object.entries(commands).map(([key, { summary, words = [] }]) => {
    const name = key as CommandName;
    return { name, summary, words, rows: ROWS.filter((row) => takes(row, name)) };
  });
}

export function completionsOf(shell: Shell, commands: Commands): string {
  const write = { bash: forBash, zsh: forZsh, fish: forFish }[shell];
  return `${write(commandList(commands)).join('\n')}\n`;
}

/** Words for the value of a flag; nothing where any text or a file may stand. */
function choicesOf({ choices, default: value, value: name }: OptionRow<unknown>): readonly string[] {
  return choices ?? (name !== undefined && typeof value === 'boolean' ? ['true', 'false'] : []);
}

const isFile = ({ value }: OptionRow<unknown>): boolean => value !== undefined && /FILE|DIR/.test(value);

/** For single quotes of the Bourne kind. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

function forBash(commands: readonly Command[]): string[] {
  const valued = ROWS.filter((row) => row.value !== undefined);
  const values = valued.map((row) => {
    const words = choicesOf(row).join(' ');
    const files = isFile(row) ? ' -f' : '';
    return `    --${row.flag}) COMPREPLY=($(compgen${files} -W ${quoted(words)} -- "$current")); return ;;`;
  });
  const flags = commands.map(({ name, words, rows }) => {
    const known = [...rows.map((row) => `--${row.flag}`), '--help'].join(' ');
    return `    ${name}) flags=${quoted(known)} words=${quoted(words.join(' '))} ;;`;
  });
  return [
    '_starling() {',
    // Bash gives the word to complete and the one before it.
    '  local current=$2 previous=$3 flags= words=',
    '  if ((COMP_CWORD == 1)); then',
    `    COMPREPLY=($(compgen -W ${quoted([...commands.map(({ name }) => name), 'help'].join(' '))} -- "$current"))`,
    '    return',
    '  fi',
    '  case $previous in',
    ...values,
    '  esac',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is bash
    '  case ${COMP_WORDS[1]} in',
    ...flags,
    '  esac',
    '  if [[ $current == -* ]]; then COMPREPLY=($(compgen -W "$flags" -- "$current"))',
    '  elif [[ -n $words ]] && ((COMP_CWORD == 2)); then COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '  else COMPREPLY=($(compgen -f -- "$current")); fi',
    '}',
    'complete -o filenames -F _starling starling',
  ];
}

function forZsh(commands: readonly Command[]): string[] {
  const text = (raw: string): string => raw.replace(/[[\]:\\]/g, '\\$&');
  const spec = (row: OptionRow<unknown>): string => {
    const words = choicesOf(row).join(' ');
    const either = words === '' ? '_files' : `{compadd -- ${words}; _files}`;
    const action = isFile(row) ? either : words === '' ? ' ' : `(${words})`;
    const value = row.value === undefined ? '' : `:${text(row.value)}:${action}`;
    return quoted(`${row.isList ? '*' : ''}--${row.flag}[${text(row.help)}]${value}`);
  };
  const first = (words: readonly string[]): string[] =>
    words.length > 0 ? [quoted(`1:word:(${words.join(' ')})`)] : [];
  return [
    '#compdef starling',
    '_starling() {',
    '  if ((CURRENT == 2)); then',
    '    local -a commands=(',
    ...commands.map(({ name, summary }) => `      ${quoted(`${name}:${text(summary)}`)}`),
    '    )',
    '    _describe command commands',
    '    return',
    '  fi',
    '  local command=$words[2]',
    '  shift words',
    '  ((CURRENT--))',
    '  case $command in',
    ...commands.flatMap(({ name, words, rows }) => [
      `    ${name})`,
      `      _arguments ${[...rows.map(spec), ...first(words), quoted('*:file:_files')].join(' \\\n        ')}`,
      '      ;;',
    ]),
    '  esac',
    '}',
    'compdef _starling starling',
  ];
}

function forFish(commands: readonly Command[]): string[] {
  const text = (raw: string): string => `'${raw.replace(/[\\']/g, '\\$&')}'`;
  const flag = (name: string, row: OptionRow<unknown>): string => {
    const words = choicesOf(row).join(' ');
    const value = row.value === undefined ? '' : isFile(row) ? ' -r' : ' -x';
    const offered = words === '' ? '' : ` -a ${text(words)}`;
    return `complete -c starling -n '__fish_seen_subcommand_from ${name}' -l ${row.flag}${value}${offered} -d ${text(row.help)}`;
  };
  return commands.flatMap(({ name, summary, words, rows }) => [
    `complete -c starling -n __fish_use_subcommand -f -a ${name} -d ${text(summary)}`,
    // Instead of files, which what follows may be.
    ...words.map(
      (word) =>
        `complete -c starling -n '__fish_seen_subcommand_from ${name}; and not __fish_seen_subcommand_from ${words.join(' ')}' -f -a ${word}`,
    ),
    ...rows.map((row) => flag(name, row)),
  ]);
}
