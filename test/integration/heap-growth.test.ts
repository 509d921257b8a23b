/** What bounds the heap leans on V8's inner workings, so it is tried on the real ones. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { test } from 'node:test';

const HEAP_GROWTH = new URL('../../src/cli/heap-growth.ts', import.meta.url).href;
/** Makes objects that survive a few collections, as blocks being connected do; prints the most that V8 took. */
const CHURN = `
  import { setImmediate } from 'node:timers/promises';
  import { getHeapSpaceStatistics } from 'node:v8';
  const most = { new_space: 0, old_space: 0 };
  let kept = [];
  for (let round = 0; round < 600; round++) {
    if (round % 20 === 0) kept = [];
    for (let made = 0; made < 10_000; made++) kept.push({ round, made: [made] });
    for (const { space_name, space_size } of getHeapSpaceStatistics()) {
      if (space_name in most) most[space_name] = Math.max(most[space_name], space_size);
    }
    await setImmediate();
  }
  console.log(JSON.stringify(most));
`;

type Most = { readonly new_space: number; readonly old_space: number };

function mostBytes(preamble: string): Most {
  const args = ['--input-type=module', '--eval', `${preamble}\n${CHURN}`];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as Most;
}

test('V8 takes a part of what it takes by itself', (t) => {
  const usual = mostBytes('');
  const limited = mostBytes(`import { limitHeapGrowth } from '${HEAP_GROWTH}'; limitHeapGrowth();`);
  t.diagnostic(`young ${mib(limited.new_space)} instead of ${mib(usual.new_space)} MiB`);
  t.diagnostic(`old ${mib(limited.old_space)} instead of ${mib(usual.old_space)} MiB`);
  assert.ok(limited.new_space < 0.75 * usual.new_space);
  assert.ok(limited.old_space < 0.75 * usual.old_space);
});

const mib = (bytes: number): number => bytes >> 20;
