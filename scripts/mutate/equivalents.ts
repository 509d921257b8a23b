/**
 * Mutants that no test can kill, because they change nothing that anybody can observe but speed. equivalents.txt lists
 * them with the argument; they are left out of the share. An entry that matches no mutant is reported: the code has
 * moved on.
 */
import { readFileSync } from 'node:fs';
import type { Mutant } from './mutants.ts';

export type Equivalent = Pick<Mutant, 'path' | 'original' | 'mutated'> & {
  /** Why the change is none. */
  readonly why: string;
};

export function readEquivalents(): Equivalent[] {
  return parseEquivalents(readFileSync(new URL('./equivalents.txt', import.meta.url), 'utf8'));
}

/** `path: why`, then as reports print it `- original` and `+ mutated`, one or more for each original. */
export function parseEquivalents(text: string): Equivalent[] {
  const found: Equivalent[] = [];
  let head = { path: '', why: '' };
  let original = '';
  for (const line of text.split('\n')) {
    const rest = line.slice(2);
    if (line.startsWith('- ')) original = rest;
    else if (line.startsWith('+ ')) found.push({ ...head, original, mutated: rest });
    else if (line.startsWith('src/')) {
      const [path = '', why = ''] = line.split(/: (.*)/);
      head = { path, why };
    } else if (line !== '' && !line.startsWith('#')) throw new Error(`equivalents.txt: "${line}"?`);
  }
  return found;
}

/** Finds the entry for a mutant, and remembers which entries were found. */
export class EquivalentList {
  readonly #entries = new Map<string, Equivalent>();
  readonly #unmatched = new Set<Equivalent>();

  constructor(entries: readonly Equivalent[]) {
    for (const entry of entries) {
      this.#entries.set(keyOf(entry), entry);
      this.#unmatched.add(entry);
    }
  }

  has(mutant: Mutant): boolean {
    const entry = this.#entries.get(keyOf(mutant));
    if (entry !== undefined) this.#unmatched.delete(entry);
    return entry !== undefined;
  }

  /** Entries for these files that matched nothing yet. */
  stale(isAsked: (path: string) => boolean): string[] {
    const left = [...this.#unmatched].filter(({ path }) => isAsked(path));
    return left.map(({ path, original, mutated }) => `${path}\n  - ${original}\n  + ${mutated}`);
  }
}

function keyOf({ path, original, mutated }: Pick<Mutant, 'path' | 'original' | 'mutated'>): string {
  return `${path}\n${original}\n${mutated}`;
}
