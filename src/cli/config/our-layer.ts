/** Files with our names: above all a network's own section, then what stands above the sections. */

import type { OptionName } from '../options.ts';
import { closest } from '../suggest.ts';
import { coreHint } from './core-options.ts';
import type { ConfigFile, Entry } from './entries.ts';
import { FILE_KEYS, type Given, type Layer, misfit, optionOf, shownName } from './layer.ts';
import { BUILT_IN_NAMES } from './names.ts';

/** The network that the file chooses. */
export function ourNetwork({ entries }: ConfigFile): string | undefined {
  return entries.find(({ key, section }) => key === 'network' && section === undefined)?.texts.at(-1);
}

export function ourLayer({ entries, notes }: ConfigFile, network: string, kind: 'file' | 'profile'): Layer {
  const given = new Map<OptionName, Given>();
  const problems: string[] = [];
  const inOrder = [
    ...entries.filter(({ section }) => section === undefined),
    ...entries.filter(({ section }) => section),
  ];
  for (const entry of inOrder) {
    const name = FILE_KEYS.includes(entry.key) ? optionOf(entry.key) : undefined;
    const problem =
      sectionProblem(entry, network) ?? (name === undefined ? unknownKey(entry) : valueProblem(name, entry));
    if (problem !== undefined) problems.push(problem);
    else if (kind === 'profile' && name === 'profile') problems.push(`${entry.place}: a profile names no other`);
    else if (name !== undefined && (entry.section === undefined || entry.section === network)) {
      given.set(name, { texts: entry.texts, origin: { kind, place: entry.place } });
    }
  }
  return { given, problems, notes };
}

function unknownKey({ key, place }: Entry): string {
  return `${place}: unknown setting ${shownName(key)}${coreHint(key) ?? closest(key, FILE_KEYS)}`;
}

function valueProblem(name: OptionName, { key, texts, place, section }: Entry): string | undefined {
  if ((key === 'network' || key === 'profile') && section !== undefined) {
    return `${place}: ${key} does not belong into a network's section`;
  }
  const problem = misfit(name, texts);
  return problem === undefined ? undefined : `${place}: ${key}: ${problem}`;
}

/** Networks of one's own are sections by what --network says, which is a path. */
function sectionProblem({ section, place }: Entry, network: string): string | undefined {
  if (section === undefined || section === network || BUILT_IN_NAMES.includes(section) || /[./]/.test(section)) {
    return undefined;
  }
  return `${place}: ${shownName(section)} is no network${closest(section, BUILT_IN_NAMES)}`;
}
