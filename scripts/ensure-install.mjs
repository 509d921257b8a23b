/**
 * Makes `npm start` and `npm test` work on a fresh clone: installs the locked packages when they are missing or
 * differ from the lock file, and checks that the Node.js that will run is new enough.
 *
 * It is run by the `pre…` scripts of package.json with whatever Node.js the machine has. Therefore it is plain
 * JavaScript for Node 18 and later and imports nothing that is not built in. When nothing is to be done it prints
 * nothing and takes a few milliseconds.
 *
 * Its arguments are a script beside it that is run then, by the right Node.js, and that script's arguments. A shell that has
 * started this one would go on with the machine's Node.js even where another has been installed meanwhile.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** Type stripping is stable from here on. */
const MIN_NODE = [24, 12];
const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Why an install is needed, or undefined. `root` is the folder with package-lock.json. */
export function reasonToInstall(root) {
  const wanted = readJson(join(root, 'package-lock.json'))?.packages;
  if (!wanted) return undefined;
  if (!existsSync(join(root, 'node_modules'))) return 'the packages are not installed yet';
  // npm writes this file as the last step of an install: an interrupted one leaves none.
  const present = readJson(join(root, 'node_modules', '.package-lock.json'))?.packages;
  if (!present) return 'the last install was not finished';
  for (const [path, { version, optional }] of Object.entries(wanted)) {
    if (path === '' || (optional && !present[path])) continue;
    const name = path.replace(/^.*node_modules\//, '');
    if (!present[path]) return `${name} is missing`;
    if (present[path].version !== version) return `${name} is ${present[path].version}, the lock file says ${version}`;
    if (!existsSync(join(root, path))) return `${name} was removed`;
  }
  return undefined;
}

/** What `npm run` will use: its PATH begins with node_modules/.bin. */
function runtime(root) {
  const pinned = join(root, 'node_modules', '.bin', 'node');
  return existsSync(pinned) ? pinned : process.execPath;
}

export function runtimeVersion(root) {
  return spawnSync(runtime(root), ['--version'], { encoding: 'utf8' }).stdout?.trim().replace(/^v/, '') || undefined;
}

export function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1]);
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function say(text) {
  process.stderr.write(`starling: ${text}\n`);
}

function install() {
  // Under `npm run` this is npm's own script; run it with the same Node.js that started it.
  const npmScript = process.env.npm_execpath;
  const [command, first] = npmScript?.endsWith('.js') ? [process.execPath, [npmScript]] : ['npm', []];
  const headers = join(ROOT, 'node_modules', `node-linux-${process.arch}`);
  // The optional native package builds against the headers of the pinned Node.js, without a download.
  const env = process.platform === 'linux' ? { npm_config_nodedir: headers, ...process.env } : process.env;
  const args = [...first, 'ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const result = spawnSync(command, args, { cwd: ROOT, stdio: ['ignore', 2, 2], env });
  if (result.status === 0) return true;
  say(`"npm ci" failed${result.error ? `: ${result.error.message}` : ` with exit code ${result.status}`}.`);
  say('Is the package registry reachable, and is there 1 GB of free disk space? Run "npm ci" to see it again.');
  return false;
}

function runNext() {
  const [script, ...args] = process.argv.slice(2);
  if (script === undefined) return 0;
  return spawnSync(runtime(ROOT), [join(ROOT, 'scripts', script), ...args], { stdio: 'inherit' }).status ?? 1;
}

function main() {
  const reason = reasonToInstall(ROOT);
  if (reason !== undefined) {
    say(`${reason}; running "npm ci" (needs the network; about a minute) …`);
    const started = Date.now();
    if (!install()) return 1;
    say(`installed in ${Math.round((Date.now() - started) / 1000)} s.`);
  }
  const version = runtimeVersion(ROOT);
  if (version === undefined) {
    say('the pinned Node.js in node_modules/.bin does not start on this machine.');
    say(`Install Node.js ${MIN_NODE.join('.')} or later yourself and delete node_modules/.bin/node.`);
    return 1;
  }
  if (isNewEnough(version)) return runNext();
  say(`Node.js ${version} is too old: ${MIN_NODE.join('.')} or later is needed.`);
  say('On Linux (x64, arm64; glibc) "npm ci" brings its own; elsewhere install it from nodejs.org.');
  return 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = main();
