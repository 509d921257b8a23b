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

const LIMITED = `import { limitHeapGrowth } from '${HEAP_GROWTH}'; limitHeapGrowth();`;

function mostBytes(preamble: string, ...flags: readonly string[]): Most {
  const args = [...flags, '--input-type=module', '--eval', `${preamble}\n${CHURN}`];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as Most;
}

/** The same with old objects free to grow. Left alone V8 decides by how fast it collects, which depends on the machine. */
const LOOSE = `${LIMITED} import { setFlagsFromString } from 'node:v8'; setFlagsFromString('--heap-growing-percent=1000');`;

test('V8 takes a part of what it takes by itself', (t) => {
  const young = [mostBytes(LIMITED), mostBytes('')].map(({ new_space }) => new_space);
  // Old objects are collected beside the program: how many there are by then depends on the machine, unless it waits.
  const old = [mostBytes(LIMITED, '--single-threaded-gc'), mostBytes(LOOSE, '--single-threaded-gc')].map(
    ({ old_space }) => old_space,
  );
  for (const [name, [limited = 0, free = 0]] of Object.entries({ young, old })) {
    t.diagnostic(`${name} ${mib(limited)} instead of ${mib(free)} MiB`);
    assert.ok(limited < 0.75 * free, name);
  }
});

const mib = (bytes: number): number => bytes >> 20;
