/** A proxy on the wire between two networks sees no block bytes, while the blocks arrive as they were sent. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { test } from 'node:test';
import { systemRandom } from '#util';
import { TestPeer } from '../compliance/net.ts';
import { inProcess } from './net-support.ts';

type Proxy = AsyncDisposable & { readonly port: number; readonly seen: () => Buffer };

/** Passes bytes on both ways and keeps a copy of all of them. */
async function recordingProxy(targetPort: number): Promise<Proxy> {
  const chunks: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((client) => {
    const upstream = connect(targetPort, '127.0.0.1');
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk: Buffer) => chunks.push(chunk));
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
      from.pipe(to);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return {
    port: address.port,
    seen: () => Buffer.concat(chunks),
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

test('no block byte crosses the wire in the clear', async () => {
  await using stack = new AsyncDisposableStack();
  const a = stack.use(await TestPeer.start(inProcess, 'a'));
  const address = await a.address();
  const port = Number(/\/tcp\/(\d+)/.exec(address)?.[1]);
  const proxy = stack.use(await recordingProxy(port));
  const b = stack.use(
    await TestPeer.start(inProcess, 'b', { connect: [address.replace(`/tcp/${port}`, `/tcp/${proxy.port}`)] }),
  );
  await Promise.all([a.isWith(b), b.isWith(a)]);
  // One block of noise, one that repeats itself, one of text: none may be found again, in whole or in part.
  const blocks = [
    systemRandom.bytes(300_000),
    new Uint8Array(300_000).fill(0x5a),
    Buffer.from('chancellor '.repeat(20_000)),
  ];
  a.serve = async function* () {
    for (const block of blocks) yield { status: 0, payload: new Uint8Array(block) };
  };
  const frames = await b.ask(a, 'blocks', Uint8Array.of(3, ...new Uint8Array(96)));
  assert.equal(frames.length, blocks.length);
  blocks.forEach((block, index) => assert.ok(Buffer.from(frames[index]?.payload ?? []).equals(block)));

  const wire = proxy.seen();
  assert.ok(wire.length > 800_000, 'the proxy was on the way');
  for (const block of blocks) {
    for (let at = 0; at + 16 <= block.length; at += 9_973) {
      assert.equal(wire.indexOf(block.subarray(at, at + 16)), -1, 'plain bytes on the wire');
    }
  }
});
