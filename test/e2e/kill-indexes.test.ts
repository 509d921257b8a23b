/**
 * SIGKILL at any moment leaves indexes that go on: a node with all of them is killed again and again while they follow,
 * and each time its chain has moved to another branch before they are opened again. At the end they answer as indexes do
 * that were built in one go.
 *
 * STARLING_LONG=1 makes it forty kills instead of four; STARLING_SEED picks other moments.
 */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { type TestContext, test } from 'node:test';
import { type Chain, networkDirectory, openChain } from '#chain';
import { type Indexes, openIndexes } from '#indexes';
import { loadNetwork } from '#node';
import { Block } from '#primitives';
import { nextTurn, nullLogger, seededRandom, systemClock } from '#util';
import { nthChange } from '../support/kill-moments.ts';
import { createProcesses } from '../support/processes.ts';
import { rivalChains } from '../support/sample-chain.ts';
import { makeTempDir } from '../support/temp-dir.ts';

const IS_LONG = process.env['STARLING_LONG'] === '1';
const KILLS = IS_LONG ? 40 : 4;
const SEED = Number(process.env['STARLING_SEED'] ?? 1);
const timeout = IS_LONG ? 30 * 60_000 : 4 * 60_000;
const FLAGS = ['--txindex', '--blockfilterindex', '--coinstatsindex', '--listen', 'none'];
/** The indexes write a batch a block. */
const WIDE = { blocks: 40, fan: 100 };
const MAX_CHANGES = 100;
const ALL = { txIndex: true, blockFilterIndex: true, coinStatsIndex: true };

function indexDirectories(datadir: string): string[] {
  const indexes = join(datadir, 'regtest', 'indexes');
  return [join(indexes, 'txindex'), join(indexes, 'blockfilter', 'basic'), join(indexes, 'coinstats')];
}

async function answersOf(datadir: string) {
  const params = await loadNetwork('regtest');
  await using chain = await openChain({ params, datadir, dbCacheBytes: 16 << 20 });
  await using indexes = await openIndexes(networkDirectory(datadir, params), ALL, {
    chain,
    clock: systemClock,
    log: nullLogger,
    onFatal: (error) => {
      throw error;
    },
  });
  while (!indexes.info().every(({ synced }) => synced)) await nextTurn();
  const answers: unknown[] = [];
  for (let height = 0; height <= chain.tip().height; height++) answers.push(await answersAt(chain, indexes, height));
  return answers;
}

async function answersAt(chain: Chain, indexes: Indexes, height: number) {
  const entry = chain.activeAt(height);
  assert.ok(entry);
  const { hash } = entry;
  const raw = await chain.readBlock(hash);
  assert.ok(raw);
  const { transactions } = new Block(raw);
  const places = await Promise.all(transactions.map(({ txid }) => indexes.transaction(txid)));
  assert.deepEqual(
    places.map((found) => found?.tx.txid),
    height === 0 ? [undefined] : transactions.map(({ txid }) => txid),
  );
  return {
    hash,
    in: places.map((found) => found?.blockHash),
    filter: await indexes.filter(hash),
    stats: await indexes.coinStats(height),
  };
}

/** Starts the node on what it has, and kills it at that change of the indexes' files, or once they are done. */
async function killedAt(nodes: Awaited<ReturnType<typeof createProcesses>>, changes: number): Promise<string> {
  using change = nthChange(indexDirectories(nodes.datadir('victim')), changes);
  const node = nodes.start('victim', ...FLAGS);
  const isDone = node.until(() => node.indexesAtTip.size === 3).then(() => 'done');
  const when = await Promise.race([change.reached.then(() => 'under way'), isDone]);
  await node.kill();
  await isDone.catch(() => {});
  return when;
}

test(`indexes of a node that is killed ${KILLS} times, on a chain that moves`, { timeout }, async (t: TestContext) => {
  await using scratch = await makeTempDir();
  const chains = await rivalChains(scratch.path, KILLS, WIDE);
  const nodes = await createProcesses(t, { network: 'regtest' });
  const random = seededRandom(SEED);
  // Only what is there can be watched.
  for (const directory of indexDirectories(nodes.datadir('victim'))) await mkdir(directory, { recursive: true });
  for (const chain of chains) {
    await nodes.import('victim', chain.file);
    const changes = 1 + random.below(MAX_CHANGES);
    t.diagnostic(`killed at change ${changes}, ${await killedAt(nodes, changes)}`);
  }
  const node = nodes.start('victim', ...FLAGS);
  await node.until(() => node.indexesAtTip.size === 3);
  await node.stop();
  const last = chains.at(-1);
  assert.ok(last);
  await nodes.import('straight', last.file);
  const [victim, straight] = [await answersOf(nodes.datadir('victim')), await answersOf(nodes.datadir('straight'))];
  assert.equal(victim.length, last.height + 1);
  assert.deepEqual(victim, straight);
});
