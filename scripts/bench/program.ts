/** The program `starling` as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { type ProcessUsage, usageOf } from './process-usage.ts';

const PROGRAM = fileURLToPath(new URL('../../src/cli/starling.ts', import.meta.url));
const USAGE_AT_EXIT = new URL('./usage-at-exit.ts', import.meta.url).href;

export type Running = {
  /** From the start of the process until it wrote what was waited for. */
  readonly wallMs: number;
  /** So far. */
  readonly usage: () => ProcessUsage;
  /** Asks it to stop; gives the time until it had. */
  readonly stop: () => Promise<number>;
};

export type StartOptions = { readonly env?: NodeJS.ProcessEnv; readonly execArgv?: readonly string[] };

/** Starts the program. Rejects with what it wrote if it ends before `line` appears. */
export async function startProgram(
  args: readonly string[],
  line: string,
  { env = process.env, execArgv = [] }: StartOptions,
): Promise<Running> {
  const started = performance.now();
  const child = spawn(process.execPath, [...execArgv, PROGRAM, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  await outputWith(child, line);
  const wallMs = performance.now() - started;
  return {
    wallMs,
    usage: () => usageOf(child.pid),
    stop: async () => {
      if (child.exitCode !== null) return 0;
      const asked = performance.now();
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
      return performance.now() - asked;
    },
  };
}

function outputWith(child: ChildProcess, line: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = '';
    const onData = (data: Buffer): void => {
      output += data.toString();
      if (output.includes(line)) resolve();
    };
    child.stdout?.on('data', onData);
    child.stderr?.on('data', onData);
    child.on('error', reject);
    child.on('exit', () => reject(new Error(`starling ended without saying "${line}":\n${output.slice(-2000)}`)));
  });
}

export type Ended = ProcessUsage & {
  /** From the start of the process to its end. */
  readonly wallMs: number;
  /** From the start of the process until it wrote what was waited for; undefined if nothing was. */
  readonly reachedMs: number | undefined;
  /** What it wrote to stdout. */
  readonly output: string;
};

/**
 * Runs the program to its end; asks it to stop as soon as it has written a line that holds `stopAt`. Rejects with what
 * it wrote unless it succeeded.
 */
export async function runProgram(
  args: readonly string[],
  execArgv: readonly string[],
  stopAt?: string,
): Promise<Ended> {
  const started = performance.now();
  const child = spawn(process.execPath, [...execArgv, '--import', USAGE_AT_EXIT, PROGRAM, ...args], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  const [, stdout, stderr, usage] = child.stdio;
  const lines: string[] = [];
  let reachedMs: number | undefined;
  createInterface({ input: stdout as Readable }).on('line', (line) => {
    lines.push(line);
    if (stopAt === undefined || reachedMs !== undefined || !line.includes(stopAt)) return;
    reachedMs = performance.now() - started;
    child.kill('SIGTERM');
  });
  const texts = [stderr, usage].map((stream) => text(stream as Readable));
  const [code] = await once(child, 'close');
  const wallMs = performance.now() - started;
  const [errors = '', used = ''] = await Promise.all(texts);
  const output = lines.join('\n');
  if (code !== 0)
    throw new Error(`starling ${args[0]} ended with code ${code}:\n${errors.slice(-2000)}${output.slice(-2000)}`);
  if (stopAt !== undefined && reachedMs === undefined) throw new Error(`starling ${args[0]} never said ${stopAt}`);
  return { wallMs, reachedMs, output, ...(JSON.parse(used) as ProcessUsage) };
}
