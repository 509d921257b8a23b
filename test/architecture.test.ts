/**
 * Keeps the layering true: who may import whom, no cycles, libp2p only in `net`, no input or output in the pure
 * modules, size budgets, one index and one README a module, pinned runtime dependencies, no local paths.
 * The rules are data; each is also run against a bad sample that it must reject.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  exportsOf,
  functionSpans,
  importsOf,
  parseSource,
  readSources,
  resolveImport,
  type SourceFile,
} from '../scripts/source-scan.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Module to the modules it may import, in the order of the layers. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  util: [],
  meter: ['util'],
  crypto: ['util'],
  primitives: ['crypto', 'util'],
  script: ['primitives', 'crypto', 'util'],
  descriptor: ['script', 'primitives', 'crypto', 'util'],
  signing: ['descriptor', 'script', 'primitives', 'crypto', 'util'],
  consensus: ['script', 'primitives', 'crypto', 'util'],
  store: ['meter', 'util'],
  verify: ['script', 'primitives', 'crypto', 'meter', 'util'],
  protocol: ['primitives', 'crypto', 'util'],
  chain: ['consensus', 'script', 'verify', 'store', 'primitives', 'crypto', 'meter', 'util'],
  mempool: ['chain', 'consensus', 'script', 'verify', 'primitives', 'crypto', 'meter', 'util'],
  indexes: ['chain', 'consensus', 'script', 'store', 'primitives', 'crypto', 'util'],
  miner: ['mempool', 'chain', 'consensus', 'primitives', 'crypto', 'util'],
  relay: ['mempool', 'chain', 'protocol', 'primitives', 'crypto', 'util'],
  // SipHash, for the places of addresses.
  net: ['protocol', 'crypto', 'meter', 'util'],
  sync: ['chain', 'consensus', 'mempool', 'protocol', 'primitives', 'crypto', 'meter', 'util'],
  node: [
    ...[
      'sync',
      'relay',
      'net',
      'miner',
      'indexes',
      'mempool',
      'chain',
      'protocol',
      'verify',
      'store',
      'consensus',
      'script',
      'primitives',
    ],
    ...['crypto', 'meter', 'util'],
  ],
  rpc: [
    'node',
    'mempool',
    'miner',
    'chain',
    'consensus',
    'signing',
    'descriptor',
    'script',
    'primitives',
    'crypto',
    'util',
  ],
  // What rpc's HTTP listener is made of.
  metrics: ['rpc', 'node', 'mempool', 'indexes', 'chain', 'meter', 'util'],
  zmq: ['node', 'mempool', 'chain', 'primitives', 'util'],
  // What rpc's HTTP listener and its answers are made of; what the next block would take; rules for what a page shows of them.
  dashboard: ['rpc', 'node', 'mempool', 'chain', 'consensus', 'script', 'primitives', 'util'],
  // The chain for import, export and info; the mempool's payer for the devnet's transactions; what --mine is checked by.
  cli: [
    'dashboard',
    'zmq',
    'metrics',
    'rpc',
    'node',
    'miner',
    'mempool',
    'chain',
    'consensus',
    'script',
    'primitives',
    'util',
  ],
};

/** The program itself: nobody imports it, so it has no index. */
const TOP = 'cli';

/** Modules whose files may use nothing of Node.js but what is listed. */
const PURE: Readonly<Record<string, readonly string[]>> = {
  crypto: ['node:crypto', 'node:module'],
  primitives: [],
  script: [],
  descriptor: [],
  signing: [],
  consensus: [],
  protocol: ['node:crypto'],
  sync: [],
  mempool: [],
  relay: [],
};

/** What a file in a pure module must not name: the clock, the console, the process, chance. */
const IMPURE = /\b(?:Date\.now|new Date\(\)|performance\.now|console\.|process\.|setTimeout|setInterval|Math\.random)/;
const IMPURE_EXEMPT = new Set(['crypto', 'sync', 'mempool', 'protocol']);

const LIBP2P =
  /^(?:libp2p$|@libp2p\/|@chainsafe\/libp2p-|@multiformats\/|it-|datastore-|uint8array|interface-datastore)/;

const MAX_FILE_LINES = 500;
const MAX_FUNCTION_LINES = 80;
const MAX_INDEX_NAMES = 30;

/** Files that may be longer, or hold a longer function, and why. */
const LONG_FILES: Readonly<Record<string, string>> = {
  'src/script/interpreter.ts': 'one switch over all opcodes, in the order of Bitcoin Core’s EvalScript',
};

/** What browsers run: it takes types from the contract beside it, and packages that are built into it. */
const PAGE = /^src\/dashboard\/page\//;
const PAGE_CONTRACT = 'src/dashboard/contract.ts';
const PAGE_PACKAGES = ['preact', 'preact/hooks'];

const moduleOf = (path: string): string => path.split('/')[1] ?? '';

function layerViolations(file: SourceFile, layers: typeof LAYERS): string[] {
  const owner = moduleOf(file.path);
  const allowed = layers[owner];
  if (allowed === undefined) return [`${file.path}: module ${owner} has no row in the table of layers`];
  return importsOf(file).flatMap(({ specifier }) => {
    const target = resolveImport(file.path, specifier);
    if (target === undefined) {
      return owner !== 'net' && LIBP2P.test(specifier) ? [`${file.path}: only net may import ${specifier}`] : [];
    }
    if (!target.startsWith('src/')) return [`${file.path}: ${specifier} leaves src/`];
    const other = moduleOf(target);
    if (specifier.startsWith('#')) {
      if (other === owner) return [`${file.path}: import files of your own module relatively, not as ${specifier}`];
      return allowed.includes(other) ? [] : [`${file.path}: ${owner} may not import ${other}`];
    }
    if (other !== owner) return [`${file.path}: import another module as #${other}, not as ${specifier}`];
    return target.endsWith('/index.ts') ? [`${file.path}: import the file, not your own index`] : [];
  });
}

/** The page and the rest of the project share the contract and nothing else. */
function pageViolations(file: SourceFile): string[] {
  const isPage = PAGE.test(file.path);
  return importsOf(file).flatMap(({ specifier }) => {
    const target = resolveImport(file.path, specifier);
    if (!isPage) return PAGE.test(target ?? '') ? [`${file.path}: only browsers run ${specifier}`] : [];
    const isKnown =
      target === undefined ? PAGE_PACKAGES.includes(specifier) : PAGE.test(target) || target === PAGE_CONTRACT;
    return isKnown ? [] : [`${file.path}: browsers cannot have ${specifier}`];
  });
}

function purityViolations(file: SourceFile): string[] {
  const owner = moduleOf(file.path);
  const builtIns = PURE[owner];
  if (builtIns === undefined) return [];
  const found = importsOf(file)
    .filter(({ specifier }) => specifier.startsWith('node:') && !builtIns.includes(specifier))
    .map(({ specifier }) => `${file.path}: ${owner} is pure and may not import ${specifier}`);
  const impure = IMPURE_EXEMPT.has(owner) ? null : IMPURE.exec(file.bare);
  if (impure) found.push(`${file.path}: ${owner} is pure and may not use ${impure[0]}`);
  return found;
}

function budgetViolations(file: SourceFile): string[] {
  if (file.path in LONG_FILES) return [];
  const lines = file.text.trimEnd().split('\n').length;
  const found = lines > MAX_FILE_LINES ? [`${file.path}: ${lines} lines; at most ${MAX_FILE_LINES}`] : [];
  for (const span of functionSpans(file)) {
    if (span.lines > MAX_FUNCTION_LINES) {
      found.push(`${file.path}:${span.line}: a function of ${span.lines} lines; at most ${MAX_FUNCTION_LINES}`);
    }
  }
  return found;
}

/** Cycles between files, index files left out of the path only if nobody imports through them. */
function findCycle(files: readonly SourceFile[]): string[] | undefined {
  const edges = new Map(
    files.map((file) => [
      file.path,
      importsOf(file)
        .filter(({ kind }) => kind !== 'worker')
        .map(({ specifier }) => resolveImport(file.path, specifier))
        .filter((target) => target !== undefined),
    ]),
  );
  const done = new Set<string>();
  const walk = (path: string, trail: readonly string[]): string[] | undefined => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return undefined;
    for (const target of edges.get(path) ?? []) {
      const cycle = walk(target, [...trail, path]);
      if (cycle) return cycle;
    }
    done.add(path);
    return undefined;
  };
  for (const path of edges.keys()) {
    const cycle = walk(path, []);
    if (cycle) return cycle;
  }
  return undefined;
}

function localPaths(path: string, text: string): string[] {
  const patterns = [
    /(?<![\w.~-])\/(?:work|home|root|Users)\/[\w.-]+/g,
    /(?<![\w.~-])\/tmp\/[\w.-]+/g,
    /https?:\/\/[\w.-]*(?:registry|artifactory|mirror|proxy)[\w.-]*/g,
  ];
  return patterns.flatMap((pattern) => (text.match(pattern) ?? []).map((found) => `${path}: ${found}`));
}

/** Every file of the project: what git ignores and what it keeps for itself left out. */
function projectFiles(): string[] {
  const ignored = ['.git', ...readFileSync(join(ROOT, '.gitignore'), 'utf8').split('\n')].map((line) =>
    line.replace('/', ''),
  );
  const walk = (folder: string): string[] =>
    readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
      if (ignored.includes(entry.name) || entry.name.endsWith('.tgz')) return [];
      const path = join(folder, entry.name);
      return entry.isDirectory() ? walk(path) : entry.isFile() ? [path] : [];
    });
  return walk('.');
}

/** Names in the first column of the table "Runtime dependencies" of CONTRIBUTING.md. */
function explainedDependencies(): string[] {
  const text = readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8').split('## Runtime dependencies')[1] ?? '';
  return [...(text.split('\n## ')[0] ?? '').matchAll(/^\| (`.*?`) \| \S/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ''),
  );
}

const sources = readSources(ROOT, ['src']);
const modules = readdirSync(join(ROOT, 'src'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);
const packageJson = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

test('modules import only what the table of layers allows', () => {
  assert.deepEqual(
    sources.flatMap((file) => layerViolations(file, LAYERS)),
    [],
  );
});

test('what browsers run takes the contract and nothing else of the project', () => {
  assert.deepEqual(sources.flatMap(pageViolations), []);
  assert.deepEqual(
    sources.filter(({ path }) => path === PAGE_CONTRACT).flatMap((file) => importsOf(file)),
    [],
  );
});

test('the table of layers has no cycle of its own, and a row and an import name for each module', () => {
  const order = Object.keys(LAYERS);
  for (const [owner, allowed] of Object.entries(LAYERS)) {
    for (const other of allowed) assert.ok(order.indexOf(other) < order.indexOf(owner), `${owner} above ${other}`);
  }
  for (const name of modules) {
    assert.ok(name in LAYERS, `module ${name} has a row`);
    if (name !== TOP) assert.equal(packageJson.imports[`#${name}`], `./src/${name}/index.ts`);
  }
});

test('files import each other without cycles', () => {
  assert.equal(findCycle(sources)?.join(' -> '), undefined);
});

test('pure modules use no clock, disk, network, process or chance', () => {
  assert.deepEqual(sources.flatMap(purityViolations), []);
});

test('files and functions keep their size budgets', () => {
  assert.deepEqual(sources.flatMap(budgetViolations), []);
});

test('each module has a README.md and an index.ts of few names, and no other index', () => {
  for (const name of modules) {
    assert.ok(existsSync(join(ROOT, 'src', name, 'README.md')), `src/${name}/README.md`);
    assert.equal(existsSync(join(ROOT, 'src', name, 'index.ts')), name !== TOP, `src/${name}/index.ts`);
  }
  for (const file of sources.filter(({ path }) => path.endsWith('/index.ts'))) {
    assert.equal(file.path, `src/${moduleOf(file.path)}/index.ts`);
    const count = exportsOf(file).length;
    assert.ok(count <= MAX_INDEX_NAMES, `${file.path} exports ${count} names; at most ${MAX_INDEX_NAMES}`);
  }
});

test('runtime dependencies are pinned, and CONTRIBUTING.md says why each is needed', () => {
  const { dependencies = {}, optionalDependencies = {} } = packageJson;
  const actual: Record<string, string> = { ...dependencies, ...optionalDependencies };
  assert.deepEqual(explainedDependencies().sort(), Object.keys(actual).sort());
  for (const [name, version] of Object.entries(actual)) {
    assert.match(version, /^\d+\.\d+\.\d+$/, `${name} is pinned to one version`);
  }
});

test('every package that src/ imports is declared', () => {
  const declared = Object.keys({ ...packageJson.dependencies, ...packageJson.optionalDependencies });
  for (const name of PAGE_PACKAGES) assert.ok((name.split('/')[0] ?? '') in packageJson.devDependencies, name);
  for (const file of sources.filter(({ path }) => !PAGE.test(path))) {
    for (const { specifier } of importsOf(file)) {
      if (resolveImport(file.path, specifier) !== undefined || specifier.startsWith('node:')) continue;
      const name = specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/');
      assert.ok(declared.includes(name), `${file.path}: ${name} is not a declared dependency`);
    }
  }
});

test('no file names a path of somebody’s machine or a package registry', () => {
  const found = projectFiles().flatMap((path) => localPaths(path, readFileSync(join(ROOT, path), 'utf8')));
  assert.deepEqual(found, []);
});

test('every path that src/README.md names exists', () => {
  const text = readFileSync(join(ROOT, 'src/README.md'), 'utf8');
  const paths = [...text.matchAll(/`((?:src|test|config|scripts)\/[\w./-]+)`/g)].map((match) => match[1] ?? '');
  assert.ok(paths.length > 10);
  for (const path of paths) assert.ok(existsSync(join(ROOT, path)), `src/README.md names ${path}`);
});

test('each rule rejects a bad sample', () => {
  const bad = (path: string, text: string): SourceFile => parseSource(path, text);
  const layer = (path: string, text: string): number => layerViolations(bad(path, text), LAYERS).length;
  assert.equal(layer('src/chain/a.ts', `import type { Net } from '#net';`), 1);
  assert.equal(layer('src/chain/a.ts', `import { x } from '../net/host.ts';`), 1);
  assert.equal(layer('src/chain/a.ts', `export { x } from './index.ts';`), 1);
  assert.equal(layer('src/chain/a.ts', `const x = await import('libp2p');`), 1);
  assert.equal(layer('src/unknown/a.ts', ''), 1);
  assert.equal(layer('src/chain/a.ts', `// import { x } from '#net';\nimport { y } from './b.ts';`), 0);
  assert.equal(purityViolations(bad('src/consensus/a.ts', `import { readFileSync } from 'node:fs';`)).length, 1);
  assert.equal(purityViolations(bad('src/consensus/a.ts', 'const t = Date.now();')).length, 1);
  assert.equal(purityViolations(bad('src/consensus/a.ts', `const t = 'Date.now()'; // Date.now()`)).length, 0);
  const page = (path: string, text: string): number => pageViolations(bad(path, text)).length;
  assert.equal(page('src/dashboard/page/a.tsx', `import { x } from '../server.ts';\nimport { y } from '#util';`), 2);
  assert.equal(page('src/dashboard/page/a.tsx', `import { readFileSync } from 'node:fs';`), 1);
  assert.equal(page('src/dashboard/page/a.tsx', `import type { State } from '../contract.ts';`), 0);
  assert.equal(page('src/dashboard/server.ts', `import { x } from './page/a.tsx';`), 1);
  const long = 'let x = 0;\n'.repeat(MAX_FUNCTION_LINES);
  for (const head of ['function f(): void', 'const f = (): void =>', 'class A { f(): Promise<Map<string, { a: 1 }>>']) {
    assert.equal(budgetViolations(bad('src/util/a.ts', `${head} {\n${long}}`)).length, 1, head);
  }
  assert.equal(budgetViolations(bad('src/util/a.ts', `if (x) {\n${long}}`)).length, 0);
  assert.equal(budgetViolations(bad('src/util/a.ts', '\n'.repeat(MAX_FILE_LINES).concat('x'))).length, 1);
  // The end of an element is no regular expression.
  const nested = `function A() {\n  return <p><b>a</b>{b.map(() => {\n${long}  })}</p>;\n}`;
  assert.equal(budgetViolations(bad('src/dashboard/page/a.tsx', nested)).length, 2);
  const cycle = [
    bad('src/util/a.ts', `import { b } from './b.ts';`),
    bad('src/util/b.ts', `export type { a } from './a.ts';`),
  ];
  assert.deepEqual(findCycle(cycle), ['src/util/a.ts', 'src/util/b.ts', 'src/util/a.ts']);
  assert.equal(localPaths('a.md', ['see /', 'work/main or https://', 'registry.example.org/x'].join('')).length, 2);
});
