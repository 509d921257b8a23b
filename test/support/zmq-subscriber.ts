/** Subscribers for tests of ZMQ: one that speaks ZMTP 3.0 with a few bytes of its own, and Debian's python3-zmq as it is. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { Logger } from '#util';
import { nullLogger } from '#util';

export type ZmqMessage = { readonly topic: string; readonly body: Buffer; readonly sequence: number };

export type ZmqSubscriber = AsyncDisposable & {
  /** The next message; waits for it. */
  readonly next: () => Promise<ZmqMessage>;
};

export const SUB_GREETING: Buffer = Buffer.concat([
  Buffer.from('ff00000000000000017f0300', 'hex'),
  Buffer.from('NULL'),
  Buffer.alloc(48),
]);

export function subReady(socketType = 'SUB'): Buffer {
  const size = Buffer.from([0, 0, 0, socketType.length]);
  const body = Buffer.concat([Buffer.from('\x05READY\x0bSocket-Type', 'latin1'), size, Buffer.from(socketType)]);
  return Buffer.concat([Buffer.from([4, body.length]), body]);
}

/** As a message, in the way of ZMTP 3.0. */
export function subscription(topic: string): Buffer {
  return Buffer.concat([Buffer.from([0, 1 + topic.length, 1]), Buffer.from(topic)]);
}

/** host:port of `tcp://host:port`, or the path of `ipc://path`. */
export function endpointOf(address: string): NetConnectOpts {
  const [, host, port] = /^tcp:\/\/\[?([^\]]+?)\]?:(\d+)$/.exec(address) ?? [];
  return host === undefined ? { path: address.replace('ipc://', '') } : { host, port: Number(port) };
}

/** The parts of whole messages at the front of the bytes, and what is left of them. Commands are left out. */
export function splitMessages(bytes: Buffer): { readonly messages: readonly Buffer[][]; readonly rest: Buffer } {
  const messages: Buffer[][] = [];
  let parts: Buffer[] = [];
  let rest = bytes;
  for (let at = 0; at < bytes.length; ) {
    const flags = bytes.readUInt8(at);
    const head = (flags & 2) === 0 ? 2 : 9;
    if (bytes.length < at + head) break;
    const start = at + head;
    const end = start + (head === 2 ? bytes.readUInt8(at + 1) : Number(bytes.readBigUInt64BE(at + 1)));
    if (bytes.length < end) break;
    at = end;
    if ((flags & 4) === 0) parts.push(bytes.subarray(start, end));
    if ((flags & 1) !== 0) continue;
    if (parts.length > 0) messages.push(parts);
    parts = [];
    rest = bytes.subarray(at);
  }
  return { messages, rest };
}

export function readMessage([topic, body, sequence, ...more]: readonly Buffer[]): ZmqMessage {
  assert.ok(topic !== undefined && body !== undefined && sequence?.length === 4 && more.length === 0);
  return { topic: topic.toString('latin1'), body, sequence: sequence.readUInt32LE() };
}

/** Connected, and subscribed as far as it is concerned. */
export async function connectRaw(address: string, topics: readonly string[]): Promise<Socket> {
  const socket = connect(endpointOf(address));
  socket.on('error', () => socket.destroy());
  await once(socket, 'connect');
  socket.write(Buffer.concat([SUB_GREETING, subReady(), ...topics.map(subscription)]));
  return socket;
}

/** Everything that comes behind greeting and READY, until the other side ends it. */
export async function* messagesOf(socket: Socket): AsyncGenerator<ZmqMessage> {
  let kept = Buffer.alloc(0);
  let isGreeted = false;
  for await (const chunk of socket) {
    kept = Buffer.concat([kept, chunk]);
    if (!isGreeted && kept.length < 64) continue;
    const { messages, rest } = splitMessages(isGreeted ? kept : kept.subarray(64));
    isGreeted = true;
    kept = Buffer.from(rest);
    yield* messages.map(readMessage);
  }
}

/** A logger, and what resolves when a subscriber's subscriptions have arrived. */
export function watchSubscriptions(): { readonly log: Logger; readonly subscribed: (count: number) => Promise<void> } {
  let arrived = 0;
  let wake = Promise.withResolvers<void>();
  const log: Logger = {
    ...nullLogger,
    child: () => log,
    debug: (message) => {
      if (message !== 'subscribed') return;
      arrived++;
      wake.resolve();
      wake = Promise.withResolvers();
    },
  };
  const subscribed = async (count: number): Promise<void> => {
    while (arrived < count) await wake.promise;
  };
  return { log, subscribed };
}

const PYTHON = `
import sys, zmq
socket = zmq.Context().socket(zmq.SUB)
socket.setsockopt(zmq.IPV6, 1)
for topic in sys.argv[2].split(','):
    socket.setsockopt(zmq.SUBSCRIBE, topic.encode())
socket.connect(sys.argv[1])
while True:
    print(' '.join(part.hex() for part in socket.recv_multipart()), flush=True)
`;

/** Why python3-zmq cannot be used here; false if it can. */
export async function pythonZmqLacks(): Promise<string | false> {
  try {
    await promisify(execFile)('/usr/bin/python3', ['-c', 'import zmq']);
    return false;
  } catch {
    return 'python3-zmq is not installed';
  }
}

/** libzmq by Python. */
export function startPython(address: string, topics: readonly string[]): ZmqSubscriber {
  const stdio = ['ignore', 'pipe', 'inherit'] as const;
  const child: ChildProcess = spawn('/usr/bin/python3', ['-c', PYTHON, address, topics.join()], { stdio: [...stdio] });
  assert.ok(child.stdout);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = once(child, 'exit');
  return {
    next: async () => {
      const { done, value } = await lines.next();
      assert.ok(done !== true, 'the subscriber has not ended');
      return readMessage(value.split(' ').map((part: string) => Buffer.from(part, 'hex')));
    },
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await ended;
    },
  };
}
