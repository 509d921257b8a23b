/**
 * A disk that fills up: one clear line, nothing lost, and all goes on once there is room. A node goes on by itself.
 * STARLING_LONG=1 tries more sizes; STARLING_SEED picks others.
 */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { seededRandom } from '#util';
import { createProcesses } from '../support/processes.ts';
import { realChain, type SampleChain, wideChain } from '../support/sample-chain.ts';
import { createSmallDisk, type SmallDisk, whyNoSmallDisk } from '../support/small-disk.ts';
import { makeTempDir } from '../support/temp-dir.ts';

const IS_LONG = process.env['STARLING_LONG'] === '1';
const WORLDS = IS_LONG ? 10 : 1;
const SEED = Number(process.env['STARLING_SEED'] ?? 1);
const skip = whyNoSmallDisk() ?? false;
const timeout = IS_LONG ? 30 * 60_000 : 4 * 60_000;

/** Even the databases of a new node need some. */
const LEAST_KB = 700;
const LARGE = '256m';
/** Coins are written often. */
const SMALL_CACHE = ['--db-cache', '4'];
const WIDE = { blocks: 200, fan: 400 };

async function smallDisk(folder: string, kilobytes: number): Promise<SmallDisk> {
  const path = join(folder, 'disk');
  await mkdir(path);
  return createSmallDisk(path, `${kilobytes}k`);
}

test('a full disk during an import loses nothing', { skip, timeout }, async (t) => {
  await using scratch = await makeTempDir();
  const chain = await realChain(scratch.path);
  await using disk = await smallDisk(scratch.path, LEAST_KB);
  const nodes = await createProcesses(t, { ...chain, disk });
  const full = await nodes.run('import', 'victim', chain.file);
  assert.equal(full.code, 5);
  assert.match(full.err, /^starling: disk full: .*free some space\n$/);
  disk.resize(LARGE);
  const { height } = await nodes.info('victim');
  assert.ok(height > 0 && height < chain.height, `${height}`);
  await nodes.import('victim', chain.file);
  const figures = await nodes.info('victim');
  for (const [name, value] of Object.entries(chain.figures)) assert.equal(figures[name as keyof typeof figures], value);
});

/** Disks that grow a little whenever they are full, until they are large enough. */
async function syncOnGrowingDisk(t: TestContext, folder: string, chain: SampleChain, seed: number): Promise<void> {
  const random = seededRandom(seed);
  const elsewhere = await createProcesses(t, chain);
  await elsewhere.import('source', chain.file);
  const figures = await elsewhere.info('source');
  const source = elsewhere.start('source');
  let kilobytes = LEAST_KB + random.below(3500);
  await using disk = await smallDisk(folder, kilobytes);
  const nodes = await createProcesses(t, { ...chain, disk });
  const node = nodes.start('victim', ...SMALL_CACHE, '--listen', 'none', '--connect', await source.address());
  const isAtTip = (): boolean => node.tip?.hash === chain.tip;
  for (let rounds = 0; rounds < 3; rounds++) {
    const before = node.storeFailures;
    await node.until(() => isAtTip() || node.storeFailures > before);
    if (isAtTip()) break;
    t.diagnostic(`${kilobytes} kB were full at height ${node.height}`);
    if (rounds === 0) await node.until(() => /^disk full: .*free some space$/.test(node.stallReason));
    kilobytes += 100 + random.below(1500);
    disk.resize(`${kilobytes}k`);
  }
  assert.ok(node.storeFailures > 0, 'the disk was full');
  disk.resize(LARGE);
  await node.untilTip(chain.tip);
  await Promise.all([node.stop(), source.stop()]);
  assert.deepEqual(await nodes.info('victim'), figures);
}

for (let world = 0; world < WORLDS; world++) {
  test(`a node on a disk that is full for a while goes on by itself (${world})`, { skip, timeout }, async (t) => {
    await using scratch = await makeTempDir();
    const chain = await wideChain(join(scratch.path, 'wide.dat'), WIDE);
    await syncOnGrowingDisk(t, scratch.path, chain, SEED + world);
  });
}
