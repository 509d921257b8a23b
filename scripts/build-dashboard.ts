/**
 * Builds the page of the dashboard (src/dashboard/page) into dist/dashboard: `index.html`, and script and style under names
 * that change with their contents. Neither script nor style stands in the HTML: the server's content security policy
 * allows only files of its own.
 *
 *   node scripts/build-dashboard.ts              builds
 *   node scripts/build-dashboard.ts --if-needed  only if a source is newer than what was built
 */
import {
  copyFileSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildSync } from 'esbuild';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PAGE = join(ROOT, 'src', 'dashboard', 'page');
const OUT = join(ROOT, 'dist', 'dashboard');
/** What the dashboard's page is made from. */
const SOURCES = ['src/dashboard/page/**/*', 'src/dashboard/contract.ts', 'scripts/build-dashboard.ts', 'package.json'];

/** Writes the page into the folder, and removes what an earlier build left. A page that is being served stays whole meanwhile. */
export function buildDashboard(folder: string): void {
  const assets = join(folder, 'assets');
  const { outputFiles } = buildSync({
    entryPoints: [join(PAGE, 'main.tsx'), join(PAGE, 'style', 'all.css')],
    outdir: assets,
    entryNames: '[name]-[hash]',
    bundle: true,
    minify: true,
    format: 'esm',
    target: ['chrome123', 'firefox120', 'safari17.5'],
    tsconfig: join(PAGE, 'tsconfig.json'),
    logLevel: 'warning',
    write: false,
  });
  mkdirSync(assets, { recursive: true });
  for (const { path, contents } of outputFiles) replaceFile(path, contents);
  const named = (end: string): string => basename(outputFiles.find(({ path }) => path.endsWith(end))?.path ?? '');
  const html = readFileSync(join(PAGE, 'index.html'), 'utf8');
  const filled = html.replace('main.tsx', `assets/${named('.js')}`).replace('style/all.css', `assets/${named('.css')}`);
  // Its license wants to travel with what is made of it.
  copyFileSync(join(ROOT, 'node_modules', 'preact', 'LICENSE'), join(folder, 'LICENSE-preact.txt'));
  replaceFile(join(folder, 'index.html'), filled);
  const current = new Set(outputFiles.map(({ path }) => basename(path)));
  for (const name of readdirSync(assets)) if (!current.has(name)) rmSync(join(assets, name));
}

/** At once: nobody reads half of it. */
function replaceFile(path: string, contents: string | Uint8Array): void {
  const next = `${path}.${process.pid}.new`;
  writeFileSync(next, contents);
  renameSync(next, path);
}

/** Builds where nodes of this clone look for the page, if a source is newer than what is there. */
export function ensureDashboard(): void {
  const built = statSync(join(OUT, 'index.html'), { throwIfNoEntry: false });
  const isOlder = (path: string): boolean => built === undefined || statSync(join(ROOT, path)).mtimeMs > built.mtimeMs;
  if (globSync(SOURCES, { cwd: ROOT }).some(isOlder)) buildDashboard(OUT);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  if (process.argv.includes('--if-needed')) ensureDashboard();
  else buildDashboard(OUT);
}
