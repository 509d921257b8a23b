/**
 * SIGKILL at any moment costs time, never data. A node that syncs, and an import, are killed again and again: while
 * they open the data directory, while blocks are stored, while coins are written, while they stop. The moments are
 * changes of files and of the tip, chosen by a seed; each restart goes on from what was stored, and at the end the
 * coins are those of a node that nobody disturbed.
 *
 * STARLING_LONG=1 makes it fifty kills instead of five; STARLING_SEED picks other moments.
 */
import assert from 'node:assert/strict';
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { type TestContext, test } from 'node:test';
import { loadNetwork } from '#node';
import { seededRandom } from '#util';
import { directoriesOf, nthChange, sizeOf } from '../support/kill-moments.ts';
import { createProcesses, type NodeProcess, type Processes } from '../support/processes.ts';
import { realChain, type SampleChain, wideChain } from '../support/sample-chain.ts';
import { makeTempDir } from '../support/temp-dir.ts';

const IS_LONG = process.env['STARLING_LONG'] === '1';
const KILLS = IS_LONG ? 50 : 5;
const IMPORT_KILLS = IS_LONG ? 20 : 3;
const SEED = Number(process.env['STARLING_SEED'] ?? 1);
/** Of one test, in ms: fifty kills take longer than the runner allows by default. */
const timeout = IS_LONG ? 30 * 60_000 : 4 * 60_000;
/** The least that there is: coins are written every two MiB of changes. */
const SMALL_CACHE = ['--db-cache', '4'];
/** Coins are written once for 40 of these blocks. */
const WIDE = { blocks: IS_LONG ? 2000 : 200, fan: 400 };

type Moment =
  /** While the databases are opened, or while blocks that were not recorded are looked for. */
  | { readonly kind: 'starting'; readonly changes: number }
  /** So many changes of block files after this share of the chain was stored. */
  | { readonly kind: 'storing'; readonly share: number; readonly changes: number }
  /** While coins are written, from this share on. */
  | { readonly kind: 'writing'; readonly share: number; readonly changes: number }
  /** After a Ctrl-C, while everything is written. */
  | { readonly kind: 'stopping'; readonly share: number; readonly changes: number };

/** Moments that are chosen by what is stored leave the rest to do. */
const LAST_SHARE = 0.6;
/** A moment is at most so many changes away; to write everything at a stop takes few. */
const MAX_CHANGES: Readonly<Record<Moment['kind'], number>> = { starting: 12, storing: 12, writing: 6, stopping: 2 };

/** Numbers from 0 to 1, the same for the same seed. */
function randomNumbers(seed: number): () => number {
  const random = seededRandom(seed);
  return () => random.below(2 ** 32) / 2 ** 32;
}

/**
 * The kinds in turn, each at a moment of its own; shares rise, so that there is always something left to do. The last
 * fifth is killed while it stops: much is connected in the time that a stop takes.
 */
function chooseMoments(kinds: readonly Moment['kind'][], seed: number): Moment[] {
  const random = randomNumbers(seed);
  return Array.from({ length: KILLS }, (_, index) => {
    const kind = index >= 0.8 * KILLS ? 'stopping' : (kinds[index % kinds.length] ?? 'storing');
    const share = (LAST_SHARE * (index + random())) / KILLS;
    const changes = 1 + Math.floor(random() * MAX_CHANGES[kind]);
    return kind === 'starting' ? { kind, changes } : { kind, share, changes };
  });
}

/**
 * Waits for the moment in the life of a node that was just started, or for its end, or until there is nothing left to
 * do. True if the moment came.
 */
async function reach(moment: Moment, node: NodeProcess, chain: SampleChain, datadir: string): Promise<boolean> {
  const { top, blocks, databases } = directoriesOf(datadir, chain.network);
  const { kind, changes } = moment;
  const reached = (change: { readonly reached: Promise<void> }): Promise<boolean> => change.reached.then(() => true);
  if (kind === 'starting') {
    using change = nthChange([datadir, top, blocks, ...databases], changes);
    return await Promise.race([reached(change), node.until(() => node.startHeight !== undefined).then(() => false)]);
  }
  await node.until(() => node.startHeight !== undefined);
  const isOver = node.untilTip(chain.tip).catch(() => {});
  const bytes = moment.share * sizeOf(chain.file);
  if (kind === 'stopping') {
    using stored = nthChange([blocks], 1, blocks, bytes);
    await Promise.race([stored.reached, isOver]);
    using change = nthChange(databases, changes);
    node.signal('SIGINT');
    return await Promise.race([reached(change), node.ended.then(() => false)]);
  }
  using change = nthChange(kind === 'storing' ? [blocks] : databases, changes, blocks, bytes);
  return await Promise.race([reached(change), isOver.then(() => false)]);
}

/** Nodes that do nothing but serve the chain, and what they say of the coins. */
async function startSources(nodes: Processes, chain: SampleChain, count: number) {
  await nodes.import('source-0', chain.file);
  const figures = await nodes.info('source-0');
  for (const [name, value] of Object.entries(chain.figures)) assert.equal(figures[name as keyof typeof figures], value);
  const names = Array.from({ length: count }, (_, index) => `source-${index}`);
  for (const name of names.slice(1)) {
    await cp(nodes.datadir('source-0'), nodes.datadir(name), { recursive: true });
  }
  return { sources: names.map((name) => nodes.start(name)), figures };
}

/** Bodies from two peers at once arrive out of order. */
const SOURCES = 2;

async function killWhileSyncing(t: TestContext, chain: SampleChain, moments: readonly Moment[]): Promise<void> {
  const nodes = await createProcesses(t, chain);
  const { sources, figures } = await startSources(nodes, chain, SOURCES);
  const addresses = await Promise.all(sources.map((source) => source.address()));
  const flags = [...SMALL_CACHE, '--listen', 'none', ...addresses.flatMap((address) => ['--connect', address])];
  let lastHeight = 0;
  const startedAt = (node: NodeProcess): string => {
    if (node.startHeight === undefined) return 'not up';
    assert.ok(node.startHeight >= lastHeight, `came up at ${node.startHeight} after ${lastHeight}: progress was lost`);
    return `up at ${node.startHeight}`;
  };
  for (const moment of moments) {
    const node = nodes.start('victim', ...flags);
    const hasCome = await reach(moment, node, chain, nodes.datadir('victim'));
    const { signal } = await node.kill();
    const ending = `${signal === null ? 'ended by itself' : 'killed'} at ${node.height}${hasCome ? '' : ', late'}`;
    t.diagnostic(`${moment.kind.padEnd(8)} ${startedAt(node)}, ${ending}`);
    lastHeight = Math.max(lastHeight, node.height);
  }
  const node = nodes.start('victim', ...flags);
  await node.untilTip(chain.tip);
  t.diagnostic(`at last ${startedAt(node)}`);
  await Promise.all([node, ...sources].map((each) => each.stop()));
  assert.deepEqual(await nodes.info('victim'), figures);
}

test(`a node that syncs real blocks, killed ${KILLS} times`, { timeout }, async (t) => {
  await using scratch = await makeTempDir();
  const moments = chooseMoments(['storing', 'starting', 'storing'], SEED);
  await killWhileSyncing(t, await realChain(scratch.path), moments);
});

test(`a node that often writes coins, killed ${KILLS} times`, { timeout }, async (t) => {
  await using scratch = await makeTempDir();
  const chain = await wideChain(join(scratch.path, 'wide.dat'), WIDE);
  await killWhileSyncing(t, chain, chooseMoments(['writing', 'starting', 'writing'], SEED));
});

test(`an import, killed ${IMPORT_KILLS} times`, { timeout }, async (t) => {
  await using scratch = await makeTempDir();
  const chain = await wideChain(join(scratch.path, 'wide.dat'), WIDE);
  const nodes = await createProcesses(t, chain);
  await nodes.import('undisturbed', chain.file);
  const random = randomNumbers(SEED);
  const { blocks, databases } = directoriesOf(nodes.datadir('victim'), chain.network);
  const size = LAST_SHARE * sizeOf(chain.file);
  // Only what is there can be watched: a first import that finds nothing to do makes the folders.
  const nothing = join(nodes.folder, 'nothing.dat');
  await writeFile(nothing, (await loadNetwork(chain.network)).genesis.raw);
  await nodes.import('victim', nothing);
  for (let i = 0; i < IMPORT_KILLS; i++) {
    const child = nodes.spawn('import', 'victim', ...SMALL_CACHE, chain.file);
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    // While blocks are stored and while coins are written, in turn.
    const directories = i % 2 === 0 ? [blocks] : databases;
    const bytes = (random() + i) * (size / IMPORT_KILLS);
    using moment = nthChange(directories, 1 + Math.floor(random() * MAX_CHANGES.writing), blocks, bytes);
    const hasCome = await Promise.race([moment.reached.then(() => true), ended.then(() => false)]);
    child.kill('SIGKILL');
    await ended;
    t.diagnostic(hasCome ? 'killed' : 'ended before the moment came');
  }
  const { code, out } = await nodes.run('import', 'victim', chain.file);
  t.diagnostic(out.trim());
  assert.equal(code, 0);
  assert.match(out, /; [\d,]+ known before; /, 'progress is kept');
  assert.deepEqual(await nodes.info('victim'), await nodes.info('undisturbed'));
});
