/** The program `starling` as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { type ProcessUsage, usageOf } from './process-usage.ts';

const PROGRAM = fileURLToPath(new URL('../../src/cli/starling.ts', import.meta.url));
const USAGE_AT_EXIT = new URL('./usage-at-exit.ts', import.meta.url).href;

export type Running = ProcessUsage & {
  /** From the start of the process until it wrote what was waited for. */
  readonly wallMs: number;
  /** Asks it to stop; gives the time until it had. */
  readonly stop: () => Promise<number>;
};

/** Starts the program. Rejects with what it wrote if it ends before `line` appears. */
export async function startProgram(args: readonly string[], line: string, env: NodeJS.ProcessEnv): Promise<Running> {
  const started = performance.now();
  const child = spawn(process.execPath, [PROGRAM, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  await outputWith(child, line);
  const wallMs = performance.now() - started;
  return {
    wallMs,
    ...usageOf(child.pid),
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
  /** What it wrote to stdout. */
  readonly output: string;
};

/** Runs the program to its end. Rejects with what it wrote unless it succeeded. */
export async function runProgram(args: readonly string[], execArgv: readonly string[]): Promise<Ended> {
  const started = performance.now();
  const child = spawn(process.execPath, [...execArgv, '--import', USAGE_AT_EXIT, PROGRAM, ...args], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  const [, stdout, stderr, usage] = child.stdio;
  const texts = [stdout, stderr, usage].map((stream) => text(stream as NodeJS.ReadableStream & AsyncIterable<Buffer>));
  const [code] = await once(child, 'exit');
  const wallMs = performance.now() - started;
  const [output = '', errors = '', used = ''] = await Promise.all(texts);
  if (code !== 0) throw new Error(`starling ${args[0]} ended with code ${code}:\n${errors.slice(-2000)}${output}`);
  return { wallMs, output, ...(JSON.parse(used) as ProcessUsage) };
}
