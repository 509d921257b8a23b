/** What a run of mutants found, as text. */
import type { Mutant } from './mutants.ts';
import type { Result } from './run.ts';

export function changeText({ path, line, original, mutated }: Mutant): string {
  return `${path}:${line}\n  - ${original}\n  + ${mutated === '' ? '(left out)' : mutated}`;
}

export function reportText(results: readonly Result[], equivalent: number, stale: readonly string[]): string {
  const count = (kind: string): number => results.filter(({ outcome }) => outcome.kind === kind).length;
  const survived = results.filter(({ outcome }) => outcome.kind === 'survived');
  const killed = results.length - survived.length;
  const share = results.length === 0 ? 100 : (killed / results.length) * 100;
  return [
    ...survived.map(({ mutant }) => `survived ${changeText(mutant)}`),
    ...stale.map((entry) => `stale entry in equivalents.txt: ${entry}`),
    `${results.length} mutants: ${killed} killed (${count('timeout')} by timeout), ${survived.length} survived: ` +
      `${share.toFixed(2)} % killed; ${equivalent} equivalent, not counted`,
  ].join('\n');
}
