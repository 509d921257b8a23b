/**
 * What every form of configuration file comes down to: entries with the place where they stand. They are given meaning
 * in `layers.ts` and `core-layer.ts`.
 */

export type Entry = {
  readonly key: string;
  /** The network whose own section it stands in; undefined above all sections. */
  readonly section: string | undefined;
  /** The network that the file is included for; undefined when for all. */
  readonly onlyFor?: string | undefined;
  /** The values given, as a flag would have them. */
  readonly texts: readonly string[];
  /** `file:line`. */
  readonly place: string;
};

export type ConfigFile = {
  readonly path: string;
  /** `core` has Bitcoin Core's names and its order of precedence, the others ours. */
  readonly form: 'ours' | 'core';
  readonly entries: readonly Entry[];
  /** What the reader passes over, for people to know. */
  readonly notes: readonly string[];
};

/** A value of a JSON or TOML file as a flag would have it; undefined for what no flag takes. */
function textsOf(value: unknown): readonly string[] | undefined {
  const texts = (Array.isArray(value) ? value : [value]).map(scalarText);
  return texts.every((text) => text !== undefined) ? texts : undefined;
}

function scalarText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value !== 'number') return undefined;
  // Fee rates are small: String() would write them with an exponent.
  return Number.isInteger(value) ? String(value) : value.toFixed(8).replace(/\.?0+$/, '');
}

type Table = Readonly<Record<string, unknown>>;

export function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/**
 * The entries of a nested object: what is an object itself is the section of a network. `lineOf` finds where a key of a
 * section stands. Throws nothing: a value that no flag takes becomes a problem.
 */
export function tableEntries(
  table: Table,
  path: string,
  lineOf: (section: string | undefined, key: string) => number | undefined,
): { readonly entries: readonly Entry[]; readonly problems: readonly string[] } {
  const entries: Entry[] = [];
  const problems: string[] = [];
  const add = (section: string | undefined, key: string, value: unknown): void => {
    const line = lineOf(section, key);
    const place = line === undefined ? path : `${path}:${line}`;
    const texts = textsOf(value);
    if (texts === undefined)
      problems.push(
        `${place}: ${JSON.stringify(key.slice(0, 60))} must be a text, a number, true, false, or a list of these`,
      );
    else entries.push({ key, section, texts, place });
  };
  for (const [key, value] of Object.entries(table)) {
    if (!isTable(value)) add(undefined, key, value);
    else for (const [inner, given] of Object.entries(value)) add(key, inner, given);
  }
  return { entries, problems };
}
