/** Bitcoin Core itself judges the same blocks and scripts (`npm run fuzz -- core-blocks`, `core-scripts`): a few of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coreBlocks } from '../../scripts/fuzz/core-blocks.ts';
import { coreScripts } from '../../scripts/fuzz/core-scripts.ts';
import { coreLacks } from '../support/core-program.ts';

const skip = await coreLacks();
const CASES = 300;

for (const target of [coreBlocks, coreScripts]) {
  test(`${target.what}: no difference in ${CASES} cases`, { skip }, async () => {
    await using stack = new AsyncDisposableStack();
    const run = await target.start(stack);
    const outcomes = await Array.fromAsync(run(7, CASES));
    assert.deepEqual(
      outcomes.flatMap(({ difference }) => difference ?? []),
      [],
    );
    const valid = outcomes.filter(({ isValid }) => isValid).length;
    assert.ok(valid > CASES / 6 && valid < (CASES * 5) / 6, `${valid} of ${outcomes.length} are valid`);
  });
}
