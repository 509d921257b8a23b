/** The network in memory keeps the promises of the port, and its links are as slow and as lossy as they are told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type NetHandlers, RequestError } from '#net';
import { seededRandom, systemClock } from '#util';
import { netCompliance } from '../compliance/net.ts';
import { operatorCompliance } from '../compliance/net-operator.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { type Link, MemoryNetwork } from '../support/memory-net.ts';

/** The system clock's timers keep no process alive; a test that waits has to. */
async function awake<T>(promise: Promise<T>): Promise<T> {
  const timer = setInterval(() => {}, 1000);
  try {
    return await promise;
  } finally {
    clearInterval(timer);
  }
}

const network = new MemoryNetwork({ clock: systemClock, random: seededRandom(1) });
netCompliance('in memory', { create: (setup, handlers) => network.create(setup, handlers), until: awake });
operatorCompliance('in memory', { create: (setup, handlers) => network.create(setup, handlers), until: awake });

const silent: NetHandlers = {
  peerConnected: () => {},
  peerDisconnected: () => {},
  serve: async function* () {},
  gossip: async () => 'accept',
};

const slow: Link = { latencyMs: 100, bytesPerSecond: 1_000_000, gossipLoss: 0 };

test('a response takes its latency and its bytes', async () => {
  const clock = createManualClock();
  const net = new MemoryNetwork({ clock, random: seededRandom(1), link: () => slow });
  const server = await net.create(
    { name: 'server' },
    {
      ...silent,
      serve: async function* () {
        for (let i = 0; i < 4; i++) yield { status: 0, payload: new Uint8Array(500_000) };
      },
    },
  );
  const [address = ''] = (await server.status()).listenAddresses;
  let isConnected = false;
  const client = await net.create(
    { name: 'client', bootstrap: [address] },
    {
      ...silent,
      peerConnected: () => {
        isConnected = true;
      },
    },
  );
  await clock.runUntil(() => isConnected);
  client.confirmPeer(server.peerId, true);
  server.confirmPeer(client.peerId, true);
  const startMs = clock.monotonicMs();
  const read = async (): Promise<number> => {
    let bytes = 0;
    const request = Uint8Array.of(4, ...new Uint8Array(128));
    const { signal } = new AbortController();
    for await (const frame of client.request(server.peerId, 'blocks', request, signal)) bytes += frame.payload.length;
    return bytes;
  };
  assert.equal(await clock.runUntil(read()), 2_000_000);
  const tookMs = clock.monotonicMs() - startMs;
  assert.ok(tookMs >= 2200 && tookMs < 2210, `${tookMs} ms`);
  await Promise.all([client[Symbol.asyncDispose](), server[Symbol.asyncDispose]()]);
  assert.equal(clock.pending(), 0);
});

test('a server that stays silent is given up by the row’s time, and separated nodes lose each other', async () => {
  const clock = createManualClock();
  const net = new MemoryNetwork({ clock, random: seededRandom(1) });
  const never = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) };
  const server = await net.create({ name: 'server' }, { ...silent, serve: () => never });
  const [address = ''] = (await server.status()).listenAddresses;
  const gone: string[] = [];
  const client = await net.create(
    { name: 'client', connect: [address] },
    {
      ...silent,
      peerConnected: (peer) => client.confirmPeer(peer.id, true),
      peerDisconnected: (_id, reason) => gone.push(reason),
    },
  );
  await clock.advance(1);
  const ask = async (): Promise<void> => {
    for await (const frame of client.request(server.peerId, 'hello', new Uint8Array(1), new AbortController().signal)) {
      assert.fail(`${frame.status}`);
    }
  };
  server.confirmPeer(client.peerId, true);
  await assert.rejects(clock.runUntil(ask()), (error) => error instanceof RequestError && error.code === 'TIMEOUT');
  assert.equal(clock.monotonicMs(), 10_001);
  net.separate(() => true);
  assert.deepEqual(gone, ['the connection was lost']);
  net.separate(() => false);
  await clock.advance(60_000);
  assert.equal((await client.status()).peers.length, 1, 'dialled again');
  await client[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  assert.equal(clock.pending(), 0);
});
