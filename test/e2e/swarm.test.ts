/**
 * A seed and eight nodes, a process each: told only the seed they find each other; with the seed dead, whoever comes
 * back finds the others by what it remembers.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createChainBuilder, regtest } from '../support/chain-builder.ts';
import { createProcesses, type NodeProcess } from '../support/processes.ts';
import { writeChain } from '../support/sample-chain.ts';

const NODES = 8;
const ENOUGH_PEERS = 3;

test('eight nodes find each other by one seed, and lose nobody with it', async (t) => {
  const nodes = await createProcesses(t, { network: 'regtest' });
  const seed = nodes.start('seed');
  const told = ['--bootstrap', await seed.address()];
  const startedMs = performance.now();
  const swarm = Array.from({ length: NODES }, (_, index) => nodes.start(`node-${index}`, ...told));
  const others = (node: NodeProcess): string[] => [...node.peers].filter((id) => id !== seed.peerId);
  const sinceStart = (): number => (performance.now() - startedMs) / 1000;
  const up = await Promise.all(swarm.map((node) => node.address().then(sinceStart)));
  const found = await Promise.all(
    swarm.map((node) => node.until(() => others(node).length >= ENOUGH_PEERS).then(sinceStart)),
  );
  t.diagnostic(
    `${NODES} nodes started at once; the last was up after ${Math.max(...up).toFixed(1)} s, and all had ` +
      `${ENOUGH_PEERS} peers besides the seed after ${Math.max(...found).toFixed(1)} s`,
  );

  await seed.kill();
  const [absent, importer, ...rest] = swarm;
  assert(absent !== undefined && importer !== undefined);
  await Promise.all([absent.stop(), importer.stop()]);
  const builder = createChainBuilder(regtest());
  builder.mineMany(3);
  const chain = await writeChain(join(nodes.folder, 'three.dat'), builder);
  await nodes.import(importer.name, chain.file);

  // Both are still told of the seed alone, which is dead.
  const back = [nodes.start(importer.name, ...told), nodes.start(absent.name, ...told)];
  const rejoined = await Promise.all(
    back.map(async (node) => {
      await node.address();
      const upMs = performance.now();
      await node.until(() => node.peers.size > 0);
      return ((performance.now() - upMs) / 1000).toFixed(1);
    }),
  );
  t.diagnostic(`with the seed dead, two restarted nodes had a peer ${rejoined.join(' s and ')} s after they were up`);
  await Promise.all([...rest, ...back].map((node) => node.untilTip(chain.tip)));
  for (const node of back) assert.ok(!node.peers.has(seed.peerId));
  await Promise.all([...rest, ...back].map((node) => node.stop()));
});
