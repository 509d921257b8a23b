/** Joins flags, configuration file and defaults into the settings of a run. A flag goes before the file. */
import { errorText, NodeError } from '#util';
import type { ConfigTexts } from './config-file.ts';
import type { CommandName, OptionRow } from './option-row.ts';
import { OPTIONS, type OptionName, type Settings } from './options.ts';

/** Option name to the texts given on the command line; switches give `true`. */
export type FlagTexts = Partial<Record<OptionName, readonly string[]>>;

/** Throws NodeError `BAD_CONFIG`; its message names the flag, or the file and the key. */
export async function resolveSettings(command: CommandName, flags: FlagTexts): Promise<Settings> {
  const configPath = flags.config?.at(-1);
  const file = configPath === undefined ? undefined : OPTIONS.config.parse([configPath]);
  const inFile = file === undefined ? NO_TEXTS : await readFile(file, flags.network?.at(-1));
  const resolve = ([name, row]: [string, OptionRow<unknown>]): [string, unknown] => {
    const given = flags[name as OptionName];
    if (given !== undefined) return [name, parse(row, given, `--${row.flag}`)];
    const texts = inFile.get(row.flag);
    if (texts === undefined || !row.commands.includes(command)) return [name, row.default];
    return [name, parse(row, texts, `${file}: ${row.flag}`)];
  };
  return Object.fromEntries(Object.entries<OptionRow<unknown>>(OPTIONS).map(resolve)) as Settings;
}

const NO_TEXTS: ConfigTexts = new Map();

/** Loaded on demand: the schema library is half of the program's start-up time. */
async function readFile(file: string, network: string | undefined): Promise<ConfigTexts> {
  const { readConfigFile } = await import('./config-file.ts');
  return readConfigFile(file, network);
}

function parse(row: OptionRow<unknown>, texts: readonly string[], source: string): unknown {
  try {
    return row.parse(texts);
  } catch (error) {
    throw new NodeError('BAD_CONFIG', `${source}: ${errorText(error)}`, { cause: error });
  }
}
