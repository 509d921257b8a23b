/**
 * Writes the publishable package to dist/: JavaScript and declarations of src/, the dashboard's page, the network files,
 * profiles, service, alerts and Grafana's dashboard, the documents, the manual page, and a package.json derived from the project's
 * own. Publishing goes from dist/ (the root is private).
 *
 * Only packages under node_modules need this step: Node.js strips types everywhere else. Imports between modules
 * (`#name`) resolve through the `imports` of the written package.json.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, globSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { COMMANDS } from '../src/cli/commands.ts';
import { manualPage } from '../src/cli/manual.ts';
import { buildDashboard } from './build-dashboard.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DIST = join(ROOT, 'dist');

/** The compiler rewrites the endings of imports, but not those of worker files named by URL. */
const WORKER_URL = /(new URL\(\s*(['"])\.[^'"]+)\.ts(\2\s*,\s*import\.meta\.url)/g;

function compile(): void {
  const tsc = join(ROOT, 'node_modules', '.bin', 'tsc');
  const { status } = spawnSync(tsc, ['-p', join(ROOT, 'config', 'tsconfig.build.json')], { stdio: 'inherit' });
  if (status !== 0) throw new Error('the sources do not compile');
  for (const file of globSync('src/**/*.js', { cwd: DIST })) {
    const path = join(DIST, file);
    const code = readFileSync(path, 'utf8');
    writeFileSync(path, code.replace(WORKER_URL, '$1.js$3'));
  }
}

type Manifest = Readonly<Record<string, unknown>> & {
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string>>;
  readonly imports: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
};

const mapValues = <T>(record: Readonly<Record<string, string>>, map: (value: string) => T): Record<string, T> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));

const toJs = (path: string): string => path.replace(/\.ts$/, '.js');

function publishedManifest(manifest: Manifest): object {
  const { name, version, description, license, type, engines, dependencies } = manifest;
  // 190 MB of Node.js are right for a clone and wrong for a package.
  const optional = Object.entries(manifest.optionalDependencies).filter(([key]) => !key.startsWith('node-linux-'));
  return {
    ...{ name, version, description, license, type, engines },
    files: ['src', 'dashboard', 'config', 'man', 'CHANGELOG.md'],
    bin: mapValues(manifest.bin, toJs),
    man: './man/starling.1',
    exports: {
      ...mapValues(manifest.exports, (path) => ({ types: path.replace(/\.ts$/, '.d.ts'), default: toJs(path) })),
      './package.json': './package.json',
    },
    imports: mapValues(manifest.imports, toJs),
    dependencies,
    optionalDependencies: Object.fromEntries(optional),
  };
}

function build(): void {
  mkdirSync(DIST, { recursive: true });
  // The page is replaced in place: a node of this clone may be serving it.
  for (const name of readdirSync(DIST)) if (name !== 'dashboard') rmSync(join(DIST, name), { recursive: true });
  compile();
  for (const folder of ['networks', 'profiles', 'systemd', 'prometheus', 'grafana']) {
    cpSync(join(ROOT, 'config', folder), join(DIST, 'config', folder), { recursive: true });
  }
  buildDashboard(join(DIST, 'dashboard'));
  mkdirSync(join(DIST, 'man'));
  writeFileSync(join(DIST, 'man', 'starling.1'), manualPage(COMMANDS));
  for (const file of ['README.md', 'LICENSE', 'CHANGELOG.md']) cpSync(join(ROOT, file), join(DIST, file));
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;
  const published = publishedManifest(manifest);
  writeFileSync(join(DIST, 'package.json'), `${JSON.stringify(published, null, 2)}\n`);
  for (const file of Object.values(manifest.bin)) chmodSync(join(DIST, toJs(file)), 0o755);
  console.log('built dist/');
}

build();
