/** The documents of the project and what they tell people to type. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export const DOCUMENTS: readonly string[] = globSync(
  ['*.md', 'src/**/*.md', 'config/**/*.md', 'scripts/**/*.md', 'test/**/*.md'],
  { cwd: ROOT },
).sort();

export const readDocument = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** The text of the fenced blocks in `language`. */
export function fenced(text: string, language: string): readonly string[] {
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].flatMap(([, name, body]) =>
    name === language ? [body ?? ''] : [],
  );
}

/** What stands between backquotes in a line, outside of fenced blocks. */
export function inlineCode(text: string): readonly string[] {
  const prose = text.replace(/^```[\s\S]*?^```$/gm, '');
  return [...prose.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
}

/** Our ways to call the program: installed, from a clone, in a container. */
const PROGRAM =
  /^(?:starling|node_modules\/\.bin\/node src\/cli\/starling\.ts|docker compose run --rm starling)(?= |$)/;

/** The command lines of a document that start with what `names` finds: of shell blocks and of inline code, without comments. */
function linesOf(text: string, names: RegExp): readonly string[] {
  const blocks = [...fenced(text, 'sh'), ...fenced(text, 'text')].join('\n').replace(/\\\n/g, ' ').split('\n');
  const inner = blocks.flatMap((line) => [line, ...[...line.matchAll(/<\(([^)]*)\)/g)].map(([, each = '']) => each)]);
  return [...inner, ...inlineCode(text)]
    .map((line) => line.trim().replace(/\s+#\s.*$/, ''))
    .filter((line) => names.test(line));
}

/** Words behind the program's name, up to where the shell takes over. */
export function starlingLines(text: string): readonly (readonly string[])[] {
  return linesOf(text, PROGRAM).map((line) => wordsOf(line.replace(PROGRAM, '')));
}

/** `npm …` lines as words. */
export function npmLines(text: string): readonly (readonly string[])[] {
  return linesOf(text, /^npm /).map(wordsOf);
}

/** As a shell parts them; quotes are taken off, redirections and pipes end the command. */
export function wordsOf(line: string): readonly string[] {
  const [command = ''] = line.split(/ (?:[|>]|&&) /);
  return [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? '');
}

/** Stands for something, or is cut: STARLING's own words are in small letters. */
export const isPlaceholder = (word: string): boolean => /…|\.\.\.$/.test(word) || /^[A-Z][A-Z_|=]*$/.test(word);
