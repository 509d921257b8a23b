/**
 * Files in the form of a bitcoin.conf, with Bitcoin Core's order (MergeSettings, common/settings.cpp): the chain's own
 * section goes before what stands above the sections; of values given twice there the first counts, not the last;
 * `noNAME=1` takes back what stands before it and, in a section, what stands above. Some options count outside of mainnet
 * in their section alone.
 */
import { errorText } from '#util';
import { OPTIONS, type OptionName } from '../options.ts';
import { closest } from '../suggest.ts';
import { CHAIN_SWITCHES, CORE_KEYS, type Meaning, meaningOf, optionNamed } from './core-options.ts';
import { coreFlag } from './core-values.ts';
import type { ConfigFile, Entry } from './entries.ts';
import { type Given, type Layer, misfit, shownName } from './layer.ts';
import { BUILT_IN_NAMES, networkOfChain } from './names.ts';

/** An entry whose key is the option's own name. */
type Named = Entry & { readonly isNegated: boolean; readonly meaning: Meaning };

type Collected = { readonly problems: string[]; readonly notes: string[]; readonly named: Named[] };

/** The network that the file chooses; only what stands above all sections does. */
export function coreNetwork({ entries }: ConfigFile): string | undefined {
  return chosenChains(entries)[0]?.network;
}

type ChosenChain = { readonly network: string; readonly place: string; readonly key: string };

const isChainKey = (key: string): boolean => key === 'chain' || key === 'network' || Object.hasOwn(CHAIN_SWITCHES, key);

/** What an included file says of it comes too late where it is included for one chain. */
function chosenChains(entries: readonly Entry[]): readonly ChosenChain[] {
  return entries.flatMap(({ key, section, onlyFor, place, texts: [text = ''] }) => {
    if (section !== undefined || onlyFor !== undefined || !isChainKey(key)) return [];
    const network = Object.hasOwn(CHAIN_SWITCHES, key) ? switchedChain(key, text) : networkOfChain(text);
    return network === undefined ? [] : [{ network, place, key }];
  });
}

function switchedChain(key: string, text: string): string | undefined {
  return isOn(text) === true ? CHAIN_SWITCHES[key] : undefined;
}

/** Undefined for what is no switch's value. */
function isOn(text: string): boolean | undefined {
  try {
    return coreFlag(text) === '1';
  } catch {
    return undefined;
  }
}

export function coreLayer(file: ConfigFile, network: string, kind: 'file' | 'profile'): Layer {
  const { problems, notes, named } = collect(file, network);
  const given = new Map<OptionName, Given>();
  const [chain] = chosenChains(file.entries);
  if (chain !== undefined) {
    given.set('network', { texts: [chain.network], origin: { kind, place: chain.place } });
  }
  for (const key of new Set(named.map((entry) => entry.key))) {
    const entries = named.filter((entry) => entry.key === key);
    for (const [name, value] of convertedValues(entries, network, kind, { problems, notes })) {
      const before = given.get(name);
      if (before === undefined) given.set(name, value);
      else if (OPTIONS[name].isList) given.set(name, joined(before, value));
      else if (before.texts.at(-1) !== value.texts.at(-1))
        problems.push(`${value.origin.place}: ${key} says anew what ${before.origin.place} says; keep one of them`);
    }
  }
  return { given, problems, notes };
}

/** Names each entry; what is unknown, refused or without use leaves a line. */
function collect({ entries, notes: before }: ConfigFile, network: string): Collected {
  const problems = chainProblems(entries);
  const notes = [...before];
  const named: Named[] = [];
  const told = new Set<string>();
  for (const entry of entries) {
    if (entry.onlyFor !== undefined && entry.onlyFor !== network) continue;
    const { section, key, place } = entry;
    if (section !== undefined && !BUILT_IN_NAMES.includes(section) && section !== network && !told.has(`[${section}`)) {
      told.add(`[${section}`);
      notes.push(`${place}: ${shownName(section)} is no network${closest(section, BUILT_IN_NAMES)}`);
    }
    if (isChainKey(key)) continue;
    const found = nameOf(entry);
    if (found === undefined) problems.push(`${place}: unknown setting ${shownName(key)}${closest(key, CORE_KEYS)}`);
    // What stands in the section of another chain is for Core, too, a name and no more.
    else if (section !== undefined && section !== network) continue;
    else if (found.meaning.kind === 'refused') problems.push(`${place}: ${found.key}: ${found.meaning.instead}`);
    else if (found.meaning.kind === 'honoured') named.push(found);
    else if (!told.has(found.key)) {
      told.add(found.key);
      notes.push(`${place}: ${found.key} is not used: ${found.meaning.instead}`);
    }
  }
  return { problems, notes, named };
}

function chainProblems(entries: readonly Entry[]): string[] {
  const problems = entries.flatMap(({ key, section, place, texts: [text = ''] }) => {
    if (!isChainKey(key)) return [];
    if (section !== undefined) return [`${place}: ${key} does not belong into a network's section`];
    return Object.hasOwn(CHAIN_SWITCHES, key) && isOn(text) === undefined
      ? [`${place}: ${key}: 0 or 1 is expected`]
      : [];
  });
  const [first, ...others] = chosenChains(entries);
  const other = others.find(({ network }) => network !== first?.network);
  if (first !== undefined && other !== undefined) {
    problems.push(
      `${other.place}: ${other.key} says another chain beside ${first.key} of ${first.place}; keep one of them`,
    );
  }
  return problems;
}

function nameOf(entry: Entry): Named | undefined {
  const meaning = meaningOf(entry.key);
  if (meaning !== undefined) return { ...entry, meaning, isNegated: false };
  const key = entry.key.startsWith('no') ? entry.key.slice(2) : '';
  const negated = meaningOf(key);
  if (negated === undefined) return undefined;
  // nokey=0 is key=1.
  const isNegated = entry.texts[0] !== '0';
  return { ...entry, key, meaning: negated, isNegated, texts: [isNegated ? '0' : '1'] };
}

type Lines = Pick<Collected, 'problems' | 'notes'>;

/** The options that the entries of one key come down to. */
function convertedValues(
  entries: readonly Named[],
  network: string,
  kind: 'file' | 'profile',
  { problems, notes }: Lines,
): readonly (readonly [OptionName, Given])[] {
  const values = new Map<OptionName, Given>();
  let isTold = false;
  for (const entry of countingEntries(entries, network, notes)) {
    for (const { name, texts, said } of convert(entry)) {
      if (said?.kind === 'problem') problems.push(`${entry.place}: ${entry.key}: ${said.text}`);
      if (said?.kind === 'note' && !isTold) notes.push(`${entry.place}: ${entry.key} is not used: ${said.text}`);
      isTold ||= said?.kind === 'note';
      if (name === undefined) continue;
      const value: Given = { texts, origin: { kind, place: entry.place } };
      const before = values.get(name);
      values.set(name, before === undefined ? value : joined(before, value));
    }
  }
  return [...values];
}

type Outcome = {
  readonly name?: OptionName;
  readonly texts: readonly string[];
  readonly said?: { readonly kind: 'problem' | 'note'; readonly text: string };
};

function convert({ meaning, texts: [text = ''], key, isNegated }: Named): readonly Outcome[] {
  if (meaning.kind !== 'honoured') return [];
  if (isNegated && meaning.negated === 'refused') {
    return [{ texts: [], said: { kind: 'problem', text: 'it cannot be negated; leave it out' } }];
  }
  try {
    const converted = meaning.convert(text);
    if ('instead' in converted) return [{ texts: [], said: { kind: 'note', text: converted.instead } }];
    return converted.map(([flag, value]) => {
      const name = optionNamed(flag);
      if (name === undefined) return { texts: [], said: { kind: 'note', text: `there is no --${flag}` } };
      const problem = misfit(name, [value]);
      return problem === undefined ? { name, texts: [value] } : { texts: [], said: { kind: 'problem', text: problem } };
    });
  } catch (error) {
    return [
      { texts: [], said: { kind: 'problem', text: key.endsWith('password') ? 'does not fit' : errorText(error) } },
    ];
  }
}

/** Which of the entries of one key count, in their order. */
function countingEntries(entries: readonly Named[], network: string, notes: string[]): readonly Named[] {
  const [first] = entries;
  if (first?.meaning.kind !== 'honoured') return [];
  const { isList, isNetworkOnly } = first.meaning;
  const own = entries.filter(({ section }) => section === network);
  const top = entries.filter(({ section }) => section === undefined);
  const isPassedOver = isNetworkOnly && network !== 'mainnet';
  if (isPassedOver && own.length === 0 && top[0] !== undefined) {
    notes.push(`${top[0].place}: ${first.key} counts for mainnet alone here; for ${network} it stands in its section`);
  }
  const spans = [own, isPassedOver ? [] : top];
  const counting: Named[] = [];
  for (const span of spans) {
    const lastNegation = span.findLastIndex(({ isNegated }) => isNegated);
    const rest = span.slice(lastNegation + 1);
    if (isList) counting.push(...rest);
    else if (rest[0] !== undefined) return [rest[0]];
    const negation = span[lastNegation];
    if (negation === undefined) continue;
    // `nolisten` says something; of a list of ours nothing is left.
    return counting.length > 0 || first.meaning.negated === 'empty' ? counting : [negation];
  }
  return counting;
}

function joined(before: Given, { texts, origin }: Given): Given {
  return {
    texts: [...before.texts, ...texts],
    origin: { kind: origin.kind, place: [...new Set([...before.origin.place.split(', '), origin.place])].join(', ') },
  };
}
