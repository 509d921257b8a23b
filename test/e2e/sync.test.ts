/**
 * Nodes in processes of their own that are told one address: they find each other by the DHT, take the chain from
 * whoever has it, and end with the same coins.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createChainBuilder, regtest } from '../support/chain-builder.ts';
import { createProcesses } from '../support/processes.ts';
import { realChain, writeChain } from '../support/sample-chain.ts';
import { makeTempDir } from '../support/temp-dir.ts';

test('a node that is told only a seed without blocks finds who has them and ends with the same coins', async (t) => {
  await using scratch = await makeTempDir();
  const chain = await realChain(scratch.path);
  if (chain.network !== 'mainnet') t.diagnostic('shared/data is not there: on blocks made for the test');
  const nodes = await createProcesses(t, chain);
  await nodes.import('full', chain.file);
  const seed = nodes.start('seed');
  const bootstrap = ['--bootstrap', await seed.address()];
  const full = nodes.start('full', ...bootstrap);
  const startedMs = performance.now();
  const empty = nodes.start('empty', ...bootstrap);
  await Promise.all([seed, full, empty].map((node) => node.address()));
  assert.deepEqual([seed.startHeight, full.startHeight, empty.startHeight], [0, chain.height, 0]);
  await empty.until(() => empty.peers.has(full.peerId));
  const foundMs = performance.now() - startedMs;
  await empty.untilTip(chain.tip);
  const syncedMs = performance.now() - startedMs;
  t.diagnostic(`found after ${seconds(foundMs)}, synced ${chain.height} blocks after ${seconds(syncedMs)}`);

  const stops = await Promise.all([seed, full, empty].map((node) => node.stop()));
  t.diagnostic(`stopped within ${seconds(Math.max(...stops.map(({ stoppedInMs }) => stoppedInMs)))}`);
  const expected = await nodes.info('full');
  const known = Object.entries(expected).filter(([name]) => name in chain.figures);
  assert.deepEqual(Object.fromEntries(known), chain.figures);
  assert.deepEqual(await nodes.info('empty'), expected);
});

test('two halves with chains of their own meet by a bridge, and all end on the heavier one', async (t) => {
  const nodes = await createProcesses(t, { network: 'regtest' });
  const [lighter, heavier] = await Promise.all(
    [12, 15].map((length) => {
      const builder = createChainBuilder(regtest(), { seed: length });
      builder.mineMany(length);
      return writeChain(join(nodes.folder, `${length}.dat`), builder);
    }),
  );
  assert(lighter !== undefined && heavier !== undefined);
  await Promise.all([nodes.import('a1', lighter.file), nodes.import('b1', heavier.file)]);
  const [a1, b1] = [nodes.start('a1'), nodes.start('b1')];
  const a2 = nodes.start('a2', '--bootstrap', await a1.address());
  const b2 = nodes.start('b2', '--bootstrap', await b1.address());
  await Promise.all([a2.untilTip(lighter.tip), b2.untilTip(heavier.tip)]);
  const told = ['--bootstrap', await a2.address(), '--bootstrap', await b2.address()];
  const bridge = nodes.start('bridge', ...told);
  const all = [a1, a2, b1, b2, bridge];
  await Promise.all(all.map((node) => node.untilTip(heavier.tip)));
  await Promise.all(all.map((node) => node.stop()));
  const expected = await nodes.info('b1');
  assert.deepEqual([expected.height, expected.bestblock], [15, heavier.tip]);
  for (const { name } of [a1, a2, b2, bridge]) assert.deepEqual(await nodes.info(name), expected, name);
});

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
