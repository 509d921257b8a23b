/** Calls by HTTP at an even pace, whoever is how slow: what a call waits for because others are late counts, too. */
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RpcTarget } from '#rpc';
import { assert } from '#util';

export type LoadResult = {
  readonly calls: number;
  readonly wallMs: number;
  /** From when a call was due to its answer, by what they are called with their unit. */
  readonly delays: Readonly<Record<string, number>>;
};

/** As many as the server lets work and wait: with fewer, what is due would wait on this side. */
const CONNECTIONS = 80;
const TICK_MS = 2;
/** What runs for the first time is slow: told apart. */
const WARM_UP_MS = 2_000;

/** Until `isOver` says so, at least `minMs`. */
export async function callEvenly(
  { endpoint, login }: RpcTarget,
  body: string,
  callsPerSecond: number,
  minMs: number,
  isOver: () => boolean,
): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const { host, port } = endpoint;
  const headers = { authorization: `Basic ${Buffer.from(login).toString('base64')}` };
  const delays: Delay[] = [];
  const call = (dueMs: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const sent = request({ host, port, method: 'POST', agent, headers }, (response) => {
        assert(response.statusCode === 200, `the node answers, not with ${response.statusCode}`);
        response.resume();
        response.on('end', () => {
          delays.push({ dueMs: dueMs - started, ms: performance.now() - dueMs });
          resolve();
        });
      });
      sent.on('error', reject);
      sent.end(body);
    });
  const started = performance.now();
  const calls: Promise<void>[] = [];
  for (let now = started; now - started < minMs || !isOver(); now = performance.now()) {
    const due = ((now - started) * callsPerSecond) / 1000;
    while (calls.length < due) calls.push(call(started + (calls.length * 1000) / callsPerSecond));
    await sleep(TICK_MS);
  }
  await Promise.all(calls);
  const wallMs = performance.now() - started;
  agent.destroy();
  return { calls: calls.length, wallMs, delays: percentiles(delays) };
}

type Delay = { readonly dueMs: number; readonly ms: number };

function percentiles(delays: readonly Delay[]): LoadResult['delays'] {
  const later = delays.filter(({ dueMs }) => dueMs >= WARM_UP_MS);
  return {
    'ms p50': percentile(delays, 0.5),
    'ms p99': percentile(delays, 0.99),
    'ms p99 after 2 s': percentile(later, 0.99),
    'ms max': percentile(delays, 1),
  };
}

function percentile(delays: readonly Delay[], share: number): number {
  const sorted = delays.map(({ ms }) => ms).toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
