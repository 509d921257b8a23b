/** What an attack costs: the process's time on a processor and the heap that is left of it, attacker and honest nodes counted. */
import process from 'node:process';
import type { TestContext } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect: unknown = runInNewContext('gc');

/** Bytes that are reachable, in the heap and outside. */
export function usedBytes(): number {
  if (typeof collect === 'function') collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Prints what the attack cost and, from `told`, what else is worth a line. Gives the growth of the heap in MB. */
export async function measured(
  t: TestContext,
  attack: () => Promise<void>,
  told: () => string | Promise<string> = () => '',
): Promise<number> {
  const bytesBefore = usedBytes();
  const before = process.cpuUsage();
  const started = performance.now();
  await attack();
  const { user, system } = process.cpuUsage(before);
  const tookMs = performance.now() - started;
  const grownMb = (usedBytes() - bytesBefore) / 1e6;
  const cpu = `${((user + system) / 1e3).toFixed(0)} ms of CPU in ${tookMs.toFixed(0)} ms`;
  t.diagnostic(`${cpu}, heap grew by ${grownMb.toFixed(1)} MB ${await told()}`);
  return grownMb;
}
