/** The program `starling` as a process of its own, and what the operating system says about it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../src/cli/starling.ts', import.meta.url));
/** Of Linux's /proc: USER_HZ. */
const TICK_MS = 10;

export type Running = {
  /** From the start of the process until it wrote what was waited for, or ended. */
  readonly wallMs: number;
  /** Undefined where there is no /proc. */
  readonly cpuMs: number | undefined;
  readonly peakMemoryMb: number | undefined;
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
    ...usage(child.pid),
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

function usage(pid: number | undefined): Pick<Running, 'cpuMs' | 'peakMemoryMb'> {
  try {
    // Behind the name, which may hold spaces: utime and stime are fields 14 and 15 of proc(5).
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    const peak = /VmHWM:\s*(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return {
      cpuMs: (Number(fields[11]) + Number(fields[12])) * TICK_MS,
      peakMemoryMb: peak === undefined ? undefined : (Number(peak) * 1024) / 1e6,
    };
  } catch {
    return { cpuMs: undefined, peakMemoryMb: undefined };
  }
}
