/**
 * SIGKILL of imports at random moments between opening the data directory and the end: while two branches with many
 * coins overtake each other, and while old files are pruned. Each time the next import goes on from whatever was left.
 * Wherever the chain comes to rest, the coins are those of a node that nobody disturbed.
 *
 * STARLING_LONG=1 makes it forty kills each instead of two; STARLING_SEED picks other moments.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { type TestContext, test } from 'node:test';
import { seededRandom } from '#util';
import { directoriesOf, nthChange } from '../support/kill-moments.ts';
import { createProcesses, type Processes } from '../support/processes.ts';
import { growingChains, rivalChains, type SampleChain } from '../support/sample-chain.ts';
import { makeTempDir } from '../support/temp-dir.ts';

const IS_LONG = process.env['STARLING_LONG'] === '1';
const KILLS = IS_LONG ? 40 : 2;
const SEED = Number(process.env['STARLING_SEED'] ?? 1);
const timeout = IS_LONG ? 40 * 60_000 : 4 * 60_000;
/** Coins are written in the middle of a reorganisation, too. */
const SMALL_CACHE = ['--db-cache', '4'];
const PRUNE = ['--prune', '1', '--fast-prune'];
/** Blocks of the first branch; each overtaking is one block deeper. */
const RIVALS = { blocks: 50, fan: 400 };
/** A file of 64 KiB has some eleven of these; from two MiB on there is something to prune each time. */
const GROWING = { blocks: 330, fan: 400, step: 30 };

/** Imports the file and gives how long that took from the opening of the databases, ms; kills it after `killAfterMs`. */
async function importFor(nodes: Processes, name: string, args: readonly string[], killAfterMs?: number) {
  const { databases } = directoriesOf(nodes.datadir(name), 'regtest');
  using opened = nthChange(databases, 1);
  const child = nodes.spawn('import', name, ...args);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  await Promise.race([opened.reached, ended]);
  const openedMs = performance.now();
  // Not waited for: whatever the process does by then is the moment.
  const timer = killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  await ended;
  clearTimeout(timer);
  return performance.now() - openedMs;
}

/** Imports all of `chains` one after the other; those between the first and the last are killed. */
async function killImports(t: TestContext, chains: readonly SampleChain[], flags: readonly string[]) {
  const random = seededRandom(SEED);
  const [first, ...rest] = chains;
  const last = rest.pop();
  assert(first !== undefined && last !== undefined);
  const nodes = await createProcesses(t, first);
  const importBoth = async ({ file }: SampleChain): Promise<void> => {
    for (const name of ['victim', 'undisturbed']) await importFor(nodes, name, [...flags, file]);
  };
  await importBoth(first);
  const known = new Map([[first.tip, await nodes.info('undisturbed')]]);
  for (const { file, height, tip } of rest) {
    const wholeMs = await importFor(nodes, 'undisturbed', [...flags, file]);
    known.set(tip, await nodes.info('undisturbed'));
    const killMs = (wholeMs * random.below(1000)) / 1000;
    await importFor(nodes, 'victim', [...flags, file], killMs);
    const found = await nodes.info('victim');
    // Between two ends of a branch there is nothing to compare with; the next round goes on from there.
    assert.deepEqual(found, known.get(found.bestblock) ?? found);
    t.diagnostic(
      `to ${height}: killed after ${killMs.toFixed()} of ${wholeMs.toFixed()} ms, came up at ${found.height}`,
    );
  }
  await importBoth(last);
  const figures = await nodes.info('undisturbed');
  assert.equal(figures.bestblock, last.tip);
  assert.deepEqual(await nodes.info('victim'), figures);
  return nodes;
}

test(`reorganisations, killed ${KILLS} times`, { timeout }, async (t) => {
  await using scratch = await makeTempDir();
  await killImports(t, await rivalChains(scratch.path, KILLS + 2, RIVALS), SMALL_CACHE);
});

test(`pruning, killed ${KILLS} times`, { timeout }, async (t) => {
  await using scratch = await makeTempDir();
  const chains = await growingChains(scratch.path, KILLS + 2, GROWING);
  const nodes = await killImports(t, chains, [...SMALL_CACHE, ...PRUNE]);
  for (const name of ['victim', 'undisturbed']) {
    const { blocks } = directoriesOf(nodes.datadir(name), 'regtest');
    assert.ok(!existsSync(join(blocks, 'blk00000.dat')), `${name} has pruned`);
  }
});
