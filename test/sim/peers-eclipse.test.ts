/**
 * An attacker with 1,000 identities in four netgroups besieges a node for simulated days: the node keeps honest outbound
 * peers and anchors, and honest peers get places among the inbound ones. The same attack on a node without netgroups, and
 * on what libp2p is by default, is printed beside it.
 * `STARLING_PEERS_SEEDS=5 npm test -- test/sim/peers-eclipse.test.ts` runs so many worlds of a week each instead of one of a
 * day.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runBare, runEclipse } from './peers-eclipse.ts';

const SEEDS = Number(process.env['STARLING_PEERS_SEEDS'] ?? 0);
const DAYS = SEEDS === 0 ? 1 : 7;
/** Of eight. */
const LEAST_HONEST = 6;

for (let seed = 1; seed <= Math.max(1, SEEDS); seed += 1) {
  test(`eclipse, seed ${seed}: ${DAYS} days`, async (t) => {
    const outcome = await runEclipse({ seed, days: DAYS });
    const { leastHonest, meanHonest, anchors, honestAnchors, meanHonestInbound, meanInbound } = outcome;
    t.diagnostic(
      `honest full-relay peers ${meanHonest.toFixed(1)} of 8 (never fewer than ${leastHonest}); honest anchors ` +
        `${honestAnchors} of ${anchors}; honest inbound peers ${meanHonestInbound.toFixed(0)} of ${meanInbound.toFixed(0)}`,
    );
    assert.ok(leastHonest >= LEAST_HONEST, `${leastHonest} of 8 outbound peers were honest`);
    assert.equal(anchors, 2 * 4 * DAYS, 'two at each restart');
    assert.equal(honestAnchors, anchors);
    assert.ok(meanInbound > 110, 'the places are filled');
    assert.ok(meanHonestInbound >= 20, `${meanHonestInbound} honest inbound peers`);
  });
}

test('the same attack on a node that knows no netgroups, and on libp2p by default', async (t) => {
  const { leastHonest, meanHonest, anchors, honestAnchors } = await runEclipse({
    seed: 1,
    days: DAYS,
    ignoresGroups: true,
  });
  t.diagnostic(
    `without netgroups: honest full-relay peers ${meanHonest.toFixed(1)} of 8 (at worst ${leastHonest}), honest anchors ` +
      `${honestAnchors} of ${anchors}`,
  );
  const { meanOutbound, honestShare, leastShare } = await runBare({ seed: 1, days: DAYS });
  t.diagnostic(
    `libp2p's defaults: honest ${(100 * honestShare).toFixed(0)} % of ${meanOutbound.toFixed(0)} outbound connections ` +
      `(at worst ${(100 * leastShare).toFixed(0)} %)`,
  );
  assert.ok(leastHonest < LEAST_HONEST, 'the attack would succeed');
  assert.ok(honestAnchors < anchors);
  assert.ok(honestShare < LEAST_HONEST / 8);
});
