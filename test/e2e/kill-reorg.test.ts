/**
 * SIGKILL in the middle of reorganisations: two branches with many coins overtake each other, each overtaking is
 * killed at a random moment between opening the data directory and the end, and the next one goes on from whatever was
 * left. Wherever the chain comes to rest, the coins are those of a node that nobody disturbed.
 *
 * STARLING_LONG=1 makes it forty kills instead of four; STARLING_SEED picks other moments.
 */
import assert from 'node:assert/strict';
import process from 'node:process';
import { test } from 'node:test';
import { seededRandom } from '#util';
import { directoriesOf, nthChange } from '../support/kill-moments.ts';
import { createProcesses, type Processes } from '../support/processes.ts';
import { rivalChains } from '../support/sample-chain.ts';
import { makeTempDir } from '../support/temp-dir.ts';

const IS_LONG = process.env['STARLING_LONG'] === '1';
const KILLS = IS_LONG ? 40 : 4;
const SEED = Number(process.env['STARLING_SEED'] ?? 1);
const timeout = IS_LONG ? 30 * 60_000 : 4 * 60_000;
/** Blocks of the first branch; each overtaking is one block deeper. */
const WIDE = { blocks: 50, fan: 400 };
/** Coins are written in the middle of a reorganisation, too. */
const SMALL_CACHE = ['--db-cache', '4'];

/** Imports the file and gives how long that took from the opening of the databases, ms; kills it after `killAfterMs`. */
async function importFor(nodes: Processes, name: string, file: string, killAfterMs?: number): Promise<number> {
  const { databases } = directoriesOf(nodes.datadir(name), 'regtest');
  using opened = nthChange(databases, 1);
  const child = nodes.spawn('import', name, ...SMALL_CACHE, file);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  await Promise.race([opened.reached, ended]);
  const openedMs = performance.now();
  // Not waited for: whatever the process does by then is the moment.
  const timer = killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  await ended;
  clearTimeout(timer);
  return performance.now() - openedMs;
}

test(`reorganisations, killed ${KILLS} times`, { timeout }, async (t) => {
  await using scratch = await makeTempDir();
  const random = seededRandom(SEED);
  const rivals = await rivalChains(scratch.path, KILLS + 2, WIDE);
  const [first, ...rest] = rivals;
  assert(first !== undefined);
  const nodes = await createProcesses(t, first);
  for (const name of ['victim', 'undisturbed']) await nodes.import(name, first.file);
  const last = rest.pop();
  assert(last !== undefined);
  const known = new Map([[first.tip, await nodes.info('undisturbed')]]);
  for (const { file, height, tip } of rest) {
    const wholeMs = await importFor(nodes, 'undisturbed', file);
    known.set(tip, await nodes.info('undisturbed'));
    const killMs = (wholeMs * random.below(1000)) / 1000;
    await importFor(nodes, 'victim', file, killMs);
    const found = await nodes.info('victim');
    // Between two ends of a branch there is nothing to compare with; the next round goes on from there.
    assert.deepEqual(found, known.get(found.bestblock) ?? found);
    t.diagnostic(
      `to ${height}: killed after ${killMs.toFixed()} of ${wholeMs.toFixed()} ms, came up at ${found.height}`,
    );
  }
  for (const name of ['victim', 'undisturbed']) await nodes.import(name, last.file);
  const figures = await nodes.info('undisturbed');
  assert.equal(figures.bestblock, last.tip);
  assert.deepEqual(await nodes.info('victim'), figures);
});
