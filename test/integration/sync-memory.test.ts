/**
 * A peer that sends as fast as it can, and a store that takes nothing for now: what the node holds stays within the
 * budgets that `src/net/README.md` lists, and once the store works the sync ends. Real sockets; the network in a thread
 * of its own, as in a node, so that every queue between socket and store is there.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Chain } from '#chain';
import { createWorkerNet } from '#net';
import { networkId } from '#protocol';
import { createSync, syncDefaults } from '#sync';
import { createLateNet } from '../../src/node/late-net.ts';
import { Peers } from '../../src/node/peers.ts';
import { createRequests } from '../../src/node/requests.ts';
import { createChainBuilder, regtest } from '../support/chain-builder.ts';
import { startServingPeer } from '../support/serving-peer.ts';
import { openTestChain } from '../support/test-chain.ts';
import { deps, netOptions } from './net-support.ts';

const MIB = 1 << 20;
/** So small that sync takes it for granted that a hundred of the next ones fit into its budget. */
const SMALL_BLOCKS = 200;
const LARGE_BLOCKS = 80;
const LARGE_BYTES = 990_000;
/**
 * Of one request: between the threads; in libp2p's window and our reader; and three bodies, of which one is put
 * together, one waits for room between the threads, and one was taken when the intake was full.
 */
const REQUEST_BYTES = 8 * MIB + 2 * MIB + 3 * LARGE_BYTES;
const BUDGET_BYTES = syncDefaults.blocks.intake.maxBytes + syncDefaults.blocks.maxBatchesPerPeer * REQUEST_BYTES;

test('a peer that sends at full speed to a store that stands still fills the budgets and no more', async (t) => {
  await using stack = new AsyncDisposableStack();
  const builder = createChainBuilder(regtest());
  builder.mineMany(SMALL_BLOCKS);
  builder.mineMany(LARGE_BLOCKS, { coinbaseScript: new Uint8Array(LARGE_BYTES) });
  const source = stack.use(await openTestChain(builder.params));
  for (const block of builder.blocks) await source.submitBlock(block);
  let served = 0;
  const flooder = stack.use(
    await startServingPeer(source, {
      twist: (honest) =>
        async function* (name, ...rest) {
          for await (const frame of honest(name, ...rest)) {
            if (name === 'blocks') served += 1;
            yield frame;
          }
        },
    }),
  );

  const gate = Promise.withResolvers<void>();
  const chain = stack.use(await openTestChain(builder.params));
  const node = stack.use(await startSyncing(gated(chain, gate.promise), flooder.address));
  // Sync waits for blocks being stored when it is disposed of, also after a failure.
  stack.defer(() => gate.resolve());
  // All between the two is full once a full budget has come, other requests pass, and nothing more of blocks does.
  const { maxBytes } = syncDefaults.blocks.intake;
  for (let before = -1, bytes = 0; bytes < maxBytes || before !== served; ) {
    before = served;
    for (let round = 0; round < 20; round++) await node.roundTrip(flooder.id);
    bytes = await node.bytesIn();
  }
  const held = await node.bytesIn();
  t.diagnostic(`${(held / 1e6).toFixed(1)} MB came in, the budgets are ${(BUDGET_BYTES / 1e6).toFixed(1)} MB`);
  assert.ok(served < SMALL_BLOCKS + LARGE_BLOCKS, 'the peer had more to send');
  assert.ok(held <= BUDGET_BYTES, `${held} bytes came in for a budget of ${BUDGET_BYTES}`);

  gate.resolve();
  await reached(chain, builder.tip.hash);
  assert.equal(served, SMALL_BLOCKS + LARGE_BLOCKS, 'nothing was asked for twice');
});

/** Small blocks are taken at once, large ones when the gate opens. */
function gated(chain: Chain, gate: Promise<void>): Chain {
  return {
    ...chain,
    submitBlock: async (block) => {
      if (block.size >= LARGE_BYTES) await gate;
      return chain.submitBlock(block);
    },
  };
}

function reached(chain: Chain, hash: string): Promise<void> {
  return new Promise((resolve) => {
    chain.observe({
      changed: async ({ tip }) => {
        if (tip.hash === hash) resolve();
      },
    });
  });
}

type Syncing = AsyncDisposable & {
  readonly bytesIn: () => Promise<number>;
  /** A request with a short answer. */
  readonly roundTrip: (peer: string) => Promise<void>;
};

/** What a node has between socket and chain. */
async function startSyncing(chain: Chain, address: string): Promise<Syncing> {
  await using stack = new AsyncDisposableStack();
  const lateNet = createLateNet();
  const { calls } = lateNet;
  const requests = createRequests(calls);
  const sync = stack.use(
    createSync({
      ...deps,
      chain,
      requestHeaders: requests.headers,
      requestBlocks: requests.blocks,
      charge: calls.charge,
      judge: (_peer, what, failure) => assert.fail(`${what}: ${failure.code}`),
      disconnect: calls.disconnect,
      fatal: (error) => assert.fail(String(error)),
    }),
  );
  const ready = Promise.withResolvers<void>();
  const peerReady: typeof sync.peerReady = (peer, info) => {
    sync.peerReady(peer, info);
    ready.resolve();
  };
  const peers = stack.adopt(
    new Peers({
      ...deps,
      chain,
      net: calls,
      requests,
      sync: { ...sync, peerReady },
      nonce: 1n,
      userAgent: '/test/',
      wantsTransactions: () => false,
      feeFilterSatPerKvb: () => 0n,
    }),
    (each) => each.close(),
  );
  const net = stack.use(
    await createWorkerNet(
      netOptions({ network: networkId(chain.params.genesis.hash), listen: [], connect: [address] }),
      {
        peerConnected: (info) => lateNet.whenStarted(() => peers.connected(info)),
        peerDisconnected: (id, reason) => lateNet.whenStarted(() => peers.disconnected(id, reason)),
        serve: async function* () {},
        gossip: async () => 'ignore',
      },
      deps,
    ),
  );
  lateNet.start(net);
  await ready.promise;
  const resources = stack.move();
  return {
    bytesIn: async () => (await net.status()).bytesIn,
    roundTrip: async (peer) => {
      await requests.headers(peer, [chain.bestHeader().hash], undefined, new AbortController().signal);
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
