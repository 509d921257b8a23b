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
