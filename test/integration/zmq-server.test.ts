/** The sockets of ZMQ publishers: what slow subscribers and other peers cost, and where they can be opened. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { describe, it } from 'node:test';
import { type Clock, type LogFields, nullLogger, seededRandom, systemClock } from '#util';
import { startZmq, type ZmqOptions } from '#zmq';
import { parseZmqAddress, zmqAddressText } from '../../src/zmq/address.ts';
import { PubSocket } from '../../src/zmq/pub-socket.ts';
import { Publisher } from '../../src/zmq/publisher.ts';
import { Subscribers } from '../../src/zmq/subscribers.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { makeTempDir } from '../support/temp-dir.ts';
import {
  connectRaw,
  endpointOf,
  messagesOf,
  SUB_GREETING,
  subReady,
  subscription,
  watchSubscriptions,
} from '../support/zmq-subscriber.ts';

const MIB = 1 << 20;

type Scene = AsyncDisposable & {
  readonly address: string;
  readonly publisher: Publisher;
  readonly subscribers: Subscribers;
  /** Resolves when one more subscription than before has arrived. */
  readonly subscribed: () => Promise<void>;
  /** Connects a subscriber to all topics, and waits until it is one. */
  readonly subscribe: () => Promise<Socket>;
};

/** A socket with one publisher. */
async function start(highWaterMark: number, clock: Clock = systemClock): Promise<Scene> {
  const { log, subscribed } = watchSubscriptions();
  const subscribers = new Subscribers();
  const wanted = parseZmqAddress('tcp://127.0.0.1:0', 'zmqpubrawtx');
  const socket = await PubSocket.listen(wanted, highWaterMark, { clock, log, subscribers });
  const address = zmqAddressText(socket.address);
  let expected = 0;
  const oneMore = (): Promise<void> => subscribed(++expected);
  return {
    address,
    publisher: new Publisher('rawtx', socket),
    subscribers,
    subscribed: oneMore,
    subscribe: async () => {
      const peer = await connectRaw(address, ['']);
      await oneMore();
      return peer;
    },
    [Symbol.asyncDispose]: () => socket[Symbol.asyncDispose](),
  };
}

/** The numbers of what a socket gets, to the first that is at least `last`. */
async function sequencesTo(socket: Socket, last: number): Promise<number[]> {
  const found: number[] = [];
  for await (const { sequence } of messagesOf(socket)) {
    found.push(sequence);
    if (sequence >= last) break;
  }
  return found;
}

/** Publishes one message after another, the sockets at work in between, until the reader has what it wants. */
async function publishUntil<T>(publisher: Publisher, body: Buffer, read: Promise<T>): Promise<T> {
  let isDone = false;
  const done = read.finally(() => {
    isDone = true;
  });
  while (!isDone) {
    publisher.publish(() => body);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return done;
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

describe('a subscriber that does not read', () => {
  it('loses what comes beyond the mark, and goes on with what comes when there is room', async () => {
    await using scene = await start(10);
    const slow = await scene.subscribe();
    slow.pause();
    const body = Buffer.alloc(MIB / 2);
    for (let count = 0; count < 200; count++) scene.publisher.publish(() => body);
    const waiting = scene.subscribers.waitingBytes;
    assert.ok(waiting > 10 * body.length && waiting < 12 * body.length, `${waiting} bytes: ten messages and a write`);
    const sequences = await publishUntil(scene.publisher, body, sequencesTo(slow, 200));
    const late = sequences.findIndex((sequence) => sequence >= 200);
    assert.ok(late > 10 && late < 100, `${late} messages came before the gap`);
    assert.deepEqual(sequences.slice(0, late), upTo(late));
  });

  it('has its bytes bounded too, whatever the mark, and those of all together', async () => {
    await using scene = await start(0);
    const slow = await scene.subscribe();
    slow.pause();
    const body = Buffer.alloc(MIB);
    for (let count = 0; count < 100; count++) scene.publisher.publish(() => body);
    assert.ok(scene.subscribers.waitingBytes > 31 * MIB && scene.subscribers.waitingBytes <= 32 * MIB);
    for (let more = 0; more < 5; more++) (await scene.subscribe()).pause();
    for (let count = 0; count < 100; count++) scene.publisher.publish(() => body);
    assert.ok(scene.subscribers.waitingBytes > 126 * MIB && scene.subscribers.waitingBytes <= 134 * MIB);
    // Who reads gets all, also now.
    const quick = await scene.subscribe();
    const sequences = await publishUntil(scene.publisher, Buffer.alloc(1000), sequencesTo(quick, 300));
    assert.deepEqual(
      sequences,
      upTo(101).map((at) => at + 200),
    );
  });

  it('is not answered either', async () => {
    await using scene = await start(0);
    const slow = await scene.subscribe();
    slow.pause();
    const ping = Buffer.from('\x04\x17\x04PING\0\0aaaaaaaaaaaaaaaa', 'latin1');
    for (let count = 0; count < 50; count++) scene.publisher.publish(() => Buffer.alloc(MIB));
    const before = scene.subscribers.waitingBytes;
    slow.write(Buffer.concat([...upTo(10_000).map(() => ping), subscription('x')]));
    await scene.subscribed();
    assert.equal(scene.subscribers.waitingBytes, before);
  });
});

describe('who connects', () => {
  it('and speaks something else, or nothing right, is disconnected, and the others get their messages', async () => {
    await using scene = await start(1000);
    const good = await scene.subscribe();
    const random = seededRandom(7);
    const bytes = [
      Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
      Buffer.concat([SUB_GREETING, subReady('REQ')]),
      Buffer.concat([SUB_GREETING, subReady(), Buffer.from('02ffffffffffffffff', 'hex')]),
      Buffer.concat([SUB_GREETING, subReady(), ...upTo(101).map((at) => subscription(`topic ${at}`))]),
      // A first octet that is no frame's.
      ...upTo(50).map(() => Buffer.concat([SUB_GREETING, subReady(), Buffer.of(0xff), random.bytes(200)])),
    ];
    for (const each of bytes) {
      const socket = connect(endpointOf(scene.address));
      socket.on('error', () => {});
      socket.write(each);
      socket.resume();
      await once(socket, 'close');
    }
    assert.deepEqual(await publishUntil(scene.publisher, Buffer.alloc(10), sequencesTo(good, 5)), upTo(6));
  });

  it('has ten seconds for the handshake', async () => {
    const clock = createManualClock();
    await using scene = await start(1000, clock);
    const good = await scene.subscribe();
    const silent = connect(endpointOf(scene.address));
    await once(silent, 'data');
    silent.write(SUB_GREETING);
    await once(silent, 'data');
    const ended = once(silent, 'close');
    await clock.advance(9_999);
    assert.equal(clock.pending(), 1);
    await clock.advance(1);
    await ended;
    assert.deepEqual([clock.pending(), good.destroyed], [0, false]);
  });

  it('is one of 32 at most, at all addresses together', async () => {
    await using scene = await start(1000);
    const all: Socket[] = [];
    for (let count = 0; count < 32; count++) all.push(await scene.subscribe());
    const socket = connect(endpointOf(scene.address));
    socket.on('error', () => {});
    socket.resume();
    await once(socket, 'close');
    assert.equal(socket.bytesRead, 0);
    const [first] = all;
    first?.destroy();
    await once(first as Socket, 'close');
    while (!scene.subscribers.hasRoom) await new Promise((resolve) => setImmediate(resolve));
    await scene.subscribe();
  });
});

/** One topic or two, at the addresses given. */
function options(
  given: Partial<Record<keyof ZmqOptions, readonly string[]>>,
  marks: readonly number[] = [],
): ZmqOptions {
  const topic = (name: keyof ZmqOptions, at: number) => ({
    addresses: given[name] ?? [],
    highWaterMark: marks[at] ?? 1000,
  });
  return {
    hashblock: topic('hashblock', 0),
    hashtx: topic('hashtx', 1),
    rawblock: topic('rawblock', 2),
    rawtx: topic('rawtx', 3),
    sequence: topic('sequence', 4),
  };
}

const deps = { clock: systemClock, log: nullLogger };

describe('addresses', () => {
  it('are listed by topic, in Core’s order, with their own marks', async () => {
    await using folder = await makeTempDir();
    const [a, b] = [`ipc://${folder.path}/a`, `ipc://${folder.path}/b`];
    const given = { sequence: [a], rawtx: [b, a], hashtx: [a] };
    await using zmq = await startZmq(options(given, [1, 2, 3, 4, 5]), deps);
    assert.deepEqual(zmq.notifications, [
      { type: 'pubhashtx', address: a, hwm: 2 },
      { type: 'pubrawtx', address: b, hwm: 4 },
      { type: 'pubrawtx', address: a, hwm: 4 },
      { type: 'pubsequence', address: a, hwm: 5 },
    ]);
  });

  it('that are taken, or not of this machine, stop the start', async () => {
    await using zmq = await startZmq(options({ rawtx: ['tcp://127.0.0.1:*'] }), deps);
    const [{ address } = { address: '' }] = zmq.notifications;
    await assert.rejects(startZmq(options({ hashtx: [address] }), deps), {
      code: 'NETWORK',
      message: `ZMQ cannot listen on ${address}: listen EADDRINUSE: address already in use ${address.slice(6)}; give an address that is free`,
    });
    await assert.rejects(startZmq(options({ hashtx: ['tcp://192.0.2.1:28332'] }), deps), { code: 'NETWORK' });
    await assert.rejects(startZmq(options({ hashtx: ['tcp://127.0.0.1:*', 'tcp://eth0:1'] }), deps), {
      code: 'BAD_CONFIG',
      message: /^Invalid -zmqpubhashtx address tcp:\/\/eth0:1: /,
    });
  });

  it('that others reach leave a warning', async () => {
    const warnings: (LogFields | undefined)[] = [];
    const log = { ...nullLogger, warn: (_text: string, fields?: LogFields) => void warnings.push(fields) };
    const all = { rawtx: ['tcp://0.0.0.0:*'], hashtx: ['tcp://127.0.0.1:*', 'tcp://0.0.0.0:*'] };
    await using _zmq = await startZmq(options(all), { clock: systemClock, log });
    assert.deepEqual(warnings, [{ address: 'tcp://0.0.0.0:0' }]);
  });

  it('as files are taken where a dead program left one, and not where one listens or something else lies', async () => {
    await using folder = await makeTempDir();
    const [dead, alive, other] = ['dead', 'alive', 'other'].map((name) => join(folder.path, name)) as [
      string,
      string,
      string,
    ];
    const code = `require('net').createServer().listen(${JSON.stringify(dead)}, () => process.kill(process.pid, 'SIGKILL'))`;
    assert.equal(spawnSync(process.execPath, ['-e', code]).signal, 'SIGKILL');
    await using zmq = await startZmq(options({ rawtx: [`ipc://${dead}`] }), deps);
    assert.equal(zmq.notifications.length, 1);
    const server = createServer().listen(alive);
    await once(server, 'listening');
    await writeFile(other, 'mine');
    for (const path of [alive, other]) {
      await assert.rejects(startZmq(options({ rawtx: [`ipc://${path}`] }), deps), { code: 'NETWORK' });
    }
    assert.equal(await readFile(other, 'utf8'), 'mine');
    server.close();
    await once(server, 'close');
  });
});
