/**
 * A source of settings, each as texts for the parser of its flag: the command line, the environment, a file, a profile.
 * What is wrong in a source is collected, so that all of it can be shown at once.
 */
import { errorText } from '#util';
import type { OptionRow } from '../option-row.ts';
import { OPTIONS, type OptionName } from '../options.ts';

export type Origin = {
  readonly kind: 'flag' | 'variable' | 'file' | 'profile' | 'default';
  /** The flag, the variable, or `file:line` (several with commas). Empty for a default. */
  readonly place: string;
};

export type Given = { readonly texts: readonly string[]; readonly origin: Origin };

export type Layer = {
  readonly given: ReadonlyMap<OptionName, Given>;
  /** What makes the source unusable, a line each. */
  readonly problems: readonly string[];
  /** What is not used, for people to know. */
  readonly notes: readonly string[];
};

const ROWS: ReadonlyMap<string, OptionName> = new Map(
  Object.entries<OptionRow<unknown>>(OPTIONS).map(([name, row]) => [row.flag, name as OptionName]),
);

/** Keys that a file may hold: what names a file of settings is not set in one. */
export const FILE_KEYS: readonly string[] = [...ROWS.keys()].filter((flag) => flag !== 'config');

/** The option whose flag this is. */
export function optionOf(flag: string): OptionName | undefined {
  return ROWS.get(flag);
}

/** What the row's parser says against the texts, without the place; undefined when they fit. */
export function misfit(name: OptionName, texts: readonly string[]): string | undefined {
  try {
    OPTIONS[name].parse(texts);
    return undefined;
  } catch (error) {
    return errorText(error);
  }
}

/** A name from a file as messages show it: in quotes, bounded, control characters escaped. */
export function shownName(name: string): string {
  return JSON.stringify(name.slice(0, 60));
}
