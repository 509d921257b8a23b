/** Runs mutants, several at a time and each stage by stage until something fails, and tells what became of each. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Mutant } from './mutants.ts';
import { type Outcome, runStage, type Stage, type Workplace } from './run-mutant.ts';

export type Result = { readonly mutant: Mutant; readonly outcome: Outcome };

export type Run = {
  readonly root: string;
  readonly mutants: readonly Mutant[];
  readonly stagesFor: (path: string) => readonly Stage[];
  readonly jobs: number;
  /** So long may a stage compute even if it takes less without a mutant. */
  readonly minCpuSeconds: number;
  readonly onResult: (result: Result, done: number) => void;
};

/** How many times longer than without a mutant a stage may compute. */
const PATIENCE = 3;
const BASELINE_CPU_SECONDS = 120;

/** A stage and how long it may compute. */
type TimedStage = { readonly stage: Stage; readonly cpuSeconds: number };

/** The results in the order of the mutants. Throws when the tests fail without any change. */
export async function runMutants(run: Run): Promise<Result[]> {
  const workplace = { root: run.root, cache: mkdtempSync(join(tmpdir(), 'starling-mutate-')) };
  try {
    const stages = await timedStages(run, workplace);
    const results: Result[] = [];
    const waiting = run.mutants.entries();
    let done = 0;
    const work = async (): Promise<void> => {
      for (const [at, mutant] of waiting) {
        const result = { mutant, outcome: await testMutant(workplace, mutant, stages.get(mutant.path) ?? []) };
        results[at] = result;
        run.onResult(result, ++done);
      }
    };
    await Promise.all(Array.from({ length: run.jobs }, work));
    return results;
  } finally {
    rmSync(workplace.cache, { recursive: true, force: true });
  }
}

/** The stages of each source, each stage run once without a mutant. */
async function timedStages(
  { mutants, stagesFor, minCpuSeconds }: Run,
  workplace: Workplace,
): Promise<Map<string, TimedStage[]>> {
  const timed = new Map<string, TimedStage>();
  const ofPaths = new Map<string, TimedStage[]>();
  for (const path of new Set(mutants.map((mutant) => mutant.path))) {
    const stages: TimedStage[] = [];
    for (const stage of stagesFor(path)) {
      const key = stage.join();
      const known = timed.get(key) ?? {
        stage,
        cpuSeconds: Math.max(minCpuSeconds, await measure(workplace, path, stage)),
      };
      timed.set(key, known);
      stages.push(known);
    }
    ofPaths.set(path, stages);
  }
  return ofPaths;
}

/** How long the stage may compute: like a mutant, but with nothing changed. */
async function measure(workplace: Workplace, path: string, stage: Stage): Promise<number> {
  const outcome = await runStage(workplace, { path, from: 0, to: 0, text: '' }, stage, BASELINE_CPU_SECONDS);
  if (outcome.kind === 'survived') return Math.ceil(outcome.cpuSeconds * PATIENCE);
  throw new Error(`without a mutant the tests fail: ${outcome.kind === 'killed' ? outcome.by : stage.join(' ')}`);
}

async function testMutant(workplace: Workplace, mutant: Mutant, stages: readonly TimedStage[]): Promise<Outcome> {
  let outcome: Outcome = { kind: 'survived', cpuSeconds: 0 };
  for (const { stage, cpuSeconds } of stages) {
    outcome = await runStage(workplace, mutant, stage, cpuSeconds);
    if (outcome.kind !== 'survived') break;
  }
  return outcome;
}
