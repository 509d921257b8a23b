/** What our hello says of the blocks we have. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PeerInfo } from '#net';
import { type Hello, SERVICES } from '#protocol';
import { nullLogger } from '#util';
import { Peers } from '../../../src/node/peers.ts';
import { createChainBuilder, regtest } from '../../support/chain-builder.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { createTestDisk, openTestChain } from '../../support/test-chain.ts';

const builder = createChainBuilder(regtest(), { seed: 51 });
builder.mineMany(330);

test('a node that keeps all says so; a pruned one says what it still has, and again when that changes', async () => {
  for (const pruneBytes of [0, 1]) {
    const clock = createManualClock(1_800_000_000_000);
    const maxFileBytes = 2048;
    const chain = await openTestChain(regtest(), createTestDisk(maxFileBytes), { pruneBytes, maxFileBytes });
    for (const block of builder.blocks.slice(0, 250)) await chain.submitBlock(block);
    const said: Hello[] = [];
    const peers = new Peers({
      chain,
      net: { charge: () => {}, confirmPeer: () => {}, disconnect: () => {} },
      requests: {
        hello: async (_, ours) => {
          said.push(ours);
          return { ...ours, nonce: 2n };
        },
      },
      sync: { peerReady: () => {}, peerUpdated: () => {}, peerGone: () => {} },
      clock,
      log: nullLogger,
      nonce: 1n,
      userAgent: '/test/',
      wantsTransactions: () => true,
      feeFilterSatPerKvb: () => 0n,
    });
    chain.observe({ pruned: () => peers.tipMoved() });
    peers.connected({ id: 'peer', direction: 'outbound', kind: 'full-relay' } as PeerInfo);
    assert.deepEqual(peers.ready(), []);
    await clock.advance(7000);
    assert.deepEqual(peers.ready(), [{ id: 'peer', kind: 'full-relay', isOutbound: true, tipHash: chain.tip().hash }]);
    for (const block of builder.blocks.slice(250)) await chain.submitBlock(block);
    await clock.advance(7000);
    const [first, last] = [said[0], said.at(-1)];
    assert(first !== undefined && last !== undefined);
    const limited = SERVICES.witness | SERVICES.networkLimited;
    assert.equal(first.services, pruneBytes === 0 ? SERVICES.network | limited : limited);
    assert.equal(first.lowestHeightServed, 0);
    assert.equal(last.lowestHeightServed, chain.lowestStoredHeight());
    assert.equal(said.length, pruneBytes === 0 ? 1 : 2, 'however many files went');
    assert.equal(last.lowestHeightServed > 0, pruneBytes !== 0);
    peers.close();
  }
});

test('block-only peers hear that we want no transactions; a feeler is confirmed and no more', async () => {
  const clock = createManualClock(1_800_000_000_000);
  const chain = await openTestChain(regtest());
  const said: string[] = [];
  const helloes = new Map<string, boolean>();
  let relaysTheirs = true;
  const peers = new Peers({
    chain,
    net: {
      charge: () => {},
      confirmPeer: (peer, relays) => said.push(`confirm ${peer} ${relays}`),
      disconnect: () => {},
    },
    requests: {
      hello: async (peer, ours) => {
        helloes.set(peer, ours.relay);
        return { ...ours, nonce: 2n, relay: relaysTheirs };
      },
    },
    sync: {
      peerReady: (peer) => said.push(`ready ${peer}`),
      peerUpdated: () => {},
      peerGone: (peer) => said.push(`gone ${peer}`),
    },
    clock,
    log: nullLogger,
    nonce: 1n,
    userAgent: '/test/',
    wantsTransactions: () => true,
    feeFilterSatPerKvb: () => 0n,
  });
  for (const kind of ['full-relay', 'block-only', 'feeler'] as const) {
    peers.connected({ id: kind, direction: 'outbound', kind } as PeerInfo);
  }
  await clock.advance(7_000);
  assert.deepEqual(Object.fromEntries(helloes), { 'full-relay': true, 'block-only': false, feeler: true });
  const confirmed = ['full-relay', 'block-only', 'feeler'].map((peer) => `confirm ${peer} true`);
  assert.deepEqual(said.toSorted(), [...confirmed, 'ready block-only', 'ready full-relay'].toSorted());
  assert.deepEqual([peers.isBlockOnly('block-only'), peers.isBlockOnly('full-relay')], [true, false]);
  peers.disconnected('feeler', 'done');
  // A later hello that says otherwise about transactions is told on.
  [said.length, relaysTheirs] = [0, false];
  await clock.advance(5 * 60_000);
  assert.deepEqual(said.toSorted(), ['confirm block-only false', 'confirm full-relay false']);
  peers.close();
});
