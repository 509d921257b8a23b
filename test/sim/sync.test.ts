/**
 * Simulated synchronisations over the real chain: each seed is a world of 1 to 50 peers with random rates (100 to 1),
 * latencies, losses, liars and churn, scaled so that the best possible time lies between one and thirty minutes.
 *
 * The bound: 1.3 of the best that the bandwidth of the honest peers with the right chain allows while they are
 * connected (`sync-oracle.ts`), or that the chain's own rate allows where that is less, and a few round trips.
 * Liars are not counted: those that behave at first, or serve the good part of a bad chain, may bring it below 1.
 *
 * Longer runs: STARLING_SIM_SEEDS=1000 (how many), STARLING_SIM_FIRST=1 (from which), STARLING_SIM_PEERS=50 (at most),
 * STARLING_SIM_VERBOSE=1 (a line a seed).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorText } from '#util';
import { buildBlocks, LARGEST_BLOCK } from './sync-blocks.ts';
import { OPTIONS } from './sync-node.ts';
import { type Leg, type Outcome, runWorld } from './sync-world.ts';

const SEEDS = Number(process.env['STARLING_SIM_SEEDS'] ?? 20);
const FIRST = Number(process.env['STARLING_SIM_FIRST'] ?? 1);
const MAX_PEERS = Number(process.env['STARLING_SIM_PEERS'] ?? 50);
const IS_VERBOSE = process.env['STARLING_SIM_VERBOSE'] === '1';

/** A world takes about 0.7 s of a core; the runner's own limit is for twenty of them. */
const timeout = 240_000 + 5_000 * SEEDS;

const FACTOR = 1.3;
/** Three requests for headers and the first for blocks, at the longest round trip of 600 ms. */
const ROUND_TRIPS_MS = 2_400;
/** Of the bytes that are needed. One world may be unlucky, the ordinary one not. */
const MAX_WASTE = 0.25;
const MAX_MEDIAN_WASTE = 0.08;
/** An honest peer stays far from the 60 points that cost it its connection: at any time, and were it to go on for hours. */
const MAX_HONEST_POINTS = 30;
const MAX_CHARGES_PER_HALF_LIFE = 6;

const seconds = (ms: number): string => (ms / 1000).toFixed(1);
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const ratioOf = (leg: Leg): number => leg.tookMs / leg.idealMs;
const worstRatio = ({ legs }: Outcome): number => Math.max(...legs.map(ratioOf));
const wasteOf = ({ twiceBytes, otherBytes, usefulBytes }: Outcome): number => (twiceBytes + otherBytes) / usefulBytes;

function line(outcome: Outcome): string {
  const { seed, kind, peers, liars, legs } = outcome;
  const times = legs.map((leg) => `${seconds(leg.tookMs)} s (${ratioOf(leg).toFixed(3)} of ${seconds(leg.idealMs)})`);
  return `seed ${seed}, ${kind}: ${peers} peers, ${liars} liars, ${times.join(' + ')}, wasted ${percent(wasteOf(outcome))}`;
}

function check(outcome: Outcome): void {
  const where = line(outcome);
  assert.deepEqual(outcome.fatal, [], where);
  assert.ok(outcome.isRightTip, `${where} ended at ${outcome.height}`);
  for (const { tookMs, idealMs } of outcome.legs) assert.ok(tookMs <= FACTOR * idealMs + ROUND_TRIPS_MS, where);
  assert.deepEqual(outcome.honestPunished, [], `${where}: honest peers punished`);
  assert.ok(outcome.mostHonestPoints <= MAX_HONEST_POINTS, `${where}: ${outcome.mostHonestPoints} points`);
  assert.ok(outcome.honestChargesPerHalfLife <= MAX_CHARGES_PER_HALF_LIFE, `${where}: honest peers charged too often`);
  assert.deepEqual(outcome.uncharged, [], `${where}: liars not charged`);
  const allowed = OPTIONS.blocks.intake.maxBytes + outcome.mostOpenRequests * LARGEST_BLOCK;
  assert.ok(outcome.mostHeldBytes <= allowed, `${where}: ${outcome.mostHeldBytes} bytes held, ${allowed} allowed`);
  assert.ok(wasteOf(outcome) <= MAX_WASTE, where);
  assert.equal(outcome.leftOpen, 0, `${where}: requests left open`);
  assert.equal(outcome.leftTimers, 0, `${where}: timers left`);
}

/** The value below which `share` of them lie. */
function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

function summary(name: string, outcomes: readonly Outcome[]): string {
  const ratios = outcomes.map(worstRatio);
  const [p50, p90, p99, most] = [0.5, 0.9, 0.99, 1].map((share) => quantile(ratios, share).toFixed(3));
  const wastes = outcomes.map(wasteOf);
  const waste = `${percent(quantile(wastes, 0.5))} in the median, ${percent(quantile(wastes, 1))} at most`;
  return `${name} (${outcomes.length}): time p50 ${p50}, p90 ${p90}, p99 ${p99}, max ${most} of the ideal; wasted ${waste}`;
}

test(
  `${SEEDS} worlds end at the right tip in 1.3 of the best time, and no honest peer is punished`,
  { timeout },
  async (t) => {
    const blocks = buildBlocks(1);
    const outcomes: Outcome[] = [];
    // All worlds are run, so that one that fails does not hide others.
    const failed: string[] = [];
    for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
      const outcome = await runWorld(seed, blocks, MAX_PEERS);
      if (IS_VERBOSE) t.diagnostic(line(outcome));
      try {
        check(outcome);
      } catch (error) {
        failed.push(errorText(error));
      }
      outcomes.push(outcome);
    }
    t.diagnostic(summary('all', outcomes));
    for (const [low, high] of [
      [1, 5],
      [6, 20],
      [21, MAX_PEERS + 1],
    ] as const) {
      const some = outcomes.filter(({ peers }) => peers >= low && peers <= high);
      if (some.length > 0) t.diagnostic(summary(`${low} to ${high} peers`, some));
    }
    assert.deepEqual(failed, []);
    assert.ok(quantile(outcomes.map(wasteOf), 0.5) <= MAX_MEDIAN_WASTE, 'the ordinary world wastes little');
  },
);
