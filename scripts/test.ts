/**
 * Runs the checks and tests in phases and ends with one line `N passed, N failed, N skipped`.
 *
 *   npm test                      everything
 *   npm run check                 static checks and unit tests
 *   npm test -- unit vectors      the phases named
 *   npm test -- test/unit/a.test.ts …   single files, a process each
 *
 * The exit code is 0 only if nothing failed and something ran. Unit and vector tests share two processes;
 * everything that opens sockets or starts processes gets a process per file, two at a time.
 */
import { spawn } from 'node:child_process';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Counts } from './test-reporter.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const BIN = join(ROOT, 'node_modules', '.bin');

type Phase = {
  readonly name: string;
  readonly about: string;
  /** Tools that pass or fail as a whole … */
  readonly commands?: readonly (readonly string[])[];
  /** … or test files. */
  readonly files?: readonly string[];
  /** Whether the files share two processes. */
  readonly together?: boolean;
  /** The phase is killed and counts as failed after this time: several times what it takes. */
  readonly limitMinutes: number;
};

const PHASES: readonly Phase[] = [
  {
    name: 'lint',
    about: 'format and lint',
    commands: [[join(BIN, 'biome'), 'check', '--error-on-warnings', '.']],
    limitMinutes: 5,
  },
  {
    name: 'types',
    about: 'types of what Node.js runs, and of what browsers run',
    commands: [
      [join(BIN, 'tsc'), '-p', '.'],
      [join(BIN, 'tsc'), '-p', 'src/dashboard/page'],
    ],
    limitMinutes: 6,
  },
  { name: 'dead-code', about: 'dead code', commands: [[process.execPath, 'scripts/dead-code.ts']], limitMinutes: 3 },
  {
    name: 'unit',
    about: 'architecture and unit tests',
    files: ['test/architecture.test.ts', 'test/unit/**/*.test.ts'],
    together: true,
    limitMinutes: 15,
  },
  {
    name: 'vectors',
    about: 'official vectors',
    files: ['test/vectors/**/*.test.ts'],
    together: true,
    limitMinutes: 10,
  },
  { name: 'sim', about: 'simulations', files: ['test/sim/**/*.test.ts'], limitMinutes: 10 },
  { name: 'integration', about: 'integration tests', files: ['test/integration/**/*.test.ts'], limitMinutes: 20 },
  { name: 'e2e', about: 'whole programs', files: ['test/e2e/**/*.test.ts'], limitMinutes: 20 },
];

const GROUPS: Readonly<Record<string, readonly string[]>> = {
  check: ['lint', 'types', 'dead-code', 'unit'],
  all: PHASES.map((phase) => phase.name),
};

/** One test that hangs fails after this time instead of holding up the rest. */
const TEST_TIMEOUT_MS = 240_000;

/** For files that are named: their long forms (STARLING_LONG, STARLING_SIM_SEEDS) have limits of their own. */
const LONG_RUN_MINUTES = 120;

const NOTHING: Counts = { passed: 0, failed: 0, skipped: 0 };
const FAILED_TO_RUN: Counts = { passed: 0, failed: 1, skipped: 0 };

/** Resolves with the exit code, or undefined when the process was killed. */
function run(command: readonly string[], limitMinutes: number, env: NodeJS.ProcessEnv): Promise<number | undefined> {
  const [file = '', ...args] = command;
  return new Promise((resolve) => {
    // A process group of its own: what it started can be ended with it.
    const child = spawn(file, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'], env, detached: true });
    const signalGroup = (signal: NodeJS.Signals): void => {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, signal);
    };
    const timer = setTimeout(() => {
      console.log(`stopped after ${limitMinutes} minutes`);
      signalGroup('SIGKILL');
    }, limitMinutes * 60_000);
    const interrupted = (signal: NodeJS.Signals): void => {
      signalGroup(signal);
      process.exitCode = 130;
    };
    process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
    child.on('error', (error) => console.log(`${file}: ${error.message}`));
    child.on('close', (code) => {
      clearTimeout(timer);
      process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
      resolve(code ?? undefined);
    });
  });
}

/** Files that take little share a process, for loading what they need takes longer: one for each of two cores. */
async function runTogether(phase: Phase, files: readonly string[], scratch: string): Promise<Counts> {
  const halves = [0, 1].map((half) => files.filter((_, at) => at % 2 === half)).filter((half) => half.length > 0);
  const counts = await Promise.all(halves.map((half, at) => runFiles(phase, half, join(scratch, `${at}`))));
  return counts.reduce(sum);
}

function sum(one: Counts, other: Counts): Counts {
  return {
    passed: one.passed + other.passed,
    failed: one.failed + other.failed,
    skipped: one.skipped + other.skipped,
  };
}

async function runFiles(phase: Phase, files: readonly string[], scratch: string): Promise<Counts> {
  mkdirSync(scratch, { recursive: true });
  const report = join(scratch, `${phase.name}.json`);
  const command = [
    process.execPath,
    '--test',
    '--test-reporter=./scripts/test-reporter.ts',
    '--test-reporter-destination=stdout',
    `--test-timeout=${TEST_TIMEOUT_MS}`,
    ...(phase.together ? ['--test-isolation=none'] : ['--test-concurrency=2']),
    ...files,
  ];
  // Without NODE_TEST_CONTEXT, which a test that runs this script would hand down.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const code = await run(command, phase.limitMinutes, { ...env, STARLING_TEST_REPORT: report });
  if (!existsSync(report)) return FAILED_TO_RUN;
  const counts = JSON.parse(readFileSync(report, 'utf8')) as Counts;
  // A crash behind the last test (a handle that throws late) fails the phase too.
  return code === 0 || counts.failed > 0 ? counts : { ...counts, failed: 1 };
}

async function runPhase(phase: Phase, scratch: string): Promise<Counts> {
  console.log(`\n== ${phase.name}: ${phase.about}`);
  const started = performance.now();
  let counts: Counts;
  if (phase.commands) {
    counts = { passed: 1, failed: 0, skipped: 0 };
    for (const command of phase.commands) {
      if ((await run(command, phase.limitMinutes, process.env)) !== 0) counts = FAILED_TO_RUN;
    }
  } else {
    const files = globSync([...(phase.files ?? [])], { cwd: ROOT }).sort();
    const runAll = phase.together ? runTogether : runFiles;
    counts = files.length === 0 ? NOTHING : await runAll(phase, files, scratch);
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(
    `== ${phase.name}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped, ${seconds} s`,
  );
  return counts;
}

/** The phases that the arguments name; throws an Error that says what there is. */
function choose(args: readonly string[]): Phase[] {
  const files = args.filter((arg) => arg.endsWith('.ts'));
  const names = new Set(args.filter((arg) => !arg.endsWith('.ts')).flatMap((arg) => GROUPS[arg] ?? [arg]));
  const unknown = [...names].find((name) => !GROUPS['all']?.includes(name));
  if (unknown !== undefined)
    throw new Error(`no phase "${unknown}"; there are ${GROUPS['all']?.join(', ')}, check, all`);
  const chosen = PHASES.filter((phase) => names.has(phase.name));
  if (files.length === 0) return chosen;
  const paths = files.map((file) => relative(ROOT, join(process.cwd(), file)));
  return [...chosen, { name: 'files', about: paths.join(' '), files: paths, limitMinutes: LONG_RUN_MINUTES }];
}

async function main(): Promise<number> {
  const args = process.argv.slice(2);
  const phases = choose(args.length === 0 ? ['all'] : args);
  const scratch = mkdtempSync(join(tmpdir(), 'starling-test-'));
  let total = NOTHING;
  try {
    for (const phase of phases) {
      const counts = await runPhase(phase, scratch);
      total = sum(total, counts);
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
