/** A stopped network leaves nothing behind: no timer, socket or thread keeps the process. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNet, createWorkerNet, type Net } from '#net';
import { NodeError } from '#util';
import { deps, netOptions, within } from './net-support.ts';

/** Loading libp2p opens a handle or two of Node.js's own (standard streams): they are not a net's to close. */
await import('../../src/net/net.ts');

async function startPair(create: typeof createNet): Promise<Net[]> {
  const met = Promise.withResolvers<void>();
  const handlers = {
    peerConnected: () => met.resolve(),
    peerDisconnected: () => {},
    serve: async function* () {
      // Never answers: the stream is open when we stop.
      await new Promise(() => {});
      yield* [];
    },
    gossip: async () => 'ignore' as const,
  };
  const a = await create(netOptions(), handlers, deps);
  const { listenAddresses } = await a.status();
  const b = await create(netOptions({ bootstrap: [...listenAddresses] }), handlers, deps);
  await within(met.promise);
  b.request(a.peerId, 'blocks', new Uint8Array(1), new AbortController().signal)
    [Symbol.asyncIterator]()
    .next()
    .catch(() => {});
  return [a, b];
}

function resources(): string[] {
  return process.getActiveResourcesInfo().sort();
}

/** libp2p's queues and ended threads tell of their end by timers of a millisecond; a busy machine takes its time. */
async function leavesNothing(before: readonly string[]): Promise<void> {
  for (let round = 0; round < 400 && resources().length > before.length; round += 1) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.deepEqual(resources(), before);
}

for (const [name, create] of [
  ['in process', createNet],
  ['worker', createWorkerNet],
] as const) {
  test(`${name}: stops in the middle of things and leaves no handle`, async (t) => {
    const before = resources();
    const nets = await startPair(create);
    for (const net of nets) {
      const started = performance.now();
      await net[Symbol.asyncDispose]();
      t.diagnostic(`stopped in ${(performance.now() - started).toFixed(0)} ms (aim: under 2000)`);
      await net[Symbol.asyncDispose]();
    }
    await leavesNothing(before);
  });

  test(`${name}: a start that fails is one clear error and leaves no handle`, async () => {
    const before = resources();
    const handlers = {
      peerConnected: () => {},
      peerDisconnected: () => {},
      serve: async function* () {},
      gossip: async () => 'ignore' as const,
    };
    const first = await create(netOptions(), handlers, deps);
    const [address = ''] = (await first.status()).listenAddresses;
    const listen = [address.replace(/\/p2p\/.*/, '')];
    await assert.rejects(
      create(netOptions({ listen }), handlers, deps),
      (error) => error instanceof NodeError && error.code === 'NETWORK' && /address is in use/.test(error.message),
    );
    await assert.rejects(
      create(netOptions({ listen: ['nonsense'] }), handlers, deps),
      (error) => error instanceof NodeError && error.code === 'BAD_CONFIG',
    );
    await first[Symbol.asyncDispose]();
    await leavesNothing(before);
  });
}

test('relay, router, local network and WebSockets: all of it stops, and leaves no handle', async () => {
  const before = resources();
  const handlers = {
    peerConnected: () => {},
    peerDisconnected: () => {},
    serve: async function* () {},
    gossip: async () => 'ignore' as const,
  };
  const reach = { isRelay: true, usesUpnp: true, usesMdns: true };
  // Public: AutoNAT has something to do.
  const listen = ['/ip4/0.0.0.0/tcp/0', '/ip4/127.0.0.1/tcp/0/ws'];
  const a = await createNet(netOptions({ listen, reach }), handlers, deps);
  const b = await createNet(netOptions({ listen: ['/p2p-circuit'], reach }), handlers, deps);
  await Promise.all([a[Symbol.asyncDispose](), b[Symbol.asyncDispose]()]);
  await leavesNothing(before);
});
