/**
 * Joins all sources into the settings of a run: a flag goes before the environment, that before the configuration file,
 * that before the profile, that before the default. Lists are not joined over sources: the first that has one counts.
 */
import { errorText, NodeError } from '#util';
import { coreLayer, coreNetwork } from './config/core-layer.ts';
import type { ConfigFile } from './config/entries.ts';
import { type Environment, environmentLayer } from './config/environment.ts';
import type { Given, Layer } from './config/layer.ts';
import { BUILT_IN_NAMES } from './config/names.ts';
import { ourLayer, ourNetwork } from './config/our-layer.ts';
import { profileFile } from './config/profile.ts';
import { readConfigFile } from './config/read-file.ts';
import { type CommandName, type OptionRow, takes } from './option-row.ts';
import { OPTIONS, type OptionName, type Settings } from './options.ts';

/** Option name to the texts given on the command line; switches give `true`. */
export type FlagTexts = Partial<Record<OptionName, readonly string[]>>;

export type Resolved = {
  readonly settings: Settings;
  /** What is not a default, and where it comes from. */
  readonly given: ReadonlyMap<OptionName, Given>;
  /** What the sources hold that has no effect, a line each. */
  readonly notes: readonly string[];
};

/** Throws NodeError `BAD_CONFIG`; its message names the flag, the variable, or the file and line. */
export async function resolveSettings(
  command: CommandName,
  flags: FlagTexts,
  environment: Environment = {},
): Promise<Settings> {
  return (await resolveAll(command, flags, environment)).settings;
}

/** As `resolveSettings`, with what each value comes from. */
export async function resolveAll(command: CommandName, flags: FlagTexts, environment: Environment): Promise<Resolved> {
  const hasSettings = Object.values<OptionRow<unknown>>(OPTIONS).some((row) => takes(row, command));
  const layers = hasSettings ? await readLayers(flags, environment, takes(OPTIONS.config, command)) : [];
  const problems = layers.flatMap((layer) => layer.problems);
  if (problems[0] !== undefined) {
    const more =
      problems.length === 1 ? '' : ` (and ${problems.length - 1} more; "starling config check FILE" lists them)`;
    throw new NodeError('BAD_CONFIG', problems[0] + more);
  }
  const given = new Map<OptionName, Given>();
  const values = Object.entries<OptionRow<unknown>>(OPTIONS).map(([key, row]): [string, unknown] => {
    const name = key as OptionName;
    const found = takes(row, command) ? layers.map((layer) => layer.given.get(name)).find(isGiven) : undefined;
    if (found === undefined) return [name, row.default];
    given.set(name, found);
    return [name, parse(row, found)];
  });
  return { settings: Object.fromEntries(values) as Settings, given, notes: layers.flatMap((layer) => layer.notes) };
}

/** What is wrong in a file, and what in it has no effect; for the network that it chooses and each that it has a section for. */
export async function checkFile(path: string): Promise<Pick<Layer, 'problems' | 'notes'>> {
  const file = await readConfigFile(path);
  const sections = file.entries.map(({ section }) => section).filter((name) => name && BUILT_IN_NAMES.includes(name));
  const networks = new Set([networkOf(file) ?? OPTIONS.network.default, ...sections].filter(isGiven));
  const layers = [...networks].map((network) => layerOf(file, network, 'file'));
  return {
    problems: [...new Set(layers.flatMap((layer) => layer.problems))],
    notes: [...new Set(layers.flatMap((layer) => layer.notes))],
  };
}

function isGiven<T>(value: T | undefined): value is T {
  return value !== undefined;
}

/** In the order of their precedence. A command that takes no file reads none, whatever the environment says. */
async function readLayers(flags: FlagTexts, environment: Environment, takesFiles: boolean): Promise<readonly Layer[]> {
  const upper = [flagLayer(flags), environmentLayer(environment)];
  if (!takesFiles) return upper;
  const said = (name: OptionName): string | undefined =>
    upper.map((layer) => layer.given.get(name)?.texts.at(-1)).find(isGiven);
  const configPath = said('config');
  const file = configPath === undefined ? undefined : await readConfigFile(OPTIONS.config.parse([configPath]) ?? '');
  const profilePath =
    said('profile') ??
    file?.entries.find(({ key, section }) => key === 'profile' && section === undefined)?.texts.at(-1);
  const profile = profilePath === undefined ? undefined : await readConfigFile(profileFile(profilePath));
  const files = [file, profile].filter(isGiven);
  const network = said('network') ?? files.map(networkOf).find(isGiven) ?? OPTIONS.network.default;
  return [...upper, ...files.map((read) => layerOf(read, network, read === profile ? 'profile' : 'file'))];
}

function networkOf(file: ConfigFile): string | undefined {
  return file.form === 'core' ? coreNetwork(file) : ourNetwork(file);
}

function layerOf(file: ConfigFile, network: string, kind: 'file' | 'profile'): Layer {
  return file.form === 'core' ? coreLayer(file, network, kind) : ourLayer(file, network, kind);
}

function flagLayer(flags: FlagTexts): Layer {
  const entries = Object.entries(flags).map(([key, texts]): [OptionName, Given] => {
    const name = key as OptionName;
    return [name, { texts, origin: { kind: 'flag', place: `--${OPTIONS[name].flag}` } }];
  });
  return { given: new Map(entries), problems: [], notes: [] };
}

function parse(row: OptionRow<unknown>, { texts, origin }: Given): unknown {
  try {
    return row.parse(texts);
  } catch (error) {
    const key = origin.kind === 'file' || origin.kind === 'profile' ? `: ${row.flag}` : '';
    throw new NodeError('BAD_CONFIG', `${origin.place}${key}: ${errorText(error)}`, { cause: error });
  }
}
