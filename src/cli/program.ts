/**
 * Builds the command line from the tables of options and commands. Whatever goes wrong ends as one line on stderr
 * and an exit code; nothing here ends the process.
 */
import { Argument, Command, CommanderError, Option } from 'commander';
import { VERSION } from '#util';
import type { CommandRow } from './command-row.ts';
import { COMMANDS } from './commands.ts';
import type { Environment } from './config/environment.ts';
import { DEVNET_NODE_COMMAND } from './devnet/messages.ts';
import { describeFailure, EXIT_CODE_HELP, ExitCode } from './exit-codes.ts';
import { type CommandName, type OptionRow, takes } from './option-row.ts';
import { OPTIONS, type OptionName } from './options.ts';
import { type FlagTexts, resolveAll } from './settings.ts';

export type Output = {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
};

/** Runs one command line (without program name) and gives the exit code. Never throws. */
export async function runProgram(
  args: readonly string[],
  output: Output,
  environment: Environment = {},
): Promise<number> {
  let exitCode: number = ExitCode.ok;
  const program = createProgram(output, environment, async (run) => {
    exitCode = await run();
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return endedByParser(error, output);
    const { code, line } = describeFailure(error);
    output.err(`starling: ${line}\n`);
    if (code === ExitCode.unexpected && error instanceof Error) output.err(`${error.stack ?? ''}\n`);
    return code;
  }
}

function endedByParser(error: CommanderError, output: Output): ExitCode {
  if (error.exitCode === 0) return ExitCode.ok;
  // Without a command, commander has printed the help already.
  if (error.code !== 'commander.help') {
    output.err(`starling: ${error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ')}; see "starling --help"\n`);
  }
  return ExitCode.usage;
}

/** What settings have no effect is said when a node starts, not by each command that shares the file. */
const TELLS_NOTES: readonly CommandName[] = ['node', 'config'];

type Execute = (run: () => Promise<number>) => Promise<void>;

function createProgram(output: Output, environment: Environment, execute: Execute): Command {
  const program = new Command('starling')
    .description('A Bitcoin-rules full node whose peers speak libp2p.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help; also after a command')
    .helpCommand('help [command]', 'print the help of a command')
    .addHelpText('after', generalHelp())
    // So that a command can pass on what follows its first argument.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeOut: output.out, writeErr: output.err, outputError: () => {} });
  for (const [key, row] of Object.entries(COMMANDS)) {
    const name = key as CommandName;
    const command = addCommand(program, name, row);
    command.action(() =>
      execute(async () => {
        const resolved = await resolveAll(name, command.opts<FlagTexts>(), environment);
        if (TELLS_NOTES.includes(name)) for (const note of resolved.notes) output.err(`starling: ${note}\n`);
        const run = await row.load();
        return run(resolved.settings, command.args, resolved);
      }),
    );
  }
  program.command(DEVNET_NODE_COMMAND, { hidden: true }).action(() =>
    execute(async () => {
      const { runDevnetNode } = await import('./devnet/child.ts');
      return runDevnetNode();
    }),
  );
  return program;
}

function addCommand(program: Command, name: CommandName, row: CommandRow): Command {
  const command = program
    .command(name)
    .summary(row.summary)
    .description(`${capital(row.summary)}.\n\n${row.details}`);
  for (const [notation, about] of Object.entries(row.args)) command.addArgument(new Argument(notation, about));
  for (const [attribute, option] of Object.entries<OptionRow<unknown>>(OPTIONS)) {
    if (takes(option, name)) command.addOption(commanderOption(attribute, option));
  }
  if (row.passesOn === true) command.passThroughOptions();
  return command.addHelpText('after', examplesHelp(row));
}

/** Texts are only collected here; `resolveAll` parses them, as it parses those of files and variables. */
function commanderOption(attribute: string, row: OptionRow<unknown>): Option {
  const about = row.defaultText === undefined ? row.help : `${row.help} (default: ${row.defaultText})`;
  const option = new Option(row.value === undefined ? `--${row.flag}` : `--${row.flag} <${row.value}>`, about);
  option.attributeName = () => attribute satisfies string as OptionName;
  if (row.value === undefined) return option.preset(['true']);
  return option.argParser<readonly string[]>((text, previous) => [...(previous ?? []), text]);
}

function examplesHelp(row: CommandRow): string {
  const lines = row.examples.map(([command, does]) => `  # ${does}\n  ${command}`);
  return `\nExamples:\n${lines.join('\n')}`;
}

function generalHelp(): string {
  const codes = EXIT_CODE_HELP.map(([code, means]) => `  ${String(code).padEnd(5)}${means}`);
  return [
    '',
    'Try it:',
    '  starling devnet               a network of its own on this machine, with blocks and transactions',
    '  starling node --help          how to join one',
    '',
    'Exit codes:',
    ...codes,
  ].join('\n');
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
