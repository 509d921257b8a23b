/**
 * Reads TypeScript sources as text, without a compiler: enough to know who imports what, which names a file
 * exports, and how long its functions are. The architecture test and the dead-code check stand on it.
 *
 * Invariants: masking keeps every line break and every offset, so that positions found in masked text are
 * positions of the file. Type imports count as imports.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';

export type SourceFile = {
  /** Relative to the root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  /** Comments blanked out. */
  readonly code: string;
  /** Comments and the contents of strings, templates and regular expressions blanked out. */
  readonly bare: string;
};

export type Import = {
  readonly specifier: string;
  /** Names taken from it; `*` for all of them (namespace, dynamic, side effect, worker URL). */
  readonly names: readonly string[];
  readonly kind: 'import' | 'export' | 'dynamic' | 'worker';
};

export type FunctionSpan = { readonly line: number; readonly lines: number };

/** Every .ts, .tsx and .mjs file under the folders, sorted. */
export function readSources(root: string, folders: readonly string[]): SourceFile[] {
  const files: SourceFile[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => a.name.localeCompare(b.name))) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) walk(path);
      else if (/\.(tsx?|mjs)$/.test(entry.name)) {
        files.push(parseSource(relative(root, path).split(sep).join('/'), readFileSync(path, 'utf8')));
      }
    }
  };
  for (const folder of folders) walk(join(root, folder));
  return files;
}

export function parseSource(path: string, text: string): SourceFile {
  return { path, text, code: mask(text, false), bare: mask(text, true) };
}

/** Not `<`, which is no comparison with a regular expression but the end of a JSX element: `</p>`. */
const REGEX_MAY_FOLLOW = /(?:^|[(,=:[!&|?{};+\-*%~^>]|\b(?:return|typeof|case|in|of|do|else|void|await|yield))\s*$/;

/** Blanks out comments and, if asked, what stands between quotes. */
function mask(text: string, alsoStrings: boolean): string {
  const out = text.split('');
  const blank = (from: number, to: number): void => {
    for (let i = from; i < to; i++) if (out[i] !== '\n') out[i] = ' ';
  };
  // Each open template literal remembers how many braces are open inside its current `${`.
  const templates: number[] = [];
  let i = 0;
  const string = (from: number, to: number): void => {
    if (alsoStrings) blank(from, to);
  };
  const template = (from: number): number => {
    let at = from;
    while (at < text.length && text[at] !== '`') {
      if (text[at] === '$' && text[at + 1] === '{') {
        string(from, at);
        templates.push(0);
        return at + 2;
      }
      at += text[at] === '\\' ? 2 : 1;
    }
    string(from, at);
    return at + 1;
  };
  while (i < text.length) {
    const char = text.charAt(i);
    const next = text.charAt(i + 1);
    const open = templates.at(-1);
    if (char === '/' && next === '/') {
      const end = indexOrEnd(text, '\n', i);
      blank(i, end);
      i = end;
    } else if (char === '/' && next === '*') {
      const end = indexOrEnd(text, '*/', i + 2) + 2;
      blank(i, Math.min(end, text.length));
      i = end;
    } else if (char === "'" || char === '"') {
      const end = closing(text, i + 1, char);
      string(i + 1, end);
      i = end + 1;
    } else if (char === '`') {
      i = template(i + 1);
    } else if (char === '/' && next !== '>' && REGEX_MAY_FOLLOW.test(out.slice(Math.max(0, i - 40), i).join(''))) {
      const end = closingRegex(text, i + 1);
      string(i + 1, end);
      i = end + 1;
    } else if (open !== undefined && char === '}' && open === 0) {
      templates.pop();
      i = template(i + 1);
    } else {
      if (open !== undefined && char === '{') templates[templates.length - 1] = open + 1;
      if (open !== undefined && char === '}') templates[templates.length - 1] = open - 1;
      i++;
    }
  }
  return out.join('');
}

function indexOrEnd(text: string, wanted: string, from: number): number {
  const at = text.indexOf(wanted, from);
  return at === -1 ? text.length : at;
}

function closing(text: string, from: number, quote: string): number {
  let at = from;
  while (at < text.length && text[at] !== quote && text[at] !== '\n') at += text[at] === '\\' ? 2 : 1;
  return at;
}

function closingRegex(text: string, from: number): number {
  let at = from;
  let inClass = false;
  while (at < text.length && text[at] !== '\n' && (inClass || text[at] !== '/')) {
    if (text[at] === '[') inClass = true;
    if (text[at] === ']') inClass = false;
    at += text[at] === '\\' ? 2 : 1;
  }
  return at;
}

const STATIC = /^\s*(import|export)\s+(type\s+)?([\w$*{][\w$*{},\s]*?)\s*\bfrom\s*(['"])([^'"]+)\4/gm;
const SIDE_EFFECT = /^\s*import\s*(['"])([^'"]+)\1/gm;
const DYNAMIC = /\bimport\s*\(\s*(['"])([^'"]+)\1/g;
const WORKER = /\bnew\s+URL\s*\(\s*(['"])(\.[^'"]+\.ts)\1\s*,\s*import\.meta\.url/g;

export function importsOf(file: SourceFile): Import[] {
  const found: Import[] = [];
  for (const [, keyword, , clause = '', , specifier = ''] of file.code.matchAll(STATIC)) {
    found.push({ specifier, names: clauseNames(clause), kind: keyword === 'export' ? 'export' : 'import' });
  }
  for (const [, , specifier = ''] of file.code.matchAll(SIDE_EFFECT)) {
    found.push({ specifier, names: ['*'], kind: 'import' });
  }
  for (const [, , specifier = ''] of file.code.matchAll(DYNAMIC)) {
    found.push({ specifier, names: ['*'], kind: 'dynamic' });
  }
  for (const [, , specifier = ''] of file.code.matchAll(WORKER)) {
    found.push({ specifier, names: ['*'], kind: 'worker' });
  }
  return found;
}

/** `a, { b as c, type d }` gives default, b, d; `* as x` gives *. */
function clauseNames(clause: string): string[] {
  if (clause.includes('*')) return ['*'];
  const braces = /\{([^}]*)\}/.exec(clause)?.[1] ?? '';
  const names = braces
    .split(',')
    .map(
      (item) =>
        item
          .trim()
          .replace(/^type\s+/, '')
          .split(/\s+as\s+/)[0]
          ?.trim() ?? '',
    )
    .filter((name) => name !== '');
  if (/^[\w$]+/.test(clause.trim())) names.push('default');
  return names;
}

const DECLARED =
  /^export\s+(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?(const|let|var|function\*?|class|type|interface)\s+([\w$]+)/gm;
const LISTED = /^export\s+(type\s+)?\{([^}]*)\}/gm;

export type Export = { readonly name: string; readonly isType: boolean };

/** The names a file exports, its re-exports included. */
export function exportsOf(file: SourceFile): Export[] {
  const names = [...file.bare.matchAll(DECLARED)].map(([, keyword = '', name = '']) => ({
    name,
    isType: keyword === 'type' || keyword === 'interface',
  }));
  for (const [, allTypes, list = ''] of file.bare.matchAll(LISTED)) {
    for (const item of list.split(',')) {
      const [, type, name] = /^\s*(type\s+)?(?:[\w$]+\s+as\s+)?([\w$]+)\s*$/.exec(item) ?? [];
      if (name !== undefined) names.push({ name, isType: (type ?? allTypes) !== undefined });
    }
  }
  return names;
}

/** The file that a specifier means (`#name` or relative), or undefined for a package or a built-in module. */
export function resolveImport(from: string, specifier: string): string | undefined {
  if (specifier.startsWith('#')) return `src/${specifier.slice(1)}/index.ts`;
  if (!specifier.startsWith('.')) return undefined;
  return relative('/', resolve('/', dirname(from), specifier))
    .split(sep)
    .join('/');
}

/** Every function, method and arrow function with a body, nested ones included, with its length in lines. */
export function functionSpans(file: SourceFile): FunctionSpan[] {
  const { bare } = file;
  const spans: FunctionSpan[] = [];
  const lineOf = lineCounter(bare);
  for (let at = bare.indexOf('{'); at !== -1; at = bare.indexOf('{', at + 1)) {
    if (!opensFunction(bare, at)) continue;
    const line = lineOf(at);
    spans.push({ line, lines: lineOf(matching(bare, at)) - line + 1 });
  }
  return spans;
}

function opensFunction(bare: string, brace: number): boolean {
  const before = bare.slice(Math.max(0, brace - 400), brace).trimEnd();
  if (before.endsWith('=>')) return true;
  if (before.endsWith(')')) return !isControl(bare, bare.lastIndexOf(')', brace - 1));
  // A return type stands between: `): Promise<Map<string, { a: number }>> {`.
  const typed = /\)\s*:\s*(?:asserts\s+)?[\w$.\s<>[\]|&,'"{}?:;()]*$/.exec(before);
  if (typed === null) return false;
  const paren = brace - (bare.slice(Math.max(0, brace - 400), brace).length - typed.index);
  const type = bare.slice(paren + 1, brace).replace(/^\s*:/, '');
  return balanced(type) && type.trim() !== '' && !/[|&<,:]\s*$/.test(type) && !isControl(bare, paren);
}

function balanced(type: string): boolean {
  let depth = 0;
  for (const char of type.replaceAll('=>', '')) {
    if ('<({['.includes(char)) depth++;
    if ('>)}]'.includes(char)) depth--;
    if (depth < 0) return false;
    if (depth === 0 && /[;,?]/.test(char)) return false;
  }
  return depth === 0;
}

/** Whether the parenthesis that ends at `close` belongs to `if (…)` and the like. */
function isControl(bare: string, close: number): boolean {
  let depth = 0;
  for (let i = close; i >= 0; i--) {
    if (bare[i] === ')') depth++;
    if (bare[i] === '(' && --depth === 0) {
      return /\b(?:if|for|while|switch|catch|with|await)\s*$/.test(bare.slice(Math.max(0, i - 12), i));
    }
  }
  return false;
}

function matching(bare: string, open: number): number {
  let depth = 0;
  for (let i = open; i < bare.length; i++) {
    if (bare[i] === '{') depth++;
    if (bare[i] === '}' && --depth === 0) return i;
  }
  return bare.length;
}

function lineCounter(text: string): (offset: number) => number {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  };
}
