import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findDeadCode } from '../../../scripts/dead-code.ts';
import { parseSource, type SourceFile } from '../../../scripts/source-scan.ts';

const project = (files: Record<string, string>): SourceFile[] =>
  Object.entries(files).map(([path, text]) => parseSource(path, text));

test('finds planted dead names and files', () => {
  const files = project({
    'src/cli/main.ts': `import { used } from '#util';\nused();`,
    'src/util/index.ts': `export { forgotten, used } from './a.ts';\nexport type { Shape } from './a.ts';`,
    'src/util/a.ts': [
      'export function used(): void {}',
      'export const forgotten = 1;',
      'export const internal = 2;',
      'export type Shape = { a: number };',
      'export type Lonely = 1;',
    ].join('\n'),
    'src/util/orphan.ts': 'export const x = 1; // orphan.ts, x',
  });
  assert.deepEqual(findDeadCode(files, ['src/cli/main.ts']), [
    { path: 'src/util/index.ts', name: 'forgotten' },
    { path: 'src/util/a.ts', name: 'forgotten' },
    { path: 'src/util/a.ts', name: 'internal' },
    { path: 'src/util/a.ts', name: 'Lonely' },
    { path: 'src/util/orphan.ts', name: undefined },
  ]);
});

test('a worker, a dynamic import, an entry and a test are users', () => {
  const files = project({
    'src/cli/main.ts': `new Worker(new URL('./worker.ts', import.meta.url));\nconst lazy = await import('./lazy.ts');`,
    'src/cli/worker.ts': 'export const a = 1;',
    'src/cli/lazy.ts': 'export const b = 1;',
    'src/util/index.ts': `export * from './c.ts';`,
    'src/util/c.ts': 'export const c = 1;',
    'src/util/d.ts': 'export const d = 1;',
    'test/unit/d.test.ts': `import { d } from '../../src/util/d.ts';`,
  });
  assert.deepEqual(findDeadCode(files, ['src/cli/main.ts', 'src/util/index.ts']), []);
});
