/** Runs the program as people do: the same file, in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const PROGRAM = fileURLToPath(new URL('../../src/cli/starling.ts', import.meta.url));

export type CliResult = { readonly code: number | null; readonly out: string; readonly err: string };

/** Starts it with piped output. The caller ends it. */
export function startCli(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
}

export async function runCli(...args: readonly string[]): Promise<CliResult> {
  return resultOf(startCli(args));
}

/** Everything the process prints, once it has ended. */
export function resultOf(child: ChildProcess): Promise<CliResult> {
  const out: string[] = [];
  const err: string[] = [];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => out.push(text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => err.push(text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out: out.join(''), err: err.join('') }));
  });
}

/** Resolves with the first match in what the process prints; rejects when it ends without. */
export function waitForOutput(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let seen = '';
    const look = (text: string): void => {
      seen += text;
      const match = pattern.exec(seen);
      if (match) resolve(match);
    };
    child.stdout?.setEncoding('utf8').on('data', look);
    child.stderr?.setEncoding('utf8').on('data', look);
    child.on('close', (code) => reject(new Error(`ended with ${code} before ${pattern}; it printed:\n${seen}`)));
  });
}
