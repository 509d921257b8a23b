/**
 * Simulated synchronisations over the real chain: each seed is a world of 1 to 20 peers with random rates, latencies,
 * lies and churn. Longer runs: STARLING_SIM_SEEDS=1000 (how many), STARLING_SIM_FIRST=1 (from which),
 * STARLING_SIM_PEERS=50 (at most), STARLING_SIM_VERBOSE=1 (a line a seed).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildBlocks, type Outcome, runWorld } from './sync-world.ts';

const SEEDS = Number(process.env['STARLING_SIM_SEEDS'] ?? 50);
const FIRST = Number(process.env['STARLING_SIM_FIRST'] ?? 1);
const MAX_PEERS = Number(process.env['STARLING_SIM_PEERS'] ?? 20);
const IS_VERBOSE = process.env['STARLING_SIM_VERBOSE'] === '1';

/** What liars and stalls may cost on top: hedges begin after 2 s, the network gives a silent stream up after 10 s. */
const SLACK_MS = 15_000;

const seconds = (ms: number): string => (ms / 1000).toFixed(1);

function line(outcome: Outcome): string {
  const { seed, peers, tookMs, idealMs, bytesSent, mostBuffered, liarsCharged } = outcome;
  const time = `${seconds(tookMs)} s (at best ${seconds(idealMs)})`;
  return `seed ${seed}: ${peers} peers, ${time}, ${bytesSent} bytes, ${mostBuffered} held, ${liarsCharged} liars charged`;
}

function check(outcome: Outcome): void {
  const where = `seed ${outcome.seed}`;
  assert.deepEqual(outcome.fatal, [], where);
  assert.ok(outcome.isRightTip, `${where} ended at ${outcome.height}`);
  const beyondStalling = outcome.honestCharges.filter((charge) => !charge.includes(' stalled: '));
  assert.deepEqual(beyondStalling, [], `${where}: honest peers charged`);
  const charged = outcome.honestCharges.map((charge) => charge.split(' ')[0]);
  assert.equal(new Set(charged).size, charged.length, `${where}: an honest peer was charged twice`);
  assert.ok(outcome.mostBuffered <= outcome.allowedBuffered, `${where}: ${outcome.mostBuffered} bytes held`);
  assert.ok(outcome.tookMs <= 1.3 * outcome.idealMs + SLACK_MS, `${where}: ${line(outcome)}`);
  assert.equal(outcome.leftOpen, 0, `${where}: requests left open`);
  assert.equal(outcome.leftTimers, 0, `${where}: timers left`);
}

test(`${SEEDS} worlds end at the right tip, and no honest peer is blamed`, async (t) => {
  const blocks = buildBlocks(160, FIRST);
  const outcomes: Outcome[] = [];
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const outcome = await runWorld(seed, blocks, MAX_PEERS);
    if (IS_VERBOSE) t.diagnostic(line(outcome));
    check(outcome);
    outcomes.push(outcome);
  }
  const delays = outcomes.map(({ tookMs, idealMs }) => tookMs - idealMs * 1.3).sort((a, b) => a - b);
  const worst = outcomes.toSorted((a, b) => a.tookMs - 1.3 * a.idealMs - (b.tookMs - 1.3 * b.idealMs)).at(-1);
  const median = delays[delays.length >> 1] ?? 0;
  t.diagnostic(`beyond 1.3 of the ideal time: median ${seconds(median)} s, worst ${seconds(delays.at(-1) ?? 0)} s`);
  if (worst !== undefined) t.diagnostic(`worst: ${line(worst)}`);
});
