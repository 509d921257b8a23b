/** Runs the program as people do: the same file, in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const PROGRAM = fileURLToPath(new URL('../../src/cli/starling.ts', import.meta.url));

export type CliResult = { readonly code: number | null; readonly out: string; readonly err: string };

export type StartOptions = {
  readonly env?: NodeJS.ProcessEnv;
  /** Ends the process in order when it aborts: pass the test's, and nothing outlives a test that takes too long. */
  readonly signal?: AbortSignal;
  /** In front of the command line: a program that becomes ours (`nsenter`). */
  readonly enter?: readonly string[];
};

/** Without settings of who runs the tests, or of the tests themselves; lines for people, though pipes are no terminal. */
export function programEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const others = Object.entries(env).filter(([name]) => !name.startsWith('STARLING_'));
  return { ...Object.fromEntries(others), STARLING_LOG_FORMAT: 'human' };
}

/** Starts it with piped output. The caller ends it. */
export function startCli(args: readonly string[], options: StartOptions = {}): ChildProcess {
  const { env = process.env, signal, enter = [] } = options;
  const [program = '', ...rest] = [...enter, process.execPath, PROGRAM, ...args];
  const child = spawn(program, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: programEnvironment(env),
  });
  signal?.addEventListener('abort', () => child.kill('SIGTERM'), { once: true });
  return child;
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

/** Resolves with the first thing that `find` makes of a line on stdout; rejects when the process ends before. */
export function waitForLine<T>(child: ChildProcess, find: (line: string) => T | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const seen: string[] = [];
    let rest = '';
    const look = (text: string): void => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        seen.push(line);
        const found = find(line);
        if (found === undefined) continue;
        child.stdout?.off('data', look);
        // Somebody must go on reading, or the process waits for room in the pipe.
        child.stdout?.resume();
        resolve(found);
        return;
      }
    };
    child.stdout?.setEncoding('utf8').on('data', look);
    child.on('close', (code) =>
      reject(new Error(`ended with ${code}; its last lines:\n${seen.slice(-20).join('\n')}`)),
    );
  });
}
