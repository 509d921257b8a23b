import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_BLOCKS } from '../../../../src/cli/top/collector.ts';
import { shortProtocol } from '../../../../src/cli/top/rates.ts';
import { hashOf, makeScene, peerAnswer } from './answers.ts';

test('headers are asked for once', async () => {
  const scene = makeScene();
  const first = await scene.collect();
  assert.deepEqual([first.blocks.length, first.blocks[0]?.hash], [MAX_BLOCKS, hashOf(870_123)]);
  scene.calls.length = 0;
  scene.node.height++;
  const second = await scene.collect();
  assert.equal(second.blocks[0]?.height, 870_124);
  assert.equal(scene.calls.filter((method) => method === 'getblockheader').length, 1);
});

test('a young chain has fewer blocks', async () => {
  const { blocks } = await makeScene({ height: 2 }).collect();
  assert.deepEqual(
    blocks.map(({ height }) => height),
    [2, 1, 0],
  );
});

test('rates are of the last two seconds, by peer and by protocol', async () => {
  const scene = makeScene();
  assert.equal((await scene.collect()).rate, undefined);
  await scene.clock.advance(2_000);
  scene.node.totalIn += 5_000;
  scene.node.peers = [
    peerAnswer(0, { bytesrecv: 2_000, bytesrecv_per_msg: { '/meshsub/1.2.0': 1_700 } }),
    // New: all that it sent, it sent meanwhile.
    peerAnswer(9, { bytesrecv: 400, bytesrecv_per_msg: { '/meshsub/1.2.0': 400 } }),
  ];
  const { rate, peers, protocols } = await scene.collect();
  assert.equal(rate?.bytesIn, 2_500);
  assert.deepEqual(
    peers.map((peer) => peer.rate?.bytesIn),
    [500, 200],
  );
  assert.equal(protocols.find(({ name }) => name === 'meshsub')?.rate?.bytesIn, 700);
  // Asked again at once: over the time since the first, not over the moment since the last.
  await scene.clock.advance(100);
  assert.equal((await scene.collect()).rate?.bytesIn, 5_000 / 2.1);
  // Then over the time since the second, which is long enough.
  await scene.clock.advance(1_900);
  assert.equal((await scene.collect()).rate?.bytesIn, 0);
});

test('events tell of the sync, and of who told of a block first', async () => {
  const scene = makeScene();
  const sync = { phase: 'at-tip', height: 870_123 };
  scene.collector.hear({ name: 'state', data: { sync, tip: { hash: hashOf(870_123), firstPeer: 'P', delayMs: 12 } } });
  scene.collector.hear({ name: 'transactions', data: { transactions: [{ txid: '00' }] } });
  const { blocks, sync: told } = await scene.collect();
  assert.deepEqual(told, sync);
  assert.deepEqual([blocks[0]?.firstPeer, blocks[0]?.delayMs], ['P', 12]);
  assert.deepEqual([blocks[1]?.firstPeer, blocks[1]?.delayMs], [undefined, undefined]);
  // A hundred blocks later it is forgotten.
  const later = Array.from({ length: 100 }, (_, at) => ({ hash: hashOf(at), firstPeer: 'P', delayMs: 1 }));
  scene.collector.hear({ name: 'blocks', data: { blocks: later } });
  scene.collector.forgetSync();
  const last = await scene.collect();
  assert.deepEqual([last.sync, last.blocks[0]?.firstPeer], [undefined, undefined]);
});

test('protocols have short names, in whatever form they are spoken', () => {
  const names = {
    '/starling/06226e46/txs/1/kept': 'txs',
    '/starling/06226e46/txs/1': 'txs',
    '/starling/06226e46/kad/1.0.0': 'kad',
    '/ipfs/id/push/1.0.0': 'id/push',
    '/libp2p/autonat/2/dial-request': 'autonat/2/dial-request',
    '/meshsub/1.2.0': 'meshsub',
    other: 'other',
  };
  for (const [id, name] of Object.entries(names)) assert.equal(shortProtocol(id), name);
});
