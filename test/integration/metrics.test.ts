/** The listener of --metrics over real sockets: its paths, whom it answers, and what it says of a real node. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type MetricsServer, startMetrics } from '#metrics';
import { nullLogger, systemClock } from '#util';
import { regtest } from '../support/chain-builder.ts';
import { parseExposition } from '../support/exposition.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { type HttpAnswer, type HttpRequest, httpRequest } from '../support/rpc-client.ts';
import { makeTempDir } from '../support/temp-dir.ts';
import { addressesOf, createTestNodes, phaseOf, statusWhen, tipOf } from '../support/test-nodes.ts';

/** OP_TRUE. */
const ANYONE = Uint8Array.of(0x51);

function start(allowHosts: readonly string[] = []): Promise<MetricsServer> {
  const endpoint = { host: '127.0.0.1', port: 0 };
  return startMetrics({ endpoint, allowHosts }, { clock: systemClock, log: nullLogger });
}

function get({ address }: MetricsServer, path: string, options: HttpRequest = {}): Promise<HttpAnswer> {
  return httpRequest(address, { method: 'GET', path, ...options });
}

test('before there is a node it is live, and not ready', async () => {
  await using server = await start();
  const live = await get(server, '/live');
  assert.deepEqual([live.status, live.text], [200, 'live\n']);
  assert.equal((await get(server, '/ready')).status, 503);
  assert.equal((await get(server, '/metrics')).status, 503);
  assert.equal((await get(server, '/')).status, 404);
  const posted = await get(server, '/metrics', { method: 'POST', body: 'x' });
  assert.deepEqual([posted.status, posted.headers['allow']], [405, 'GET, HEAD']);
});

test('a name that was not allowed is refused as host', async () => {
  await using server = await start(['node.example']);
  const status = async (host: string): Promise<number> => (await get(server, '/live', { headers: { host } })).status;
  assert.equal(await status('evil.example'), 403);
  assert.equal(await status('node.example:9332'), 200);
  assert.equal(await status('localhost:9332'), 200);
});

test('a node that does not answer is not ready, is asked once, and is live', async () => {
  await using nodes = await createTestNodes(regtest());
  await using folder = await makeTempDir();
  const clock = createManualClock();
  const endpoint = { host: '127.0.0.1', port: 0 };
  await using server = await startMetrics({ endpoint, allowHosts: [] }, { clock, log: nullLogger });
  const node = await nodes.start('silent');
  let asked = 0;
  const silent = (): Promise<never> => {
    asked += 1;
    return new Promise(() => {});
  };
  using _followed = server.follow({ ...node, status: silent }, folder.path);
  for (const path of ['/ready', '/metrics']) {
    asked = 0;
    const waiting = [get(server, path), get(server, path)];
    // Both are in: each waits with a timer of its own.
    while (clock.pending() < waiting.length) await nextTurn();
    await clock.advance(8_000);
    for (const { status, text } of await Promise.all(waiting)) {
      assert.deepEqual([status, text], [503, 'the figures of the node could not be read; its log says why\n'], path);
    }
    assert.equal(asked, 1, path);
  }
  assert.equal((await get(server, '/live')).status, 200);
});

test('a taken port is told with what wanted it', async () => {
  await using server = await start();
  const [host = '', port] = server.address.split(':');
  await assert.rejects(
    startMetrics({ endpoint: { host, port: Number(port) }, allowHosts: [] }, { clock: systemClock, log: nullLogger }),
    { code: 'NETWORK', message: /^the listener of --metrics cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE/ },
  );
});

test('a node with a peer is ready; its figures are the text format and agree with it', async () => {
  await using nodes = await createTestNodes(regtest());
  await using folder = await makeTempDir();
  await using server = await start();
  const miner = await nodes.start('miner');
  using followed = server.follow(miner, folder.path);
  const alone = await get(server, '/ready');
  assert.deepEqual([alone.status, alone.text], [503, 'no peer is connected\n']);

  const value = async (sample: string): Promise<number | undefined> => {
    const { status, text, headers } = await get(server, '/metrics');
    assert.deepEqual([status, headers['content-type']], [200, 'text/plain; version=0.0.4; charset=utf-8']);
    return parseExposition(text)
      .get(sample.replace(/(?:_count|_sum|_bucket)?(?:\{.*)?$/, ''))
      ?.samples.get(sample);
  };
  for (let i = 0; i < 3; i++) await miner.mineBlock(ANYONE);
  assert.equal(await value('starling_chain_height'), 3);
  assert.equal(await value('starling_chain_reorganisation_blocks_count'), 0);

  await nodes.start('other', { connect: await addressesOf(miner) });
  await statusWhen(miner, ({ net }) => net.peers.length === 1);
  await phaseOf(miner, 'at-tip');
  const ready = await get(server, '/ready');
  assert.deepEqual([ready.status, ready.text], [200, 'ready\n']);
  assert.equal(await value('starling_peers_connected{kind="inbound"}'), 1);
  assert.equal(await value('starling_sync_phase{phase="at-tip"}'), 1);
  assert.equal(await value('starling_node_network{network="regtest"}'), 1);
  assert.ok(((await value('process_resident_memory_bytes')) ?? 0) > 1e6);

  const left = miner.chain.tip().hash;
  const second = miner.chain.activeAt(2)?.hash ?? assert.fail();
  await miner.chain.invalidateBlock(second);
  await tipOf(miner, (tip) => tip.hash !== left);
  assert.equal(await value('starling_chain_reorganisation_blocks_count'), 1);
  assert.equal(await value('starling_chain_disconnected_blocks_total'), 2);

  // Several at once are one reading.
  const texts = await Promise.all([1, 2, 3].map(async () => (await get(server, '/metrics')).status));
  assert.deepEqual(texts, [200, 200, 200]);
  followed[Symbol.dispose]();
  assert.equal((await get(server, '/metrics')).status, 503);
  assert.equal((await get(server, '/live')).status, 200);
});
