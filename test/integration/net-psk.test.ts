/** A private network: who lacks the key sees 24 random bytes, and is no peer of anybody. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import { preSharedKey } from '@libp2p/pnet';
import { tcp } from '@libp2p/tcp';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { filled } from '../compliance/net.ts';
import { makeTempDir, type TempDir } from '../support/temp-dir.ts';
import { startPeer, within } from './net-support.ts';

const OURS = '/key/swarm/psk/1.0.0/\n/base16/\n'.concat('ab'.repeat(32), '\n');
const OTHER = OURS.replaceAll('ab', 'cd');
const NONCE_BYTES = 24;

async function keyFile(dir: TempDir, text = OURS): Promise<string> {
  const path = join(dir.path, 'swarm.key');
  await writeFile(path, text, { mode: 0o600 });
  return path;
}

suite('net private network', () => {
  for (const carrier of ['', '/ws']) {
    test(`nodes with the key meet and move blocks: /tcp${carrier}`, async () => {
      await using stack = new AsyncDisposableStack();
      const pskFile = await keyFile(stack.use(await makeTempDir()));
      const a = stack.use(await startPeer({ reach: { pskFile }, listen: [`/ip4/127.0.0.1/tcp/0${carrier}`] }));
      const b = stack.use(await startPeer({ reach: { pskFile }, connect: [await a.address()] }));
      await Promise.all([a.isWith(b), b.isWith(a)]);
      const block = filled(3_000_000, 7);
      a.serve = async function* () {
        yield { status: 0, payload: block };
      };
      const [frame] = await b.ask(a, 'blocks', filled(32, 1));
      assert.deepEqual(frame?.payload, block);
    });
  }

  test('outsiders, without a key or with another, get nothing', async () => {
    await using stack = new AsyncDisposableStack();
    const pskFile = await keyFile(stack.use(await makeTempDir()));
    const a = stack.use(await startPeer({ reach: { pskFile } }));
    const address = await a.address();
    for (const protector of [{}, { connectionProtector: preSharedKey({ psk: Buffer.from(OTHER) }) }]) {
      const outsider = await createLibp2p({
        addresses: { listen: [] },
        transports: [tcp()],
        connectionEncrypters: [noise()],
        streamMuxers: [yamux()],
        ...protector,
      });
      stack.defer(async () => outsider.stop());
      await assert.rejects(within(outsider.dial(multiaddr(address))));
    }
    assert.deepEqual(a.events, []);
  });

  test('all that an outsider hears is the nonce', async () => {
    await using stack = new AsyncDisposableStack();
    const pskFile = await keyFile(stack.use(await makeTempDir()));
    const a = stack.use(await startPeer({ reach: { pskFile }, tuning: { inboundUpgradeTimeoutMs: 500 } }));
    const port = Number((await a.address()).split('/')[4]);
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    let heard = 0;
    const first = new Promise<void>((resolve) => {
      socket.on('data', (bytes) => {
        heard += bytes.length;
        resolve();
      });
    });
    const closed = new Promise((resolve) => socket.on('close', resolve));
    await within(first);
    socket.write('\x13/multistream/1.0.0\n'.repeat(4));
    await within(closed);
    assert.equal(heard, NONCE_BYTES);
  });
});
