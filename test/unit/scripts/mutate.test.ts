/** The mutation runner: which places it changes, and what it says of a killed, an endless and a surviving mutant. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { applyChange } from '../../../scripts/mutate/change.ts';
import { EquivalentList, parseEquivalents, readEquivalents } from '../../../scripts/mutate/equivalents.ts';
import { type Mutant, mutantsOf } from '../../../scripts/mutate/mutants.ts';
import { reportText } from '../../../scripts/mutate/report.ts';
import { runMutants } from '../../../scripts/mutate/run.ts';
import { stagesFor } from '../../../scripts/mutate/stages.ts';
import { makeTempDir } from '../../support/temp-dir.ts';

/** The changed lines for the statement, as `function f() { … }` around it. */
function changes(statement: string): string[] {
  return mutantsOf('a.ts', `function f(a: number, b: number) {\n${statement}\n}\n`).map(({ mutated }) => mutated);
}

test('each operator, on a line of its own', () => {
  const rows: readonly (readonly [line: string, changed: readonly string[]])[] = [
    ['g(a < b);', ['g(a <= b);', 'g(a >= b);', ';']],
    ['return a !== b;', ['return a === b;']],
    ['return a - b;', ['return a + b;']],
    ['return a >>> b;', ['return a >> b;', 'return a << b;']],
    ['return !a;', ['return a;']],
    ['return -a;', ['return a;']],
    ['return 0x10;', ['return 0x11;', 'return 0xf;']],
    ['return 0n;', ['return 1n;', 'return (-1n);']],
    ['return 1_000;', ['return 1001;', 'return 999;']],
    ['return Math.min(a, b);', ['return Math.max(a, b);']],
    ['return a && b;', ['return a || b;', 'return a ;', 'return b;']],
    ['return g(a) ?? g(b) ?? h();', ['return g(a) ?? h();', 'return g(b) ?? h();', 'return g(a) ?? g(b) ;']],
    ['return a ?? b;', []],
    ['if (a) return b;', ['if (true) return b;', 'if (false) return b;']],
    ['while (a) g();', ['while (false) g();', 'while (a) ;']],
    ['return a ? b : g;', ['return true ? b : g;', 'return false ? b : g;']],
    [`return g('bad-cb-height', 'a text');`, [`return g('mutant', 'a text');`]],
    [`return 'SIG_DER';`, [`return 'mutant';`]],
    ['for (const x of [a, b]) return x;', ['for (const x of [ b]) return x;', 'for (const x of [a, ]) return x;']],
    ['return { [a]: b, [b]: a };', ['return { [b]: a };', 'return { [a]: b, };']],
    ['a += b;', ['a -= b;', ';']],
    ['a++;', ['a--;', ';']],
  ];
  for (const [line, changed] of rows) assert.deepEqual(changes(line).sort(), [...changed].sort(), line);
});

test('comments, strings, types, imports and loop counters stay as they are', () => {
  const source = [
    `import { type A, b } from './b.ts'; // a < b`,
    '/* 1 + 2 */',
    'type Pair = 1 | 2;',
    'interface Shape { readonly size: 3; readonly next?: Map<string, 4>; }',
    `const text: 5 | '6' = b as 5;`,
    `const words = 'if (a < 1) return';`,
    'const pattern = /a+b{1,2}/;',
    'const template = `1 < 2`;',
    'for (const i of b) for (;; i++) b<7>(i as 8);',
  ].join('\n');
  assert.deepEqual(
    mutantsOf('a.ts', source).map(({ mutated }) => mutated),
    ['for (const i of b) for (;; i++) ;'],
  );
});

test('a mutant is one change of the source, which still loads', () => {
  const source = 'export function f(a: number): boolean {\n  return a < 2 && a >= 1;\n}\n';
  const [first] = mutantsOf('src/a.ts', source);
  assert.ok(first !== undefined);
  assert.deepEqual([first.path, first.line], ['src/a.ts', 2]);
  assert.equal(first.original, 'return a < 2 && a >= 1;');
  assert.equal(applyChange(source, first), source.replace('a < 2', 'a <= 2'));
  // `async` without an argument list is no function any more.
  for (const mutant of mutantsOf('a.ts', 'const f = async (a = [1, 2]) => -1;'))
    assert.doesNotMatch(mutant.mutated, /--/);
});

test('equivalents are told from the rest; an entry that matches nothing is stale', () => {
  const [mutant] = mutantsOf('src/a.ts', 'f(a < 2);');
  assert.ok(mutant !== undefined);
  const entries = parseEquivalents('# about\n\nsrc/a.ts: a is: whole\n- f(a < 2);\n+ f(a <= 2);\n+ f(a < (-3));\n');
  assert.deepEqual(
    entries.map(({ path, why }) => `${path} ${why}`),
    ['src/a.ts a is: whole', 'src/a.ts a is: whole'],
  );
  const list = new EquivalentList(entries);
  assert.equal(list.has(mutant), true);
  assert.equal(list.has({ ...mutant, path: 'src/b.ts' }), false);
  assert.deepEqual(
    list.stale(() => true),
    ['src/a.ts\n  - f(a < 2);\n  + f(a < (-3));'],
  );
  assert.deepEqual(
    list.stale((path) => path === 'src/b.ts'),
    [],
  );
  assert.throws(() => parseEquivalents('f(a < 2);'), /equivalents.txt/);
});

test('every listed equivalent has an argument', () => {
  for (const { path, original, why } of readEquivalents()) {
    assert.ok(path.endsWith('.ts') && original !== '' && why.length > 10, `${path}: ${original}`);
  }
});

test('tests of a source’s own come first', () => {
  const [own = [], ...others] = stagesFor(process.cwd(), 'src/consensus/pow.ts');
  assert.deepEqual(own, ['test/unit/consensus/pow.test.ts']);
  assert.ok(others.length >= 2 && others.every((stage) => stage.length > 0));
});

const SAMPLE = `export function clamp(value: number): number {
  if (value > 10) return 10;
  return value;
}
export function count(limit: number): number {
  let i = 0;
  while (i < limit) i++;
  return i;
}
`;
const SAMPLE_TEST = `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clamp, count } from '../src/sample.ts';
test('clamp', () => assert.equal(clamp(11), 10));
test('count', () => assert.equal(count(2), 2));
`;

test('a run: killed, endless and surviving mutants, and the text about them', async () => {
  await using dir = await makeTempDir();
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(dir.path, path)), { recursive: true });
    writeFileSync(join(dir.path, path), text);
  };
  write('package.json', '{"type":"module"}');
  write('src/sample.ts', SAMPLE);
  write('test/sample.test.ts', SAMPLE_TEST);
  const all = mutantsOf('src/sample.ts', SAMPLE);
  const chosen = ['if (value >= 10) return 10;', 'if (false) return 10;', 'while (i < limit) i--;'].map((mutated) =>
    all.find((mutant) => mutant.mutated === mutated),
  );
  assert.ok(chosen.every((mutant) => mutant !== undefined));
  const mutants = chosen.filter((mutant): mutant is Mutant => mutant !== undefined);
  let seen = 0;
  const run = { root: dir.path, mutants, stagesFor: () => [['test/sample.test.ts']], jobs: 2, minCpuSeconds: 1 };
  const results = await runMutants({ ...run, onResult: () => seen++ });
  assert.equal(seen, 3);
  assert.deepEqual(
    results.map(({ outcome }) => `${outcome.kind} ${outcome.kind === 'killed' ? outcome.by : ''}`),
    ['survived ', 'killed test/sample.test.ts: clamp', 'timeout '],
  );
  assert.equal(
    reportText(results, 4, ['x']),
    [
      'survived src/sample.ts:2',
      '  - if (value > 10) return 10;',
      '  + if (value >= 10) return 10;',
      'stale entry in equivalents.txt: x',
      '3 mutants: 2 killed (1 by timeout), 1 survived: 66.67 % killed; 4 equivalent, not counted',
    ].join('\n'),
  );
  write('test/sample.test.ts', SAMPLE_TEST.replace('count(2), 2', 'count(2), 3'));
  await assert.rejects(runMutants({ ...run, onResult: () => {} }), /without a mutant the tests fail: .*count/);
});
