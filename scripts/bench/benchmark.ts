/** What a benchmark is: named cases that are measured in turns, so that each round compares like with like. */

import process from 'node:process';
import { assert } from '#util';

/** One measurement. */
export type Sample = {
  /** How much was done, in the case's unit. */
  readonly amount: number;
  readonly wallMs: number;
  /** CPU time of every process that took part; undefined where the platform does not tell. */
  readonly cpuMs: number | undefined;
  /** Further figures, by what they are called with their unit: `B memory/header`. */
  readonly extra?: Readonly<Record<string, number>>;
};

export type Case = {
  readonly name: string;
  /** What is counted: `MB`, `headers`. A case of unit `ms` is judged by its duration, the others by amount per second. */
  readonly unit: string;
  /** The case that this one is compared with, round by round. */
  readonly against?: string;
  /** Each measurement starts processes of its own, and takes long: it is not run to warm up. */
  readonly isAlwaysCold?: boolean;
  readonly measure: () => Promise<Sample>;
};

export type Figure = { readonly median: number; readonly low: number; readonly high: number };

export type CaseResult = {
  readonly name: string;
  readonly unit: string;
  /** Amount per second of wall time; milliseconds for a case of unit `ms`. */
  readonly wall: Figure;
  /** Amount per second of CPU time; milliseconds of it for a case of unit `ms`. */
  readonly cpu: Figure | undefined;
  /** This case's figure divided by the other's, of the same round: median over the rounds. */
  readonly ratio: { readonly against: string; readonly wall: number; readonly cpu: number | undefined } | undefined;
  /** Medians of further figures. */
  readonly extra: Readonly<Record<string, number>>;
  readonly rounds: number;
};

export type BenchmarkContext = {
  /** More rounds of more work. */
  readonly isLong: boolean;
  /** An empty folder of this benchmark's own, removed afterwards. */
  readonly scratch: string;
  /** Node.js options for further processes: profiling, when it was asked for. */
  readonly execArgv: readonly string[];
  /** Measures each case once to warm up (unless it is always cold), then all of them in turns. */
  readonly measure: (cases: readonly Case[], rounds: number) => Promise<CaseResult[]>;
};

export type Report = {
  readonly results: readonly CaseResult[];
  /** What could not be measured, and why. */
  readonly leftOut?: readonly string[];
};

/** One file; a row in `all.ts`. Runs in a process of its own, started with --expose-gc. */
export type Benchmark = {
  readonly name: string;
  /** One line: what is measured, and how. */
  readonly what: string;
  /** It takes minutes and a chain that is made first: runs only when it is named. */
  readonly isHeavy?: boolean;
  readonly run: (context: BenchmarkContext) => Promise<Report>;
};

/** CPU time of this process, all threads. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Milliseconds by a clock that all processes of this machine share. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** Wall and CPU time of a task in this process. */
export async function timed(task: () => Promise<void> | void): Promise<{ wallMs: number; cpuMs: number }> {
  const cpuBefore = cpuMs();
  const before = performance.now();
  await task();
  return { wallMs: performance.now() - before, cpuMs: cpuMs() - cpuBefore };
}

/** Bytes that this process holds once garbage is gone. Needs --expose-gc. */
export async function memoryInUse(): Promise<number> {
  assert(globalThis.gc !== undefined, 'the process was started with --expose-gc');
  // What finished calls still hold, and memory outside the heap, goes only a turn later.
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    globalThis.gc();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
