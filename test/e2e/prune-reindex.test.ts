/** Pruned nodes and rebuilt ones, as people run them: what is on the disk, what peers get from it, what is refused. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createChainBuilder, regtest } from '../support/chain-builder.ts';
import { createProcesses, type Processes } from '../support/processes.ts';
import { type SampleChain, writeChain } from '../support/sample-chain.ts';

const BLOCKS = 2500;
/** About 600 bytes a block: a hundred a file of 64 KiB, one and a half MiB in all. */
const OPTIONS = { coinbaseScript: new Uint8Array(400) };
const PRUNE = ['--prune', '1', '--fast-prune'];

const builder = createChainBuilder(regtest());
builder.mineMany(BLOCKS, OPTIONS);

async function setUp(t: TestContext): Promise<{ readonly nodes: Processes; readonly chain: SampleChain }> {
  const nodes = await createProcesses(t, { network: 'regtest' });
  return { nodes, chain: await writeChain(join(nodes.folder, 'chain.dat'), builder) };
}

function blocksOf(nodes: Processes, name: string): string {
  return join(nodes.datadir(name), 'regtest', 'blocks');
}

/** What `starling info` says of the coins, and what it says of pruning. */
async function infoOf(nodes: Processes, name: string) {
  const { code, out, err } = await nodes.run('info', name, '--json');
  assert.equal(code, 0, err);
  const { size_on_disk, pruned, pruneheight, prune_target_size, ...coins } = JSON.parse(out);
  return { coins, prune: { size_on_disk, pruned, pruneheight, prune_target_size } };
}

test('a pruned node: old files go, and peers take from it what it has', async (t) => {
  const { nodes, chain } = await setUp(t);
  await nodes.import('full', chain.file);
  const pruning = await nodes.run('import', 'pruned', ...PRUNE, chain.file);
  assert.equal(pruning.code, 0, pruning.err);
  const full = await infoOf(nodes, 'full');
  const pruned = await infoOf(nodes, 'pruned');
  assert.deepEqual(pruned.coins, full.coins);
  assert.deepEqual(full.prune.pruned, false);
  const { pruneheight, ...rest } = pruned.prune;
  assert.ok(pruneheight > 0 && pruneheight <= BLOCKS - 287, `${pruneheight}`);
  assert.deepEqual([rest.pruned, rest.prune_target_size], [true, 1 << 20]);
  assert.ok(rest.size_on_disk < 1 << 20, `${rest.size_on_disk}`);
  assert.ok(!existsSync(join(blocksOf(nodes, 'pruned'), 'blk00000.dat')));

  const refused = await nodes.run('import', 'pruned', chain.file);
  assert.equal(refused.code, 2);
  assert.match(refused.err, /^starling: blocks of this data directory were pruned; start with --prune MIB.*\n$/);
  const exported = await nodes.run('export', 'pruned', join(nodes.folder, 'out.dat'));
  assert.equal(exported.code, 4);
  assert.match(exported.err, new RegExp(`blocks below ${pruneheight} were pruned; export from there: --from`));
  const coins = await nodes.run('import', 'pruned', ...PRUNE, '--reindex-chainstate', chain.file);
  assert.deepEqual([coins.code, /use --reindex, which downloads/.test(coins.err)], [2, true]);

  const source = nodes.start('pruned', ...PRUNE);
  const address = await source.address();
  assert.equal(source.startHeight, BLOCKS);
  const alone = nodes.start('empty', '--connect', address);
  await alone.until(() => alone.transcript().includes('no connected peer serves the blocks after 0'));
  assert.equal(alone.height, 0);
  const whole = nodes.start('full');
  await alone.stop();
  const syncing = nodes.start('empty', '--connect', address, '--connect', await whole.address());
  await syncing.untilTip(chain.tip);
  for (const node of [alone, syncing]) assert.doesNotMatch(node.transcript(), /charged|banned/);
  await Promise.all([source, whole, syncing].map((node) => node.stop()));
  assert.deepEqual((await infoOf(nodes, 'empty')).coins, full.coins);
});

test('--reindex and --reindex-chainstate give the same coins, also when they are stopped or killed', async (t) => {
  const { nodes, chain } = await setUp(t);
  const imported = await nodes.run('import', 'it', '--fast-prune', chain.file);
  assert.equal(imported.code, 0, imported.err);
  const before = await infoOf(nodes, 'it');
  const rebuild = async (...flags: readonly string[]): Promise<void> => {
    const node = nodes.start('it', '--listen', 'none', '--fast-prune', ...flags);
    await node.until(() => node.startHeight !== undefined);
    assert.equal(node.startHeight, BLOCKS, flags.join());
    await node.stop();
    assert.deepEqual((await infoOf(nodes, 'it')).coins, before.coins);
  };
  await rebuild('--reindex-chainstate');
  await rebuild('--reindex');

  const stopped = nodes.start('it', '--listen', 'none', '--fast-prune', '--reindex');
  await stopped.until(() => stopped.transcript().includes('indexed the block files'));
  await stopped.stop();
  t.diagnostic(stopped.transcript().split('\n').at(-1) ?? '');
  await rebuild();
  const killed = nodes.start('it', '--listen', 'none', '--fast-prune', '--reindex');
  await killed.until(() => killed.transcript().includes('indexed the block files'));
  await killed.kill();
  await rebuild();

  // A damaged file: what is whole in it is kept, the rest said.
  const first = join(blocksOf(nodes, 'it'), 'blk00003.dat');
  const bytes = await readFile(first);
  bytes.fill(0xee, 2000, 2050);
  await writeFile(first, bytes);
  const files = readdirSync(blocksOf(nodes, 'it')).filter((name) => name.startsWith('blk')).length;
  const damaged = nodes.start('it', '--listen', 'none', '--fast-prune', '--reindex');
  await damaged.until(() => damaged.startHeight !== undefined);
  assert.ok((damaged.startHeight ?? 0) > 200 && (damaged.startHeight ?? 0) < 500, `${damaged.startHeight}`);
  assert.match(damaged.transcript(), /"file":3,.*left out of the index/);
  await damaged.stop();
  assert.equal(readdirSync(blocksOf(nodes, 'it')).filter((name) => name.startsWith('blk')).length, files);
  const again = await nodes.run('import', 'it', '--fast-prune', chain.file);
  assert.equal(again.code, 0, again.err);
  assert.deepEqual((await infoOf(nodes, 'it')).coins, before.coins);
});

test('an index that was removed is built anew only when it is asked for', async (t) => {
  const { nodes, chain } = await setUp(t);
  await nodes.import('it', chain.file);
  const before = await nodes.info('it');
  await rm(join(blocksOf(nodes, 'it'), 'index'), { recursive: true });
  const refused = await nodes.run('info', 'it');
  assert.equal(refused.code, 4);
  assert.match(refused.err, /^starling: there are blocks but no block index; start with --reindex .*\n$/);
  assert.equal((await nodes.run('import', 'it', '--reindex', chain.file)).code, 0);
  assert.deepEqual(await nodes.info('it'), before);
});
