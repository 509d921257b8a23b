#!/usr/bin/env node
/** The program `starling`. Checks the Node.js version before anything else is loaded, then hands over. */
import process from 'node:process';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < 24 || (major === 24 && minor < 12)) {
  process.stderr.write(`starling: Node.js 24.12 or later is needed; this is ${process.versions.node}\n`);
  process.exitCode = 1;
} else {
  const { runProgram } = await import('./program.ts');
  process.exitCode = await runProgram(process.argv.slice(2), {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
  });
}
