/** A row of the table of flags: what it says, and how it is made. */
import { onOff } from './values.ts';

export type CommandName =
  | 'node'
  | 'rpc'
  | 'status'
  | 'peers'
  | 'top'
  | 'ban'
  | 'stop'
  | 'import'
  | 'export'
  | 'info'
  | 'devnet'
  | 'psk'
  | 'config'
  | 'completions'
  | 'manual';

export type OptionRow<T> = {
  /** Without the dashes; also the key in a configuration file. */
  readonly flag: string;
  /** How help names the value; undefined for a switch. */
  readonly value: string | undefined;
  /** May be given several times. */
  readonly isList: boolean;
  readonly help: string;
  /** What help says about the default; undefined when there is nothing to say. */
  readonly defaultText: string | undefined;
  readonly commands: readonly CommandName[];
  /** Values to offer where a shell completes the flag; others may fit too. */
  readonly choices?: readonly string[] | undefined;
  readonly default: T;
  /** From the texts given (at least one). Throws NodeError `BAD_CONFIG`. */
  readonly parse: (texts: readonly string[]) => T;
};

type Single<T, D> = {
  readonly flag: string;
  readonly value: string;
  readonly help: string;
  readonly commands: readonly CommandName[];
  readonly choices?: readonly string[];
  readonly parse: (text: string) => T;
  readonly default: D;
  readonly defaultText?: string;
};

export function single<const T, const D = T>(row: Single<T, D>): OptionRow<T | D> {
  const { default: value, defaultText = value === undefined ? undefined : String(value) } = row;
  // Given twice, the last counts: a wrapper script may set what its caller overrides.
  return { ...row, isList: false, defaultText, parse: (texts) => row.parse(texts.at(-1) ?? '') };
}

export function list<T>(row: Single<T, readonly T[]>): OptionRow<readonly T[]> {
  return { defaultText: undefined, ...row, isList: true, parse: (texts) => texts.map(row.parse) };
}

export function toggle(row: Omit<Single<boolean, boolean>, 'value' | 'parse' | 'default'>): OptionRow<boolean> {
  const parse = (texts: readonly string[]): boolean => onOff(texts.at(-1) ?? '');
  return { ...row, value: undefined, isList: false, defaultText: undefined, default: false, parse };
}

/** `config` takes what `node` does: it shows what a node would have. */
export function takes({ commands }: OptionRow<unknown>, command: CommandName): boolean {
  return commands.includes(command) || (command === 'config' && commands.includes('node'));
}
