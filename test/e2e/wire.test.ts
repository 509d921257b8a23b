/**
 * What an observer of the wire sees: all bytes between two nodes go through a proxy that records them, and nothing of
 * the blocks that they carry is among them.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { Block, idToBytes } from '#primitives';
import { createProcesses } from '../support/processes.ts';
import { realChain } from '../support/sample-chain.ts';
import { makeTempDir } from '../support/temp-dir.ts';

type Recorder = AsyncDisposable & {
  readonly port: number;
  /** One stream of bytes for each direction of each connection. */
  readonly streams: () => Buffer[];
};

/** Passes connections on to a port of this machine and keeps every byte. */
async function startRecorder(targetPort: number): Promise<Recorder> {
  const records: Buffer[][] = [];
  const sockets = new Set<Socket>();
  const relay = (from: Socket, to: Socket): void => {
    const record: Buffer[] = [];
    records.push(record);
    sockets.add(from);
    from.on('data', (bytes: Buffer) => record.push(bytes));
    from.on('error', () => to.destroy());
    from.on('close', () => sockets.delete(from));
    from.pipe(to);
  };
  const server = createServer((near) => {
    const far = connect(targetPort, '127.0.0.1');
    relay(near, far);
    relay(far, near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    streams: () => records.map((record) => Buffer.concat(record)),
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Whatever contains 31 bytes of the text in a row contains one of its aligned pieces of this length. */
const PIECE_BYTES = 16;

/** Pieces that give a text away: its own at every 16th byte, and the beginnings of ids that are not written in it. */
function piecesOf(text: Buffer, ids: readonly Uint8Array[]): Set<string> {
  const pieces = new Set<string>();
  for (let at = 0; at + PIECE_BYTES <= text.length; at += PIECE_BYTES) pieces.add(pieceAt(text, at));
  for (const id of ids) pieces.add(pieceAt(Buffer.from(id), 0));
  return pieces;
}

function pieceAt(bytes: Buffer, at: number): string {
  return bytes.toString('latin1', at, at + PIECE_BYTES);
}

/** Offsets at which a piece appears. */
function findPieces(pieces: ReadonlySet<string>, bytes: Buffer): number[] {
  const found: number[] = [];
  for (let at = 0; at + PIECE_BYTES <= bytes.length; at++) if (pieces.has(pieceAt(bytes, at))) found.push(at);
  return found;
}

/** Ids of blocks and transactions and merkle roots, in both byte orders. */
function idsIn(blocks: readonly Block[]): Uint8Array[] {
  const ids = blocks.flatMap(({ hash, header, transactions }) => [
    idToBytes(hash),
    header.merkleRoot,
    ...transactions.map(({ txidBytes }) => txidBytes),
  ]);
  return ids.flatMap((id) => [id, Uint8Array.from(id).reverse()]);
}

function blocksIn(file: Buffer): Block[] {
  const blocks: Block[] = [];
  for (let at = 0; at < file.length; ) {
    const end = at + 8 + file.readUInt32LE(at + 4);
    blocks.push(Block.fromBytes(file.subarray(at + 8, end)));
    at = end;
  }
  return blocks;
}

test('blocks cross the wire, and no piece of one can be read there', async (t) => {
  await using scratch = await makeTempDir();
  const chain = await realChain(scratch.path);
  const nodes = await createProcesses(t, chain);
  await nodes.import('full', chain.file);
  const full = nodes.start('full');
  const address = await full.address();
  const [, port = '', peerId = ''] = /^\/ip4\/127\.0\.0\.1\/tcp\/(\d+)\/p2p\/(\w+)$/.exec(address) ?? [];
  await using recorder = await startRecorder(Number(port));
  const empty = nodes.start(
    'empty',
    '--listen',
    'none',
    '--connect',
    `/ip4/127.0.0.1/tcp/${recorder.port}/p2p/${peerId}`,
  );
  await empty.untilTip(chain.tip);
  await Promise.all([full.stop(), empty.stop()]);
  assert.deepEqual(await nodes.info('empty'), await nodes.info('full'));

  const text = await readFile(chain.file);
  const blocks = blocksIn(text);
  const pieces = piecesOf(text, idsIn(blocks));
  const streams = recorder.streams();
  const volume = streams.reduce((sum, { length }) => sum + length, 0);
  const blockBytes = blocks.reduce((sum, { size }) => sum + size, 0);
  t.diagnostic(`${volume} bytes recorded in ${streams.length} streams for ${blockBytes} bytes of blocks`);
  assert.ok(volume > blockBytes, 'the blocks went through the proxy');
  assert.deepEqual(
    streams.flatMap((stream) => findPieces(pieces, stream)),
    [],
  );

  // The same search finds every block where it stands unencrypted, and the recording is of this conversation.
  for (const block of blocks) {
    const plain = Buffer.concat([Buffer.from('frame'), block.raw.subarray(4)]);
    assert.ok(findPieces(pieces, plain).length > 0, `block ${block.hash} is found in plain text`);
  }
  assert.ok(
    streams.some((stream) => stream.includes('/noise')),
    'what is agreed before encryption can be read',
  );
});
