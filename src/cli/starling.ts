#!/usr/bin/env node
/**
 * The program `starling`. Before anything else is loaded it checks the Node.js version, turns on the cache of compiled
 * code and bounds the heap; then it hands over. The cache halves the time to start, most of which is compiling.
 */
import module from 'node:module';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < 24 || (major === 24 && minor < 12)) {
  process.stderr.write(`starling: Node.js 24.12 or later is needed; this is ${process.versions.node}\n`);
  process.exitCode = 1;
} else {
  cacheCompiledCode();
  const { limitHeapGrowth } = await import('./heap-growth.ts');
  limitHeapGrowth();
  // A reader that has seen enough (`starling info | head -1`) is no failure.
  process.stdout.on('error', () => {});
  const { runProgram } = await import('./program.ts');
  const output = {
    out: (text: string) => process.stdout.write(text),
    err: (text: string) => process.stderr.write(text),
  };
  process.exitCode = await runProgram(process.argv.slice(2), output, process.env);
}

/**
 * In the program's own folder: what lies in a shared temporary folder could be somebody else's code. Where that
 * folder cannot be written there is no cache. The variable hands it on to worker threads and child processes.
 */
function cacheCompiledCode(): void {
  process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(new URL('../../.cache/compile', import.meta.url));
  module.enableCompileCache(process.env['NODE_COMPILE_CACHE']);
}
