/** A row of the table of commands: what a command takes, what help says about it, and where it is implemented. */
import type { CommandName } from './option-row.ts';
import type { Settings } from './options.ts';
import type { Resolved } from './settings.ts';

/** `resolved` says where the settings come from. Gives an exit code: one of `ExitCode`, or what a called node answered. */
export type CommandRun = (settings: Settings, args: readonly string[], resolved: Resolved) => Promise<number>;

export type CommandRow = {
  readonly summary: string;
  /** Positional arguments in commander's notation, with an explanation each. */
  readonly args: Readonly<Record<string, string>>;
  readonly details: string;
  /** What the first argument may be, for shells to complete; left out for files. */
  readonly words?: readonly string[];
  /** Flags stand before the first argument; what follows is passed on, also what looks like a flag. */
  readonly passesOn?: boolean;
  readonly examples: readonly (readonly [command: string, does: string])[];
  /** Loaded when it runs. */
  readonly load: () => Promise<CommandRun>;
};

export type Commands = Readonly<Record<CommandName, CommandRow>>;
