/** What the documents tell people to type exists: commands, flags and their values, methods and their parameters, scripts. */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { convertNamed, convertPositional, RPC_METHODS, writeJson } from '#rpc';
import { BENCHMARKS } from '../../../scripts/bench/all.ts';
import { TARGETS } from '../../../scripts/fuzz/targets.ts';
import type { CommandRow } from '../../../src/cli/command-row.ts';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { variableOf } from '../../../src/cli/config/environment.ts';
import { manualMarkdown } from '../../../src/cli/manual.ts';
import { type CommandName, type OptionRow, takes } from '../../../src/cli/option-row.ts';
import { OPTIONS } from '../../../src/cli/options.ts';
import { bindParams } from '../../../src/rpc/table/bind-params.ts';
import {
  DOCUMENTS,
  inlineCode,
  isPlaceholder,
  npmLines,
  ROOT,
  readDocument,
  starlingLines,
  wordsOf,
} from '../../support/documents.ts';

const ROWS = Object.values<OptionRow<unknown>>(OPTIONS);
const SCRIPTS: Readonly<Record<string, string>> = JSON.parse(readDocument('package.json')).scripts;
const PHASES = ['lint', 'types', 'dead-code', 'unit', 'vectors', 'sim', 'integration', 'e2e', 'check', 'all'];
/** npm's own commands that are named. */
const OF_NPM = ['ci', 'pack', 'install'];

/** What is wrong with a command line of ours, or undefined. */
function wrongLine(words: readonly string[]): string | undefined {
  const [name = '', ...rest] = words;
  if (name === '' || name === 'help' || isPlaceholder(name) || /^--(help|version)$/.test(name)) return undefined;
  const row = (COMMANDS as Readonly<Record<string, CommandRow>>)[name];
  if (row === undefined) return `there is no command ${name}`;
  const given: string[] = [];
  const flags = new Set<string>();
  for (let at = 0; at < rest.length; at++) {
    const word = rest[at] ?? '';
    if (!word.startsWith('--') || (row.passesOn === true && given.length > 0)) given.push(word);
    else if (word !== '--help') {
      const option = ROWS.find(({ flag }) => word === `--${flag}`);
      if (option === undefined || !takes(option, name as CommandName)) return `${name} has no flag ${word}`;
      flags.add(word);
      const wrong = option.value === undefined ? undefined : wrongValue(option, rest[++at]);
      if (wrong !== undefined) return wrong;
    }
  }
  return wrongArguments(row, given) ?? (name === 'rpc' ? wrongCall(given, flags.has('--named')) : undefined);
}

function wrongValue(option: OptionRow<unknown>, text: string | undefined): string | undefined {
  if (text === undefined) return `--${option.flag} lacks its value`;
  if (isPlaceholder(text) || text.split('|').every(isPlaceholder)) return undefined;
  try {
    option.parse([text]);
    return undefined;
  } catch (error) {
    return `--${option.flag}: ${String(error)}`;
  }
}

function wrongArguments({ args, words }: CommandRow, given: readonly string[]): string | undefined {
  const notations = Object.keys(args);
  const least = notations.filter((notation) => notation.startsWith('<')).length;
  const most = notations.some((notation) => notation.includes('...')) ? Number.POSITIVE_INFINITY : notations.length;
  // Named without its arguments in running text: `starling import`.
  if (given.length > 0 && given.length < least) return 'an argument is missing';
  if (given.length > most) return `${given[most]} is one argument too many`;
  const unknown = given[0]
    ?.split('|')
    .find((word) => words !== undefined && !isPlaceholder(word) && !words.includes(word));
  return unknown === undefined ? undefined : `${unknown} is none of ${words?.join(', ')}`;
}

function wrongCall([name = '', ...params]: readonly string[], isNamed: boolean): string | undefined {
  if (name === '' || isPlaceholder(name)) return undefined;
  const method = RPC_METHODS.find((each) => each.name === name);
  if (method === undefined) return `there is no method ${name}`;
  try {
    const converted = isNamed ? convertNamed(method, params) : convertPositional(method, params);
    bindParams(method, JSON.parse(writeJson(converted)));
    return undefined;
  } catch (error) {
    return `${name}: ${String(error)}`;
  }
}

/** The flags that a script of `npm run` reads. */
function flagsOfScript(script: string): readonly string[] {
  const [, file = ''] = /^node (scripts\/\S+)/.exec(SCRIPTS[script] ?? '') ?? [];
  const source = readFileSync(join(ROOT, file), 'utf8');
  return [...source.matchAll(/^ +'?([\w-]+)'?: \{ type: '(?:string|boolean)'|(?<=[{,] )'?([\w-]+)'?: \{ type:/gm)].map(
    ([, a, b]) => `--${a ?? b}`,
  );
}

function wrongNpm([, word = '', ...rest]: readonly string[]): string | undefined {
  if (OF_NPM.includes(word) || (word === 'run' && rest.length === 0)) return undefined;
  const [name = '', ...args] = word === 'run' ? rest : [word, ...rest];
  if (word !== 'run' && !['start', 'test'].includes(name)) return `npm has no command ${name}`;
  if (!(name in SCRIPTS)) return `there is no script ${name}`;
  const [dashes, ...own] = args;
  if (dashes === undefined) return undefined;
  if (dashes !== '--') return `${name}: npm keeps ${dashes} for itself: -- goes before it`;
  if (name === 'test') return own.find((each) => !PHASES.includes(each) && !existsSync(join(ROOT, each)));
  const known = flagsOfScript(name);
  const names = { bench: BENCHMARKS, fuzz: TARGETS }[name]?.map((each) => each.name);
  const [first] = own;
  if (names !== undefined && first !== undefined && !first.startsWith('--') && !names.includes(first)) {
    return `${name} has no ${first}`;
  }
  return own.find((each) => each.startsWith('--') && !known.includes(each));
}

test('commands in the documents have commands, flags, values and arguments that exist', () => {
  let lines = 0;
  for (const document of DOCUMENTS) {
    for (const words of starlingLines(readDocument(document))) {
      lines++;
      assert.equal(wrongLine(words), undefined, `${document}: starling ${words.join(' ')}`);
    }
  }
  assert.ok(lines > 40, `${lines} command lines`);
});

test('so do the examples of help and manual', () => {
  const lines = Object.values(COMMANDS).flatMap(({ examples }) => examples.map(([command]) => command));
  const inShell = starlingLines(`\`\`\`sh\n${lines.join('\n')}\n\`\`\``);
  assert.equal(inShell.length, lines.length);
  for (const words of inShell) assert.equal(wrongLine(words), undefined, words.join(' '));
  for (const words of starlingLines(manualMarkdown(COMMANDS)))
    assert.equal(wrongLine(words), undefined, words.join(' '));
});

test('so do the comments of what is in config/', () => {
  const files = globSync('config/{docker,prometheus,systemd}/*', { cwd: ROOT });
  const commands = files.flatMap((file) =>
    [...readDocument(file).matchAll(/^# {3}(\S.*)$/gm)].map(([, line = '']) => [file, line] as const),
  );
  assert.ok(commands.length >= 8);
  for (const [file, line] of commands) {
    for (const words of starlingLines(`\`${line}\``)) assert.equal(wrongLine(words), undefined, `${file}: ${line}`);
    for (const word of wordsOf(line)) {
      // Below a folder of the package, from the root of a clone, or beside the file.
      const path = /^(?:.*\/starling-node\/)?(config\/\S+)$/.exec(word)?.[1];
      if (path !== undefined) assert.ok(existsSync(join(ROOT, path)), `${file}: ${line}`);
      const beside = /^--config\.file=(\S+)$/.exec(word)?.[1];
      if (beside !== undefined) assert.ok(existsSync(join(ROOT, file, '..', beside)), `${file}: ${line}`);
    }
  }
});

test('npm commands in the documents name scripts, phases, files and flags that exist', () => {
  for (const document of DOCUMENTS) {
    for (const words of npmLines(readDocument(document))) {
      assert.equal(wrongNpm(words), undefined, `${document}: ${words.join(' ')}`);
    }
  }
});

test('flags in running text exist, with values that fit', () => {
  const ofScripts = Object.keys(SCRIPTS).flatMap((name) =>
    SCRIPTS[name]?.includes('scripts/') ? flagsOfScript(name) : [],
  );
  assert.ok(ofScripts.includes('--minutes') && ofScripts.includes('--cases') && ofScripts.includes('--long'));
  for (const document of DOCUMENTS) {
    const flags = inlineCode(readDocument(document)).filter((code) => code.startsWith('--'));
    for (const code of flags) {
      const words = wordsOf(code);
      for (const [at, word] of words.entries()) {
        if (!word.startsWith('--') || word === '--help') continue;
        const option = ROWS.find(({ flag }) => word === `--${flag}`);
        if (option === undefined) assert.ok(ofScripts.includes(word), `${document}: ${code}`);
        else if (words.length > 1 && option.value !== undefined) {
          assert.equal(wrongValue(option, words[at + 1]), undefined, `${document}: ${code}`);
        }
      }
    }
  }
});

test('variables in the documents are those of flags', () => {
  const known = new Set(ROWS.map(({ flag }) => variableOf(flag)));
  // Of tests and benchmarks, and of container platforms.
  const others = [
    'STARLING_ALL_VECTORS',
    'STARLING_BENCH_CACHE',
    'STARLING_LONG',
    'STARLING_SIM_SEEDS',
    'STARLING_SERVICE_HOST',
    'STARLING_',
  ];
  for (const document of DOCUMENTS) {
    for (const [name] of readDocument(document).matchAll(/STARLING_[A-Z_]*/g)) {
      assert.ok(known.has(name) || others.includes(name), `${document}: ${name}`);
    }
  }
});

test('links between documents lead somewhere', () => {
  for (const document of DOCUMENTS) {
    for (const [, target = ''] of readDocument(document).matchAll(/\]\((?!https?:)([^)#]+)/g)) {
      assert.ok(existsSync(join(ROOT, document, '..', target)), `${document} links to ${target}`);
    }
  }
});

test('what is wrong is found', () => {
  const wrong = (line: string): string | undefined => wrongLine(wordsOf(line));
  assert.match(wrong('nod') ?? '', /no command/);
  assert.match(wrong('node --prun 1') ?? '', /no flag --prun/);
  assert.match(wrong('node --once') ?? '', /no flag --once/);
  assert.match(wrong('node --prune many') ?? '', /--prune: .*"many" does not fit/);
  assert.match(wrong('node --prune') ?? '', /lacks its value/);
  assert.match(wrong('node x') ?? '', /too many/);
  assert.match(wrong('config look') ?? '', /none of show, check/);
  assert.match(wrong('rpc getblok') ?? '', /no method/);
  assert.match(wrong('rpc getblockhash') ?? '', /getblockhash/);
  assert.match(wrong('rpc --named getblockhash heigt=0') ?? '', /Unknown named parameter/);
  assert.equal(wrong('rpc getblockhash -1'), undefined);
  const npm = (line: string): string | undefined => wrongNpm(wordsOf(line));
  assert.match(npm('npm run chek') ?? '', /no script/);
  assert.match(npm('npm test unit') ?? '', /-- goes before/);
  assert.equal(npm('npm test -- test/unit/none.test.ts'), 'test/unit/none.test.ts');
  assert.equal(npm('npm run fuzz -- engines --case 1'), '--case');
  assert.match(npm('npm run bench -- idb') ?? '', /no idb/);
});
