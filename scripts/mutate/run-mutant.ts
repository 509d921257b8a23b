/** Runs test files in a process of their own, which gets a mutant's text from a loader hook and ends at a failure. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Change } from './change.ts';

const HOOK = fileURLToPath(new URL('./serve-mutant.ts', import.meta.url));
const REPORTER = fileURLToPath(new URL('./first-failure.ts', import.meta.url));

export type Workplace = {
  readonly root: string;
  /** Compiled sources are kept here between processes. */
  readonly cache: string;
};

/** Test files that share one process. */
export type Stage = readonly string[];

/** `by` is the test that noticed, or what else ended the process. */
export type Outcome =
  | { readonly kind: 'killed'; readonly by: string }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'survived'; readonly cpuSeconds: number };

/** `path` relative to the root. */
type ChangedFile = Change & { readonly path: string };

/** What the hook needs to know. */
export type ServedMutant = Change & { readonly url: string };

/** A mutant whose loop grows without end stops here, before the machine does. */
const MAX_HEAP_MB = 1024;
/** Endless loops are found by the time that they compute, which other work on the machine does not lengthen. */
const WITH_CPU_LIMIT = 'ulimit -S -t "$0" && exec "$@"';
/** For a mutant that waits instead: so many seconds for each second of computing that it may use. */
const WAIT_FACTOR = 40;

/** Tests a mutant by one stage. */
export function runStage(
  { root, cache }: Workplace,
  mutant: ChangedFile,
  stage: Stage,
  cpuSeconds: number,
): Promise<Outcome> {
  const args = [
    `--max-old-space-size=${MAX_HEAP_MB}`,
    ...[
      '--import',
      pathToFileURL(HOOK).href,
      '--test',
      '--test-isolation=none',
      `--test-reporter=${REPORTER}`,
      '--test-reporter-destination=stdout',
    ],
    ...stage,
  ];
  // Without NODE_TEST_CONTEXT, which a test that runs this would hand down.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return new Promise((resolve, reject) => {
    const child = spawn('sh', ['-c', WITH_CPU_LIMIT, String(cpuSeconds), process.execPath, ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...env, NODE_COMPILE_CACHE: cache, STARLING_MUTANT: served(root, mutant) },
    });
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed = (printed + text).slice(-10_000);
    });
    let timedOut = false;
    const timer = setTimeout(
      () => {
        timedOut = true;
        child.kill('SIGKILL');
      },
      cpuSeconds * WAIT_FACTOR * 1000,
    );
    child.on('error', reject).on('close', (code, signal) => {
      clearTimeout(timer);
      if (timedOut || signal === 'SIGXCPU' || code === 128 + constants.signals.SIGXCPU) resolve({ kind: 'timeout' });
      else if (code === 0) resolve({ kind: 'survived', cpuSeconds: Number(printed.trim().split('\n').at(-1)) });
      else resolve({ kind: 'killed', by: printed.trim() || `the process ended with ${signal ?? `exit code ${code}`}` });
    });
  });
}

function served(root: string, { path, from, to, text }: ChangedFile): string {
  return JSON.stringify({ url: pathToFileURL(join(root, path)).href, from, to, text } satisfies ServedMutant);
}
