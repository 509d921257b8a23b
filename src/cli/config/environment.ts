/**
 * Settings from the environment: STARLING_ and the flag in capitals, such as STARLING_DB_CACHE. An empty variable is none
 * (compose files pass them); lists are separated by spaces; switches are 1 and 0.
 */
import type { OptionRow } from '../option-row.ts';
import { OPTIONS, type OptionName } from '../options.ts';
import { closest } from '../suggest.ts';
import { type Given, type Layer, misfit } from './layer.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const PREFIX = 'STARLING_';

export function variableOf(flag: string): string {
  return `${PREFIX}${flag.replaceAll('-', '_').toUpperCase()}`;
}

const BY_VARIABLE: ReadonlyMap<string, OptionName> = new Map(
  Object.entries<OptionRow<unknown>>(OPTIONS).map(([name, row]) => [variableOf(row.flag), name as OptionName]),
);

/**
 * A variable that is nearly one of ours is a problem. Any other is a note: who runs containers sets variables by the name
 * of a service, such as STARLING_SERVICE_HOST, and nobody asked for them.
 */
export function environmentLayer(environment: Environment): Layer {
  const given = new Map<OptionName, Given>();
  const problems: string[] = [];
  const notes: string[] = [];
  for (const [variable, text = ''] of Object.entries(environment)) {
    if (!variable.startsWith(PREFIX) || text === '') continue;
    const name = BY_VARIABLE.get(variable);
    if (name === undefined) {
      const hint = closest(
        variable.slice(PREFIX.length),
        [...BY_VARIABLE.keys()].map((key) => key.slice(PREFIX.length)),
      );
      const line = `${variable.slice(0, 60)} is no setting`;
      if (hint === '') notes.push(`${line}: it is not used`);
      else problems.push(`${line}${hint.replace('"', `"${PREFIX}`)}`);
      continue;
    }
    const texts = OPTIONS[name].isList ? text.split(/\s+/).filter((part) => part !== '') : [text];
    const problem = misfit(name, texts);
    if (problem !== undefined) problems.push(`${variable}: ${problem}`);
    else given.set(name, { texts, origin: { kind: 'variable', place: variable } });
  }
  return { given, problems, notes };
}
