/** Calls by HTTP at an even pace, whoever is how slow: what a call waits for because others are late counts, too. */
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { assert } from '#util';

export type LoadTarget = { readonly address: string; readonly login: string };

export type LoadResult = {
  readonly calls: number;
  readonly wallMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
};

const CONNECTIONS = 16;
const TICK_MS = 5;

/** Until `isOver` says so, at least `minMs`. */
export async function callEvenly(
  { address, login }: LoadTarget,
  body: string,
  callsPerSecond: number,
  minMs: number,
  isOver: () => boolean,
): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const [host, port] = address.split(':');
  const headers = { authorization: `Basic ${Buffer.from(login).toString('base64')}` };
  const delays: number[] = [];
  const call = (dueMs: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const sent = request({ host, port, method: 'POST', agent, headers }, (response) => {
        assert(response.statusCode === 200, `the node answers, not with ${response.statusCode}`);
        response.resume();
        response.on('end', () => {
          delays.push(performance.now() - dueMs);
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
  delays.sort((a, b) => a - b);
  const at = (share: number): number => delays[Math.floor(delays.length * share)] ?? Number.NaN;
  return { calls: calls.length, wallMs, p50Ms: at(0.5), p99Ms: at(0.99) };
}
