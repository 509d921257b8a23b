/**
 * The tokens of a TypeScript source that are code: no comments, no types, no contents of strings. Types are blanked
 * out by the stripper that Node.js itself uses, comments and strings by the scanner of the other checks. Both keep
 * every offset, so a token's place is its place in the file.
 */
import { stripTypeScriptTypes } from 'node:module';
import { parseSource } from '../source-scan.ts';

export type Token = {
  readonly kind: 'name' | 'number' | 'string' | 'mark';
  /** As in the file; a string with its quotes. */
  readonly text: string;
  readonly from: number;
  readonly to: number;
};

const TOKEN = new RegExp(
  [
    /(?<string>'[^'\n]*'|"[^"\n]*"|\/ +\/[a-z]*)/,
    /(?<number>0[xX][\da-fA-F_]+n?|\d[\d_]*(?:\.\d+)?n?)/,
    /(?<open>\$\{)/,
    /(?<name>[#\w$]+)/,
    /(?<mark>>>>=|\.\.\.|===|!==|>>>|\*\*=|<<=|>>=|&&=|\|\|=|\?\?=)/,
    /(?<pair>=>|==|!=|<=|>=|&&|\|\||\?\?|\?\.|\+\+|--|[-+*/%&|^]=|<<|>>|\*\*)/,
    /(?<single>[^\s])/,
  ]
    .map((part) => part.source)
    .join('|'),
  'g',
);

export function tokensOf(source: string): Token[] {
  const { bare } = parseSource('', stripTypes(source));
  return [...bare.matchAll(TOKEN)].map(({ 0: { length }, index: from, groups = {} }) => {
    const { string, number, name } = groups;
    const kind =
      string !== undefined ? 'string' : number !== undefined ? 'number' : name !== undefined ? 'name' : 'mark';
    return { kind, text: source.slice(from, from + length), from, to: from + length };
  });
}

/** Whether Node.js would load it. */
export function isWellFormed(source: string): boolean {
  try {
    stripTypes(source);
    return true;
  } catch {
    return false;
  }
}

/** Without the warning that this function of Node.js may still change. */
function stripTypes(source: string): string {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return stripTypeScriptTypes(source);
  } finally {
    process.emitWarning = emitWarning;
  }
}

const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}', '${': '}' };

/** For each bracket the index of its partner, for other tokens -1. */
export function partnersOf(tokens: readonly Token[]): number[] {
  const partners = tokens.map(() => -1);
  const open: number[] = [];
  for (const [at, { kind, text }] of tokens.entries()) {
    if (kind !== 'mark') continue;
    if (text in CLOSING) open.push(at);
    else if (text === ')' || text === ']' || text === '}') {
      const start = open.pop() ?? -1;
      partners[at] = start;
      if (start >= 0) partners[start] = at;
    }
  }
  return partners;
}
