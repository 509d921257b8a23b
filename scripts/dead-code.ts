/**
 * Finds code that nobody needs: files that nothing imports, and exported names that no other file imports.
 *
 * A value that a module's index.ts passes on is used only if somebody outside takes it from the index. A type is
 * used already when an index passes it on or when its own file mentions it again: it names a part of a signature.
 * Tests and scripts count as users: what only a test needs is a choice (a memory version of a port), no accident.
 */
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { exportsOf, importsOf, readSources, resolveImport, type SourceFile } from './source-scan.ts';

/** Where the dashboard's page begins. */
const PAGE_ENTRY = 'src/dashboard/page/main.tsx';

/** Where the program, the published package and the page begin: `bin` and `exports` of package.json, and the page's script. */
function entryFiles(): string[] {
  const { bin, exports } = JSON.parse(readFileSync('package.json', 'utf8'));
  const paths = [...Object.values<string>(bin), ...Object.values<string>(exports)];
  return [...paths.map((path) => path.replace('./', '')), PAGE_ENTRY];
}

export type DeadCode = { readonly path: string; readonly name: string | undefined };

/** `name` is undefined when the whole file is unused. Only files below src/ are judged. */
export function findDeadCode(files: readonly SourceFile[], entries: readonly string[]): DeadCode[] {
  const used = usedNames(files, entries);
  const dead: DeadCode[] = [];
  for (const file of files) {
    if (!file.path.startsWith('src/') || entries.includes(file.path)) continue;
    const names = used.get(file.path);
    if (names === undefined) {
      dead.push({ path: file.path, name: undefined });
    } else if (!names.has('*')) {
      for (const { name, isType } of exportsOf(file)) {
        if (!names.has(name) && !(isType && isNamedAgain(file, name))) dead.push({ path: file.path, name });
      }
    }
  }
  return dead;
}

function isNamedAgain(file: SourceFile, name: string): boolean {
  return file.path.endsWith('/index.ts') || (file.bare.match(new RegExp(`\\b${name}\\b`, 'g')) ?? []).length > 1;
}

/** File to the names that others take from it. A re-export takes a name only when it is itself taken. */
function usedNames(files: readonly SourceFile[], entries: readonly string[]): Map<string, Set<string>> {
  const used = new Map<string, Set<string>>();
  const reExports = new Map<string, { readonly target: string; readonly names: readonly string[] }[]>();
  const waiting: { readonly path: string; readonly name: string }[] = [];
  const take = (path: string, name: string): void => {
    const names = used.get(path) ?? new Set();
    used.set(path, names);
    if (names.has(name)) return;
    names.add(name);
    waiting.push({ path, name });
  };
  for (const file of files) {
    for (const { specifier, names, kind } of importsOf(file)) {
      const target = resolveImport(file.path, specifier);
      if (target === undefined) continue;
      if (kind === 'export') reExports.set(file.path, [...(reExports.get(file.path) ?? []), { target, names }]);
      else for (const name of names) take(target, name);
    }
  }
  for (const entry of entries) take(entry, '*');
  for (const file of files.filter(({ path }) => path.endsWith('/index.ts'))) {
    for (const { name, isType } of exportsOf(file)) if (isType) take(file.path, name);
  }
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const { target, names } of reExports.get(next.path) ?? []) {
      for (const name of names) if (next.name === '*' || name === '*' || name === next.name) take(target, name);
    }
  }
  return used;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const files = readSources(process.cwd(), ['src', 'test', 'scripts']);
  const dead = findDeadCode(files, entryFiles());
  for (const { path, name } of dead) console.error(`${path}: ${name ?? 'the whole file'} is used by nobody`);
  if (dead.length > 0) process.exitCode = 1;
}
