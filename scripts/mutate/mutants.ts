/** All mutants of a source: copies of it with one small change each, in the order of their places. */
import { applyChange, type Change } from './change.ts';
import { Code } from './code.ts';
import { type Edit, OPERATORS } from './operators.ts';
import { isWellFormed } from './tokens.ts';

export type Mutant = Change & {
  /** Of the source, relative to the root, with forward slashes. */
  readonly path: string;
  readonly line: number;
  /** The line (or lines, joined) with the change, without and with it. */
  readonly original: string;
  readonly mutated: string;
};

/** Changes that leave no program are left out; they would be found by loading the file, not by a test. */
export function mutantsOf(path: string, source: string): Mutant[] {
  const code = new Code(source);
  const edits = code.tokens.flatMap((_, at) => OPERATORS.flatMap((operator) => operator(code, at)));
  const mutants = edits.map((edit) => describe(path, source, code, edit));
  // Two operators may find the same change.
  const seen = new Set([source]);
  return mutants.filter((mutant) => {
    const result = applyChange(source, mutant);
    if (seen.has(result)) return false;
    seen.add(result);
    return isWellFormed(result);
  });
}

function describe(path: string, source: string, code: Code, { first, end, text }: Edit): Mutant {
  const { from } = code.at(first);
  const { to } = code.at(end - 1);
  const lineStart = source.lastIndexOf('\n', from) + 1;
  const lineEnd = (source.indexOf('\n', to) + source.length + 1) % (source.length + 1);
  const original = source.slice(lineStart, lineEnd);
  const mutated = source.slice(lineStart, from) + text + source.slice(to, lineEnd);
  const line = source.slice(0, from).split('\n').length;
  return { path, line, original: squeeze(original), mutated: squeeze(mutated), from, to, text };
}

function squeeze(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
