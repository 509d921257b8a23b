/** `node.peers` of real nodes, one of them with its network in a thread: what peers claimed, and a ban over a restart. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadNetwork, type NodePeerDetails, type StarlingNode } from '#node';
import { testKey } from '../support/keys.ts';
import { addressesOf, createTestNodes, statusWhen } from '../support/test-nodes.ts';

async function peerWhen(node: StarlingNode, when: (peer: NodePeerDetails) => boolean): Promise<NodePeerDetails> {
  for (;;) {
    const found = (await node.peers.list()).find(when);
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test(
  'peers are listed with what they claim and proved, and a ban outlives a restart',
  { timeout: 120_000 },
  async () => {
    await using nodes = await createTestNodes(await loadNetwork('regtest'));
    const first = await nodes.start('first');
    assert.deepEqual(await first.mineBlock(testKey(0).p2pkh), { kind: 'accepted' });
    const bootstrap = await addressesOf(first);
    const second = await nodes.start('second', { bootstrap, netThread: 'worker' });
    const { id, claims, bestKnownHeight } = await peerWhen(second, ({ bestKnownHeight: best }) => best === 1);
    assert.equal(bestKnownHeight, 1);
    assert.equal(claims?.startHeight, 1);
    assert.match(claims?.userAgent ?? '', /^\/Starling:/);
    assert.ok(Math.abs(claims?.timeOffsetSeconds ?? 99) < 30);
    assert.equal(await second.peers.ban(id, { reason: 'for the test' }), 'banned');
    await statusWhen(second, ({ net }) => net.peers.length === 0);
    await second[Symbol.asyncDispose]();
    const again = await nodes.start('second', { bootstrap, netThread: 'worker' });
    assert.deepEqual(
      (await again.peers.bans()).map(({ address, reason }) => [address, reason]),
      [[id, 'for the test']],
    );
    assert.equal(await again.peers.tryOnce(bootstrap[0] ?? ''), 'failed');
    assert.equal(await again.peers.unban(id), 'lifted');
    await statusWhen(again, ({ net }) => net.peers.some((peer) => peer.id === id));
  },
);
