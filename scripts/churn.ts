/**
 * Real networks (libp2p, sockets, no chain) in a few processes, of which a fifth is replaced every minute: do they hang
 * together, and are lost outbound peers replaced within a minute? `test/sim/peers-churn.test.ts` asks the same of a model.
 *
 *   npm run churn                                           30 nodes in 3 processes for 5 minutes
 *   npm run churn -- --nodes 12 --outbound 3 --minutes 1    a try: few nodes cannot have eight outbound peers each
 *
 * Ends with code 1 if not.
 */
import { type ChildProcess, fork } from 'node:child_process';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ChurnVerdict } from './churn/churn-verdict.ts';
import type { FromChurnProcess, ToChurnProcess } from './churn/messages.ts';

const REPLACED_A_MINUTE = 1 / 5;
const LOOK_MS = 2_000;
/** Until the first nodes have filled their slots. */
const WARM_UP_MS = 30_000;

/** A process with some of the nodes. */
class Part {
  readonly #child: ChildProcess;
  #waiting = Promise.withResolvers<FromChurnProcess>();

  constructor() {
    this.#child = fork(fileURLToPath(new URL('./churn/churn-process.ts', import.meta.url)));
    this.#child.on('message', (message: FromChurnProcess) => this.#waiting.resolve(message));
    this.#child.on('exit', () => this.#waiting.reject(new Error('a process ended early')));
  }

  /** One after the other: each is answered before the next one is sent. */
  async ask(message: ToChurnProcess): Promise<FromChurnProcess> {
    this.#waiting = Promise.withResolvers();
    this.#child.send(message);
    return this.#waiting.promise;
  }

  end(): void {
    this.#waiting.promise.catch(() => {});
    this.#child.disconnect();
  }
}

async function main(): Promise<void> {
  const whole = (name: string, text: string): number => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= 1) return value;
    throw new Error(`--${name} takes a whole number of at least 1`);
  };
  const { values } = parseArgs({
    options: {
      nodes: { type: 'string', default: '30' },
      processes: { type: 'string', default: '3' },
      minutes: { type: 'string', default: '5' },
      outbound: { type: 'string', default: '8' },
    },
  });
  const nodes = whole('nodes', values.nodes);
  const parts = Array.from({ length: whole('processes', values.processes) }, () => new Part());
  try {
    const plan = { nodes, minutes: whole('minutes', values.minutes), outbound: whole('outbound', values.outbound) };
    const verdict = await run(parts, plan);
    console.log(verdict.lines.join('\n'));
    if (!verdict.isGood) process.exitCode = 1;
  } finally {
    for (const part of parts) part.end();
  }
}

type Plan = { readonly nodes: number; readonly minutes: number; readonly outbound: number };

async function run(
  parts: readonly Part[],
  { nodes, minutes, outbound }: Plan,
): Promise<ReturnType<ChurnVerdict['end']>> {
  const [first] = parts;
  if (first === undefined) throw new Error('no process');
  // The seed is no member: it is not replaced, and fills no slot.
  const { addresses: seeds } = await first.ask({ kind: 'start', count: 1, seeds: [], outbound, isMember: false });
  for (const [index, part] of parts.entries()) {
    const count = Math.floor((nodes + index) / parts.length);
    await part.ask({ kind: 'start', count, seeds, outbound, isMember: true });
  }
  const verdict = new ChurnVerdict(outbound);
  const startMs = performance.now();
  const everyMs = 60_000 / (nodes * REPLACED_A_MINUTE);
  let replaced = 0;
  for (;;) {
    await sleep(LOOK_MS);
    const sinceMs = performance.now() - startMs;
    if (sinceMs >= WARM_UP_MS + minutes * 60_000) return verdict.end();
    if (sinceMs < WARM_UP_MS) continue;
    if (sinceMs - WARM_UP_MS >= replaced * everyMs) {
      await parts[replaced % parts.length]?.ask({ kind: 'replace', seeds, outbound });
      replaced += 1;
    }
    const reports = [];
    for (const part of parts) reports.push(...(await part.ask({ kind: 'report' })).reports);
    verdict.look(reports, performance.now());
  }
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
