/**
 * What every version of the `Net` port must do: in this thread, in a worker, in memory. Each version gets the same
 * tests over its own wire. Waiting is done by `until` alone, so that a version driven by a manual clock can turn it.
 */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type {
  GossipMessage,
  GossipVerdict,
  Net,
  NetHandlers,
  NetTuning,
  PeerIdText,
  PeerInfo,
  RequestError,
  ResponseFrame,
} from '#net';
import type { StreamName, TopicName } from '#protocol';

export type NetSetup = {
  readonly name: string;
  readonly bootstrap: readonly string[];
  readonly connect: readonly string[];
  readonly maxPeers: number;
  readonly targetOutbound: number;
  readonly tuning: Partial<NetTuning>;
};

export type NetHarness = {
  /** A started network that listens on an address of its own. */
  readonly create: (setup: NetSetup, handlers: NetHandlers) => Promise<Net>;
  /** Tests that may run at once: more than one for what is slow to start. */
  readonly concurrency?: number;
  /** Waits for a promise while letting time pass. Fails after some real seconds. */
  readonly until: <T>(promise: Promise<T>) => Promise<T>;
};

/** A network whose handlers a test can replace, and whose events it can wait for. */
export class TestPeer implements AsyncDisposable {
  readonly events: string[] = [];
  readonly messages: GossipMessage[] = [];
  readonly copies: GossipMessage[] = [];
  readonly connected = new Map<PeerIdText, PeerInfo>();
  serve: NetHandlers['serve'] = async function* () {};
  verdict: GossipVerdict = 'accept';
  /** Until it settles no message gets its verdict. */
  judging: Promise<void> = Promise.resolve();
  /** Confirm every peer at once, as after a good hello. */
  confirms = true;
  readonly #harness: NetHarness;
  readonly #waiting = new Set<() => void>();
  #net: Net | undefined;

  private constructor(harness: NetHarness) {
    this.#harness = harness;
  }

  static async start(
    harness: NetHarness,
    name: string,
    setup: Partial<NetSetup> = {},
    confirms = true,
  ): Promise<TestPeer> {
    const peer = new TestPeer(harness);
    peer.confirms = confirms;
    const complete: NetSetup = {
      name,
      bootstrap: [],
      connect: [],
      maxPeers: 16,
      targetOutbound: 4,
      tuning: {},
      ...setup,
    };
    peer.#net = await harness.create(complete, {
      peerConnected: (info) => {
        peer.events.push(`connected ${info.id}`);
        peer.connected.set(info.id, info);
        if (peer.confirms) peer.net.confirmPeer(info.id, true);
        peer.#changed();
      },
      peerDisconnected: (id, reason) => {
        peer.events.push(`disconnected ${id} ${reason}`);
        peer.connected.delete(id);
        peer.#changed();
      },
      serve: (...parameters) => peer.serve(...parameters),
      gossip: async (message) => {
        peer.messages.push(message);
        peer.#changed();
        await peer.judging;
        return peer.verdict;
      },
      gossipCopy: (message) => {
        peer.copies.push(message);
        peer.#changed();
      },
    });
    return peer;
  }

  get net(): Net {
    assert.ok(this.#net, 'the network has not started');
    return this.#net;
  }

  get id(): PeerIdText {
    return this.net.peerId;
  }

  async address(): Promise<string> {
    const { listenAddresses } = await this.net.status();
    const [address] = listenAddresses;
    assert.ok(address, 'it listens nowhere');
    return address;
  }

  /** Resolves when the condition holds; it is looked at again after each event. */
  when(condition: () => boolean): Promise<void> {
    return this.#harness.until(
      new Promise((resolve) => {
        const look = (): void => {
          if (!condition()) return;
          this.#waiting.delete(look);
          resolve();
        };
        this.#waiting.add(look);
        look();
      }),
    );
  }

  isWith(other: TestPeer): Promise<void> {
    return this.when(() => this.connected.has(other.id));
  }

  isWithout(other: TestPeer): Promise<void> {
    return this.when(() => !this.connected.has(other.id));
  }

  /** All frames of a request. */
  async ask(
    other: TestPeer,
    name: StreamName,
    request: Uint8Array,
    signal = new AbortController().signal,
  ): Promise<ResponseFrame[]> {
    const collect = async (): Promise<ResponseFrame[]> => {
      const frames: ResponseFrame[] = [];
      for await (const frame of this.net.request(other.id, name, request, signal)) frames.push(frame);
      return frames;
    };
    return this.#harness.until(collect());
  }

  /**
   * Publishes until somebody listens, and gives what was sent: a mesh takes a moment to form, and the port has no
   * event for that. Each try differs, since a message counts as seen even when nobody was there to take it.
   */
  publishToSome(topic: TopicName, length: number, seed: number): Promise<Uint8Array> {
    const attempt = async (): Promise<Uint8Array> => {
      for (let round = 0; round < 250; round += 1) {
        const data = filled(length, seed);
        data[length - 1] = round;
        if ((await this.net.publish(topic, data)) > 0) return data;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      assert.fail('nobody listens');
    };
    return this.#harness.until(attempt());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.net[Symbol.asyncDispose]();
  }

  #changed(): void {
    for (const look of this.#waiting) look();
  }
}

/** Two connected peers; the second dialled the first. */
export async function pair(
  harness: NetHarness,
  stack: AsyncDisposableStack,
  setup: Partial<NetSetup> = {},
): Promise<[TestPeer, TestPeer]> {
  const a = stack.use(await TestPeer.start(harness, 'a', setup));
  const b = stack.use(await TestPeer.start(harness, 'b', { ...setup, bootstrap: [await a.address()] }));
  await Promise.all([a.isWith(b), b.isWith(a)]);
  return [a, b];
}

/** The code of the RequestError that a promise rejects with. */
export async function requestErrorOf(promise: Promise<unknown>): Promise<RequestError['code']> {
  try {
    await promise;
  } catch (error) {
    assert.ok(
      error instanceof Error && error.name === 'RequestError' && 'code' in error,
      `not a RequestError: ${error}`,
    );
    return error.code as RequestError['code'];
  }
  assert.fail('the request did not fail');
}

/** A getdata-shaped request for so many items: rows count items by the leading compact size. */
function forItems(count: number): Uint8Array {
  return Uint8Array.of(count, ...new Uint8Array(32 * count));
}

/** Bytes that differ by seed and by position: a pattern of a prime length, so that no shift of it fits. */
export function filled(length: number, seed: number): Uint8Array {
  return new Uint8Array(
    Buffer.alloc(
      length,
      Uint8Array.from({ length: 251 }, (_, index) => index ^ seed),
    ),
  );
}

const MB = 1_000_000;

export function netCompliance(name: string, harness: NetHarness): void {
  suite(`net compliance: ${name}`, { concurrency: harness.concurrency ?? 1 }, () => {
    connectionTests(harness);
    requestTests(harness);
    flowTests(harness);
    standingTests(harness);
    gossipTests(harness);
  });
}

function connectionTests(harness: NetHarness): void {
  test('peers are announced once each, and count when confirmed', async () => {
    await using stack = new AsyncDisposableStack();
    const a = stack.use(await TestPeer.start(harness, 'a', {}, false));
    const b = stack.use(await TestPeer.start(harness, 'b', { bootstrap: [await a.address()] }, false));
    await Promise.all([a.isWith(b), b.isWith(a)]);
    assert.equal(b.connected.get(a.id)?.direction, 'outbound');
    assert.equal(b.connected.get(a.id)?.isSeed, true);
    assert.equal(a.connected.get(b.id)?.direction, 'inbound');
    assert.equal(a.connected.get(b.id)?.agent, 'b');
    assert.deepEqual((await a.net.status()).peers, []);
    a.net.confirmPeer(b.id, true);
    const { peers, peerId } = await a.net.status();
    assert.deepEqual(
      peers.map((peer) => peer.id),
      [b.id],
    );
    assert.equal(peerId, a.id);
    assert.deepEqual(a.events, [`connected ${b.id}`]);
  });

  test('a peer that is not confirmed in time is disconnected', async () => {
    await using stack = new AsyncDisposableStack();
    const a = stack.use(await TestPeer.start(harness, 'a', { tuning: { confirmTimeoutMs: 200 } }, false));
    const b = stack.use(await TestPeer.start(harness, 'b', { bootstrap: [await a.address()] }));
    await a.when(() => a.events.some((event) => event.startsWith(`disconnected ${b.id}`)));
  });

  test('disconnect ends the connection on both sides, with our reason on ours', async () => {
    await using stack = new AsyncDisposableStack();
    const [a, b] = await pair(harness, stack);
    a.net.disconnect(b.id, 'enough of it');
    await Promise.all([a.isWithout(b), b.isWithout(a)]);
    assert.ok(a.events.includes(`disconnected ${b.id} enough of it`));
    assert.equal(await requestErrorOf(a.ask(b, 'hello', new Uint8Array(1))), 'DISCONNECTED');
  });

  test('a stopped network is missed by its peers and ends its own requests', async () => {
    await using stack = new AsyncDisposableStack();
    const [a, b] = await pair(harness, stack);
    b.serve = () => never();
    const pending = requestErrorOf(a.ask(b, 'blocks', forItems(1)));
    await a.net[Symbol.asyncDispose]();
    assert.ok(['ABORTED', 'DISCONNECTED', 'STREAM_RESET'].includes(await harness.until(pending)));
    await b.isWithout(a);
    assert.equal(await requestErrorOf(a.ask(b, 'hello', new Uint8Array(1))), 'DISCONNECTED');
  });
}

function requestTests(harness: NetHarness): void {
  test('a response arrives whole, in order, with its statuses', async () => {
    await using stack = new AsyncDisposableStack();
    const [a, b] = await pair(harness, stack);
    const requests: string[] = [];
    a.serve = async function* (stream, from, request) {
      requests.push(`${stream} ${from} ${Buffer.from(request).toString('hex')}`);
      yield { status: 0, payload: filled(200, 1) };
      yield { status: 3, payload: new Uint8Array(0) };
      yield { status: 0, payload: filled(4 * MB, 2) };
      yield { status: 0, payload: filled(70_000, 3) };
    };
    const frames = await b.ask(a, 'blocks', forItems(4));
    assert.deepEqual(requests, [`blocks ${b.id} ${Buffer.from(forItems(4)).toString('hex')}`]);
    assert.deepEqual(
      frames.map((frame) => frame.status),
      [0, 3, 0, 0],
    );
    const sizes = [200, 0, 4 * MB, 70_000];
    frames.forEach((frame, index) => {
      const expected = frame.status === 3 ? new Uint8Array(0) : filled(sizes[index] ?? 0, index === 0 ? 1 : index);
      assert.ok(Buffer.from(frame.payload).equals(expected), `frame ${index}`);
    });
  });

  test('many small frames and an empty response', async () => {
    await using stack = new AsyncDisposableStack();
    const [a, b] = await pair(harness, stack);
    a.serve = async function* (_stream, _from, request) {
      for (let index = 0; index < (request[0] ?? 0); index += 1) yield { status: 0, payload: Uint8Array.of(index) };
    };
    const frames = await b.ask(a, 'txs', forItems(200));
    assert.deepEqual(
      frames.map((frame) => frame.payload[0]),
      Array.from({ length: 200 }, (_, index) => index),
    );
    assert.deepEqual(await b.ask(a, 'txs', new Uint8Array(1)), []);
  });

  test('both peers may ask at once', async () => {
    await using stack = new AsyncDisposableStack();
    const [a, b] = await pair(harness, stack);
    for (const peer of [a, b]) {
      peer.serve = async function* () {
        yield { status: 0, payload: filled(MB, 9) };
      };
    }
    const answers = await Promise.all([
      ...Array.from({ length: 4 }, () => a.ask(b, 'blocks', forItems(1))),
      ...Array.from({ length: 4 }, () => b.ask(a, 'blocks', forItems(1))),
    ]);
    for (const frames of answers) assert.ok(Buffer.from(frames[0]?.payload ?? []).equals(filled(MB, 9)));
  });

  test('a handler that throws is a server error, not a lost stream', async () => {
    await using stack = new AsyncDisposableStack();
    const [a, b] = await pair(harness, stack);
    a.serve = async function* () {
      yield { status: 0, payload: Uint8Array.of(1) };
      throw new Error('the disk is on fire');
    };
    const frames = await b.ask(a, 'blocks', forItems(2));
    assert.deepEqual(
      frames.map((frame) => frame.status),
      [0, 2],
    );
  });

  test('what a handler serves stays its own', async () => {
    await using stack = new AsyncDisposableStack();
    const [a, b] = await pair(harness, stack);
    const block = filled(MB, 4);
    a.serve = async function* () {
      yield { status: 0, payload: block };
      yield { status: 0, payload: block };
    };
    for (let round = 0; round < 2; round += 1) {
      const frames = await b.ask(a, 'blocks', forItems(2));
      assert.ok(frames.every((frame) => Buffer.from(frame.payload).equals(filled(MB, 4))));
    }
    assert.ok(Buffer.from(block).equals(filled(MB, 4)));
  });

  test('a stranger cannot be asked, and an aborted signal asks nobody', async () => {
    await using stack = new AsyncDisposableStack();
    const [a, b] = await pair(harness, stack);
    const c = stack.use(await TestPeer.start(harness, 'c'));
    assert.equal(await requestErrorOf(a.ask(c, 'hello', new Uint8Array(1))), 'DISCONNECTED');
    assert.equal(await requestErrorOf(a.ask(b, 'hello', new Uint8Array(1), AbortSignal.abort())), 'ABORTED');
  });

  test('the row caps the requests in flight', async () => {
    await using stack = new AsyncDisposableStack();
    const [a, b] = await pair(harness, stack);
    const asked = Promise.withResolvers<void>();
    a.serve = async function* (_stream, _from, _request, signal) {
      asked.resolve();
      await aborted(signal);
      yield* [];
    };
    const controller = new AbortController();
    const first = requestErrorOf(b.ask(a, 'hello', new Uint8Array(1), controller.signal));
    await harness.until(asked.promise);
    assert.equal(await requestErrorOf(b.ask(a, 'hello', new Uint8Array(1))), 'TOO_MANY_STREAMS');
    controller.abort();
    assert.equal(await harness.until(first), 'ABORTED');
  });

  test('over its quota a peer is told that we are busy', async () => {
    await using stack = new AsyncDisposableStack();
    const [a, b] = await pair(harness, stack);
    a.serve = async function* () {
      yield { status: 0, payload: Uint8Array.of(7) };
    };
    const statuses: number[] = [];
    for (let count = 0; count < 7; count += 1) {
      const [frame] = await b.ask(a, 'hello', new Uint8Array(1));
      assert.ok(frame);
      statuses.push(frame.status);
    }
    assert.deepEqual(statuses.slice(0, 5), [0, 0, 0, 0, 0]);
    assert.equal(statuses.at(-1), 4);
  });
}

function flowTests(harness: NetHarness): void {
  test('a slow reader slows the server', async () => {
    await using stack = new AsyncDisposableStack();
    const [a, b] = await pair(harness, stack);
    let pulled = 0;
    a.serve = async function* (stream) {
      for (let index = 0; stream === 'blocks' && index < 100; index += 1) {
        pulled += 1;
        yield { status: 0, payload: filled(MB, index) };
      }
    };
    const iterator = b.net.request(a.id, 'blocks', forItems(100), new AbortController().signal)[Symbol.asyncIterator]();
    const first = await harness.until(iterator.next());
    assert.equal(first.done, false);
    // Everything between the two consumers is full once other requests pass and the count stands still.
    let before = -1;
    while (before !== pulled) {
      before = pulled;
      for (let round = 0; round < 5; round += 1) await b.ask(a, 'txs', new Uint8Array(1)).catch(() => {});
      await a.net.status();
    }
    assert.ok(pulled < 50, `${pulled} MB were taken from the server for a reader of 1 MB`);
    let rest = 0;
    for (;;) {
      const result = await harness.until(iterator.next());
      if (result.done === true) break;
      rest += 1;
    }
    assert.equal(rest, 99);
  });

  test('leaving a response early ends the work of the server', async () => {
    await using stack = new AsyncDisposableStack();
    const [a, b] = await pair(harness, stack);
    const over = Promise.withResolvers<void>();
    a.serve = async function* (_stream, _from, _request, signal) {
      try {
        for (let index = 0; index < 100; index += 1) {
          signal.throwIfAborted();
          yield { status: 0, payload: filled(MB, index) };
        }
      } finally {
        over.resolve();
      }
    };
    const leave = async (): Promise<void> => {
      for await (const frame of b.net.request(a.id, 'blocks', forItems(100), new AbortController().signal)) {
        assert.equal(frame.payload.length, MB);
        return;
      }
    };
    await harness.until(leave());
    await harness.until(over.promise);
  });

  test('an abort ends a request at once, and the server hears of it', async () => {
    await using stack = new AsyncDisposableStack();
    const [a, b] = await pair(harness, stack);
    const asked = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<void>();
    a.serve = async function* (_stream, _from, _request, signal) {
      asked.resolve();
      await aborted(signal);
      gone.resolve();
      yield* [];
    };
    const controller = new AbortController();
    const pending = requestErrorOf(b.ask(a, 'blocks', forItems(1), controller.signal));
    await harness.until(asked.promise);
    controller.abort();
    assert.equal(await harness.until(pending), 'ABORTED');
    await harness.until(gone.promise);
  });

  test('a peer that goes away ends what we ask of it and what we serve it', async () => {
    await using stack = new AsyncDisposableStack();
    const [a, b] = await pair(harness, stack);
    const asked = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<void>();
    a.serve = async function* (_stream, _from, _request, signal) {
      asked.resolve();
      await aborted(signal);
      gone.resolve();
      yield* [];
    };
    const pending = requestErrorOf(b.ask(a, 'blocks', forItems(1)));
    await harness.until(asked.promise);
    a.net.disconnect(b.id, 'gone');
    assert.ok(['DISCONNECTED', 'STREAM_RESET'].includes(await harness.until(pending)));
    await harness.until(gone.promise);
  });
}

function standingTests(harness: NetHarness): void {
  test('a fatal offence disconnects and bans: the peer stays out', async () => {
    await using stack = new AsyncDisposableStack();
    const tuning = { cooldownMs: 1, backoffFirstMs: 50, backoffLastMs: 50 };
    const [a, b] = await pair(harness, stack, { tuning });
    a.net.charge(b.id, 'invalid-block', 'for the test');
    await Promise.all([a.isWithout(b), b.isWithout(a)]);
    // b calls again by itself; somebody who may come in proves that time has passed for its calls too.
    const c = stack.use(await TestPeer.start(harness, 'c', { bootstrap: [await a.address()], tuning }));
    await a.isWith(c);
    assert.equal(a.connected.has(b.id), false);
    assert.equal(a.events.filter((event) => event.startsWith(`connected ${b.id}`)).length, 1);
  });

  test('minor offences add up; one alone is nothing', async () => {
    await using stack = new AsyncDisposableStack();
    const [a, b] = await pair(harness, stack);
    a.net.charge(b.id, 'stalled', 'once');
    assert.deepEqual(await b.ask(a, 'txs', new Uint8Array(1)), []);
    for (let count = 0; count < 30; count += 1) a.net.charge(b.id, 'stalled', 'again');
    await a.isWithout(b);
  });
}

function gossipTests(harness: NetHarness): void {
  test('a published message reaches peers once and travels on when accepted', async () => {
    await using stack = new AsyncDisposableStack();
    const [a, b] = await pair(harness, stack, { targetOutbound: 1 });
    const c = await chained(harness, stack, a, b);
    const data = await a.publishToSome('tx', 300, 5);
    await c.when(() => c.messages.length > 0);
    assert.equal(b.messages.length, 1);
    assert.deepEqual(b.messages[0]?.topic, 'tx');
    assert.equal(b.messages[0]?.from, a.id);
    assert.ok(Buffer.from(c.messages[0]?.data ?? []).equals(data));
    assert.equal(c.messages[0]?.from, b.id);
    assert.equal(a.messages.length, 0, 'nobody hears itself');
  });

  test('who sends what is being judged is told of, once each', async () => {
    await using stack = new AsyncDisposableStack();
    const { b, around } = await inTheMiddle(harness, stack);
    const judged = Promise.withResolvers<void>();
    b.judging = judged.promise;
    const data = filled(60, 7);
    for (const peer of around) await peer.net.publish('tx', data);
    await b.when(() => b.copies.length >= 2);
    const senders = [...b.messages, ...b.copies].map(({ from }) => from);
    assert.deepEqual(new Set(senders), new Set(around.map(({ id }) => id)));
    assert.equal(senders.length, 3);
    for (const copy of b.copies) assert.ok(Buffer.from(copy.data).equals(data));
    judged.resolve();
  });

  test('who sends what was ignored is told of: the first sender may have gone before it gave what it announced', async () => {
    await using stack = new AsyncDisposableStack();
    const { b, around } = await inTheMiddle(harness, stack);
    const [first, ...others] = around;
    b.verdict = 'ignore';
    const data = filled(60, 7);
    await first?.net.publish('tx', data);
    await b.when(() => b.messages.length > 0);
    for (const peer of others) await peer.net.publish('tx', data);
    await b.when(() => b.copies.length >= 2);
    assert.deepEqual(new Set(b.copies.map(({ from }) => from)), new Set(others.map(({ id }) => id)));
    assert.equal(b.messages.length, 1);
  });

  test('who sends a block after it was accepted is told of, by the beginning of what it sent', async () => {
    await using stack = new AsyncDisposableStack();
    const { b, around } = await inTheMiddle(harness, stack);
    // Nobody passes on what it hears: else the two others would have it from the one in the middle.
    for (const peer of around) peer.verdict = 'ignore';
    // Not passed on before the others have sent theirs.
    b.verdict = { acceptAfterMs: 8_000 };
    const [first, ...others] = around;
    const data = filled(200, 9);
    await first?.net.publish('block', data);
    await b.when(() => b.messages.length > 0);
    for (const peer of others) await peer.net.publish('block', data);
    await b.when(() => b.copies.length >= 2);
    assert.deepEqual(new Set(b.copies.map(({ from }) => from)), new Set(others.map(({ id }) => id)));
    for (const copy of b.copies) assert.ok(Buffer.from(copy.data).equals(data.subarray(0, 80)));
  });

  test('what is ignored or rejected does not travel on', async () => {
    await using stack = new AsyncDisposableStack();
    const [a, b] = await pair(harness, stack, { targetOutbound: 1 });
    const c = await chained(harness, stack, a, b);
    b.verdict = 'ignore';
    await a.publishToSome('tx', 100, 1);
    await b.when(() => b.messages.length > 0);
    b.verdict = 'reject';
    await a.publishToSome('tx', 100, 2);
    await b.when(() => b.messages.length === 2);
    b.verdict = 'accept';
    await a.publishToSome('tx', 100, 3);
    await c.when(() => c.messages.length > 0);
    assert.deepEqual(
      c.messages.map((message) => message.data[0]),
      [filled(1, 3)[0]],
    );
  });

  test('what is accepted for later travels on', async () => {
    await using stack = new AsyncDisposableStack();
    const [a, b] = await pair(harness, stack, { targetOutbound: 1 });
    const c = await chained(harness, stack, a, b);
    b.verdict = { acceptAfterMs: 50 };
    await a.publishToSome('tx', 100, 1);
    await c.when(() => c.messages.length > 0);
    assert.equal(c.messages[0]?.data[0], filled(1, 1)[0]);
  });
}

/** A peer that has but one other, and no room for more: it would find others by discovery. */
async function leaf(harness: NetHarness, stack: AsyncDisposableStack, other: TestPeer): Promise<TestPeer> {
  const setup = { bootstrap: [await other.address()], targetOutbound: 1, maxPeers: 1 };
  const peer = stack.use(await TestPeer.start(harness, 'c', setup));
  await peer.isWith(other);
  return peer;
}

/** A peer, and three around it whose gossip reaches it, and nobody else. */
async function inTheMiddle(
  harness: NetHarness,
  stack: AsyncDisposableStack,
): Promise<{ readonly b: TestPeer; readonly around: readonly TestPeer[] }> {
  const b = stack.use(await TestPeer.start(harness, 'b'));
  const around = await Promise.all(
    [200, 201, 202].map(async (seed) => {
      const peer = await leaf(harness, stack, b);
      await peer.publishToSome('tx', 50, seed);
      return peer;
    }),
  );
  await b.when(() => b.messages.length >= 3);
  b.messages.length = 0;
  b.copies.length = 0;
  return { b, around };
}

/** A peer that reaches the first only through the second, with gossip flowing along the chain. */
async function chained(harness: NetHarness, stack: AsyncDisposableStack, a: TestPeer, b: TestPeer): Promise<TestPeer> {
  const c = await leaf(harness, stack, b);
  // What arrives at the far end proves every mesh link on the way, both of whose ends graft at once.
  await a.publishToSome('tx', 50, 250);
  await c.publishToSome('tx', 50, 251);
  await a.when(() => a.messages.length > 0);
  // The first message may still be on its way to the far end, or have missed it: once this is there, nothing else comes.
  const last = await a.publishToSome('tx', 50, 252);
  await c.when(() => c.messages.some(({ data }) => Buffer.from(data).equals(last)));
  for (const peer of [a, b, c]) peer.messages.length = 0;
  return c;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** A response that never comes. */
function never(): AsyncIterable<ResponseFrame> {
  return { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) };
}
