/**
 * Which tests look at which source, those that most likely notice a change first: the source's own, those of its
 * module, then vectors and whole blocks.
 */
import { globSync } from 'node:fs';
import type { Stage } from './run-mutant.ts';

/** The folders whose sources are changed. */
export const MUTATED = ['src/consensus', 'src/script'];

const VECTORS = 'test/vectors/{addresses,bip341,script-tests,sighash,tx-tests}.test.ts';
const SLOW_VECTORS = 'test/vectors/{differential,script-assets}.test.ts';
const BLOCKS = 'test/unit/chain/{chain,rules/*}.test.ts';

const LATER_STAGES: Readonly<Record<string, readonly string[]>> = {
  script: [VECTORS, 'test/unit/script/*.test.ts', SLOW_VECTORS, 'test/unit/consensus/*.test.ts', BLOCKS],
  consensus: ['test/unit/consensus/*.test.ts', BLOCKS, VECTORS],
};

/** A source's own tests begin with its name, but for these. */
const OWN_TESTS: Readonly<Record<string, string>> = {
  'script-num': 'numbers',
  parse: 'shapes',
  patterns: 'shapes',
  sigops: 'shapes',
  'find-and-delete': 'shapes',
  bip30: 'activation',
  subsidy: 'activation',
  'script-flags': 'activation',
  'sig-version': 'flags',
  'sighash-type': 'flags',
};

/** Without the stages that have no file. */
export function stagesFor(root: string, path: string): Stage[] {
  const [, module = '', file = ''] = path.split('/');
  const name = file.replace(/\.ts$/, '');
  return [`test/unit/${module}/${OWN_TESTS[name] ?? name}*.test.ts`, ...(LATER_STAGES[module] ?? [])]
    .map((pattern) => globSync(pattern, { cwd: root }).sort())
    .filter((stage) => stage.length > 0);
}
