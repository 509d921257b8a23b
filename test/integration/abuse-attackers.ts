/** What attacks are made of: sockets that never get to a handshake, bytes by hand on connections that did, figures. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import type { Connection, Stream } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { eventually, within } from './net-support.ts';

/** A line of multistream-select: its length, the text, a line feed. */
export function multistreamLine(text: string): Buffer {
  return Buffer.concat([Buffer.of(text.length + 1), Buffer.from(`${text}\n`)]);
}

export const MULTISTREAM = multistreamLine('/multistream/1.0.0');

/** A TCP connection that somebody opened, and what came of it. */
export type Call = {
  readonly socket: Socket;
  /** Bytes that the other end said. */
  readonly heard: () => number;
  readonly isOpen: () => boolean;
};

export type CallOptions = { readonly from?: string; readonly says?: Uint8Array | undefined };

/** Calls a node as a host of 127/8 and says something at once. Whether it is refused shows later. */
export function call(address: string, { from = '127.0.0.1', says }: CallOptions = {}): Call {
  const parts = multiaddr(address).getComponents();
  const port = Number(parts.find(({ name }) => name === 'tcp')?.value);
  let heard = 0;
  const socket = connect({ host: '127.0.0.1', port, localAddress: from });
  socket.on('data', (bytes) => {
    heard += bytes.length;
  });
  socket.on('error', () => {});
  if (says !== undefined) socket.write(says);
  return { socket, heard: () => heard, isOpen: () => !socket.closed };
}

/** Many at once. */
export function callMany(count: number, address: string, options: CallOptions = {}): Call[] {
  return Array.from({ length: count }, () => call(address, options));
}

export function hangUp(calls: readonly Call[]): void {
  for (const { socket } of calls) socket.destroy();
}

export function openAmong(calls: readonly Call[]): number {
  return calls.filter(({ isOpen }) => isOpen()).length;
}

/** Resolves to whether the node has answered; false when it hung up instead. */
export async function isAnswered(made: Call): Promise<boolean> {
  await within(eventually(() => made.heard() > 0 || !made.isOpen()));
  return made.heard() > 0;
}

type Below = {
  readonly send: (bytes: Uint8Array) => boolean;
  readonly pause: () => void;
  readonly resume: () => void;
  readonly writeBufferLength: number;
};

/** The encrypted connection of a raw peer without its muxer. */
export type Wire = {
  /** Yamux frames, or what is none. */
  readonly send: (...frames: readonly Uint8Array[]) => void;
  /** What was sent and has not left: the other end does not read, or is slow. */
  readonly unsent: () => number;
  /** The TCP window closes. */
  readonly stopReading: () => void;
  readonly isOpen: () => boolean;
};

export function wireOf(connection: Connection): Wire {
  const muxer = Reflect.get(connection, 'muxer') as { readonly maConn: Below };
  const encrypted = muxer.maConn;
  // Its own muxer hangs up when a ping is answered that it has not sent.
  Reflect.set(muxer, 'handlePingResponse', () => {});
  const tcp = Reflect.get(connection, 'maConn') as Below;
  assert.ok(encrypted !== tcp, 'the muxer is not above the encryption');
  return {
    send: (...frames) => void encrypted.send(Buffer.concat(frames)),
    unsent: () => encrypted.writeBufferLength + tcp.writeBufferLength,
    stopReading: () => tcp.pause(),
    isOpen: () => connection.status === 'open',
  };
}

/** Sends one batch after the other as fast as the other end takes them, at most so many; how many until it hung up. */
export async function flood(wire: Wire, batch: () => Uint8Array, most: number): Promise<number> {
  let sent = 0;
  for (; sent < most && wire.isOpen(); sent += 1) {
    wire.send(batch());
    await new Promise((resolve) => setImmediate(resolve));
    while (wire.isOpen() && wire.unsent() > 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await within(
    eventually(() => sent < most || !wire.isOpen()),
    'a flood that is not cut',
  );
  return sent;
}

export function closed(connection: Connection): Promise<unknown> {
  if (connection.status !== 'open') return Promise.resolve();
  return within(new Promise((resolve) => connection.addEventListener('close', resolve, { once: true })));
}

export function isOver({ status }: Stream): boolean {
  return status === 'reset' || status === 'aborted' || status === 'closed';
}

/** What happened in this process since, the attackers included. */
export function startFigures(): () => string {
  const { rss } = process.memoryUsage();
  const cpu = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    const grown = (process.memoryUsage().rss - rss) / 1e6;
    return `${Math.round((user + system) / 1e3)} ms of CPU, ${grown.toFixed(0)} MB more memory, attackers included`;
  };
}
