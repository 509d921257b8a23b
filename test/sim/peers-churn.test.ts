/**
 * A fifth of 200 nodes is replaced every minute: those that are there hang together, fill each slot again within a minute,
 * and do not lean on the seeds. The real address manager, slots and reputation on a modelled network.
 * `STARLING_PEERS_SEEDS=6 npm test -- test/sim/peers-churn.test.ts` runs as many worlds, the first of the whole size for 20
 * minutes.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ChurnPlan, runChurn } from './peers-churn.ts';

const SEEDS = Number(process.env['STARLING_PEERS_SEEDS'] ?? 0);
const SMALL: Omit<ChurnPlan, 'seed'> = { nodes: 60, replaced: 12, minutes: 6 };
const WHOLE: Omit<ChurnPlan, 'seed'> = { nodes: 200, replaced: 40, minutes: 20 };

const plans: readonly ChurnPlan[] =
  SEEDS === 0
    ? [{ seed: 1, ...SMALL }]
    : Array.from({ length: SEEDS }, (_, index) => ({ seed: index + 1, ...(index === 0 ? WHOLE : SMALL) }));

for (const plan of plans) {
  test(`churn, seed ${plan.seed}: ${plan.nodes} nodes, ${plan.replaced} replaced a minute`, async (t) => {
    const outcome = await runChurn(plan);
    const { splits, looks, losses, longestRefillMs, seedShare, lookups } = outcome;
    t.diagnostic(
      `${looks} looks, ${splits} splits; ${losses} slots lost, filled again within ${longestRefillMs / 1000} s at most; ` +
        `${(100 * seedShare).toFixed(1)} % of ${lookups} lookups asked a seed`,
    );
    assert.equal(splits, 0, 'the network fell apart');
    assert.ok(losses > plan.minutes * plan.replaced, 'slots were lost');
    assert.ok(longestRefillMs <= 60_000, `a slot stayed empty for ${longestRefillMs} ms`);
    assert.ok(lookups > 100, 'there were lookups');
    assert.ok(seedShare < 0.05, `${seedShare} of the lookups asked seeds`);
  });
}
