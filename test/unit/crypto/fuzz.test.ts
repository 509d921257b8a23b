/** The fuzz targets (scripts/fuzz.ts) on a few cases: they find nothing, and the same again for the same seed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secp256k1Engine } from '#crypto';
import { SHARE_CASES, shareSeed, sharesOf } from '../../../scripts/fuzz/target.ts';
import { TARGETS } from '../../../scripts/fuzz/targets.ts';

const skip = secp256k1Engine('bcrypto') === undefined && 'the native engine is not installed';

/** Those that need nothing from elsewhere. */
for (const target of TARGETS.filter(({ lacks }) => lacks === undefined)) {
  test(`fuzz target ${target.name}`, { skip }, async () => {
    await using stack = new AsyncDisposableStack();
    const run = await target.start(stack);
    const outcomes = await Array.fromAsync(run(1, 100));
    assert.equal(outcomes.length, 100);
    assert.deepEqual(
      outcomes.flatMap(({ difference }) => difference ?? []),
      [],
    );
    assert.ok(outcomes.some(({ isValid }) => isValid) && outcomes.some(({ isValid }) => !isValid));
    assert.deepEqual(await Array.fromAsync(run(1, 100)), outcomes);
  });
}

test('the shares of a run add up, and each has a seed of its own', () => {
  for (const cases of [1, SHARE_CASES, SHARE_CASES + 1, 1000]) {
    assert.equal(
      sharesOf(cases).reduce((sum, share) => sum + share, 0),
      cases,
    );
  }
  const seeds = [1, 2, 3].flatMap((seed) => sharesOf(100_000).map((_, share) => shareSeed(seed, share)));
  assert.equal(new Set(seeds).size, seeds.length);
});
