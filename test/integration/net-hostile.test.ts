/** What bad input gets: streams closed, peers charged and kept out, the node unharmed. Real sockets, a raw peer. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import type { Stream } from '@libp2p/interface';
import type { OffenceName } from '#protocol';
import { requestErrorOf, TestPeer } from '../compliance/net.ts';
import { makeTempDir } from '../support/temp-dir.ts';
import { startRawPeer } from './net-raw-peer.ts';
import { eventually, inProcess, within } from './net-support.ts';
import { startVictim } from './net-victim.ts';

const ITEM = Uint8Array.of(1, ...new Uint8Array(32));
const OK = 0;

/** A length prefix: the varint of our frames. */
function lengthOf(length: number): number[] {
  return length < 0x80 ? [length] : [(length & 0x7f) | 0x80, ...lengthOf(length >>> 7)];
}

function frame(status: number, payload: number[]): number[] {
  return [...lengthOf(payload.length + 1), status, ...payload];
}

/** A raw server of blocks that sends these bytes, then finishes or resets; the codes with which asking it fails. */
async function askOfLiar(bytes: number[], ending: 'finish' | 'reset' | 'wait', times = 1): Promise<string[]> {
  await using stack = new AsyncDisposableStack();
  const liar = stack.use(
    await startRawPeer({
      handlers: {
        blocks: async (stream: Stream) => {
          stream.send(Uint8Array.from(bytes));
          if (ending === 'finish') await stream.close();
          if (ending === 'reset') stream.abort(new Error('so there'));
        },
      },
    }),
  );
  const victim = stack.use(await TestPeer.start(inProcess, 'victim', { bootstrap: [liar.address] }));
  await victim.when(() => victim.connected.has(liar.id));
  const codes: string[] = [];
  for (let count = 0; count < times; count += 1) {
    const ask = async (): Promise<void> => {
      for await (const _ of victim.net.request(liar.id, 'blocks', ITEM, new AbortController().signal)) {
        // Whatever comes before the lie is fine.
      }
    };
    codes.push(await within(requestErrorOf(ask())));
  }
  if (times > 1) await victim.when(() => !victim.connected.has(liar.id));
  return codes;
}

suite('net against hostile servers', () => {
  const lies: readonly [string, number[], 'finish' | 'reset' | 'wait', string][] = [
    ['a frame above the bound of its row', [...lengthOf(4_000_002), OK], 'wait', 'PROTOCOL_VIOLATION'],
    ['a length of five bytes', [0xff, 0xff, 0xff, 0xff, 0x01], 'wait', 'PROTOCOL_VIOLATION'],
    ['a status that nobody knows', [...frame(9, [1]), 0], 'wait', 'PROTOCOL_VIOLATION'],
    ['more frames than asked', [...frame(OK, [1]), ...frame(OK, [2]), 0], 'wait', 'PROTOCOL_VIOLATION'],
    ['a frame behind a failure', [...frame(2, []), ...frame(OK, [2]), 0], 'wait', 'PROTOCOL_VIOLATION'],
    ['an end without the end frame', frame(OK, [1]), 'finish', 'STREAM_RESET'],
    ['an end within a frame', [...lengthOf(500), OK, 1, 2, 3], 'finish', 'STREAM_RESET'],
    ['nothing at all', [], 'finish', 'STREAM_RESET'],
    ['a reset', frame(OK, [1]), 'reset', 'STREAM_RESET'],
  ];
  for (const [what, bytes, ending, code] of lies) {
    test(`${what}: ${code}`, async () => {
      assert.deepEqual(await askOfLiar(bytes, ending), [code]);
    });
  }

  test('who lies again and again is thrown out', async () => {
    const codes = await askOfLiar([0xff, 0xff, 0xff, 0xff, 0x01], 'wait', 2);
    assert.deepEqual(codes, ['PROTOCOL_VIOLATION', 'PROTOCOL_VIOLATION']);
  });

  test('a protocol that the peer does not speak', async () => {
    await using stack = new AsyncDisposableStack();
    const raw = stack.use(await startRawPeer({ handlers: { hello: async () => {} } }));
    const victim = stack.use(await TestPeer.start(inProcess, 'victim', { bootstrap: [raw.address] }));
    await victim.when(() => victim.connected.has(raw.id));
    const ask = victim.net.request(raw.id, 'blocks', ITEM, new AbortController().signal)[Symbol.asyncIterator]().next();
    assert.equal(await within(requestErrorOf(ask)), 'UNSUPPORTED_PROTOCOL');
  });
});

suite('net against hostile clients', () => {
  const requests: readonly [string, number[], 'finish' | 'wait', OffenceName][] = [
    ['a request above the bound of its row', lengthOf(1 << 20), 'wait', 'oversized-frame'],
    ['an endless length', [0x80, 0x80, 0x80, 0x80, 0x80], 'wait', 'oversized-frame'],
    ['a request broken off', [...lengthOf(33), 1, 2, 3], 'finish', 'stalled'],
  ];
  for (const [what, bytes, ending, offence] of requests) {
    test(`${what}: charged, the stream is reset, nothing is served`, async () => {
      await using stack = new AsyncDisposableStack();
      const { victim, offences } = await startVictim();
      stack.use(victim);
      const raw = stack.use(await startRawPeer());
      const connection = await raw.dial(await victim.address());
      await victim.when(() => victim.connected.has(raw.id));
      let served = 0;
      victim.serve = async function* () {
        served += 1;
        yield* [];
      };
      const stream = await raw.open(connection, 'blocks');
      const reset = new Promise((resolve) => stream.addEventListener('close', resolve, { once: true }));
      stream.send(Uint8Array.from(bytes));
      if (ending === 'finish') await stream.close();
      await within(reset);
      assert.equal(stream.status, 'reset');
      assert.deepEqual(offences, [offence]);
      assert.equal(served, 0);
    });
  }

  test('a ban holds against reconnection and over a restart', async () => {
    await using stack = new AsyncDisposableStack();
    const dir = stack.use(await makeTempDir());
    const { victim } = await startVictim({ dataDir: dir.path });
    const raw = stack.use(await startRawPeer());
    await raw.dial(await victim.address());
    await victim.when(() => victim.connected.has(raw.id));
    victim.net.charge(raw.id, 'invalid-pow', 'for the test');
    await victim.when(() => !victim.connected.has(raw.id));
    await refused(raw, await victim.address());
    await victim[Symbol.asyncDispose]();
    assert.match(await readFile(join(dir.path, 'bans.json'), 'utf8'), new RegExp(raw.id));
    const { victim: again } = await startVictim({ dataDir: dir.path });
    stack.use(again);
    assert.equal(again.id, victim.id, 'the same key');
    await refused(raw, await again.address());
    assert.deepEqual(again.events, []);
  });

  test('who speaks nothing of our network is sent away, without an announcement', async () => {
    await using stack = new AsyncDisposableStack();
    const { victim } = await startVictim();
    stack.use(victim);
    const raw = stack.use(await startRawPeer({ handlers: {} }));
    const connection = await raw.dial(await victim.address());
    await within(new Promise((resolve) => connection.addEventListener('close', resolve, { once: true })));
    assert.deepEqual(victim.events, []);
  });

  test('who does not identify itself is sent away', async () => {
    await using stack = new AsyncDisposableStack();
    const { victim } = await startVictim({ tuning: { identifyTimeoutMs: 300 } });
    stack.use(victim);
    const raw = stack.use(await startRawPeer({ identify: false }));
    const connection = await raw.dial(await victim.address());
    await within(new Promise((resolve) => connection.addEventListener('close', resolve, { once: true })));
    assert.deepEqual(victim.events, []);
  });

  test('connections above the cap are refused', async () => {
    await using stack = new AsyncDisposableStack();
    const { victim } = await startVictim({ maxPeers: 2, targetOutbound: 0 });
    stack.use(victim);
    const peers = [];
    for (let count = 0; count < 2; count += 1) {
      const raw = stack.use(await startRawPeer());
      await raw.dial(await victim.address());
      await victim.when(() => victim.connected.has(raw.id));
      peers.push(raw);
    }
    const third = stack.use(await startRawPeer());
    await refused(third, await victim.address());
    assert.equal(victim.connected.size, 2);
  });

  test('a peer opens more streams than its row allows: the surplus is reset', async () => {
    await using stack = new AsyncDisposableStack();
    const { victim } = await startVictim();
    stack.use(victim);
    victim.serve = async function* (_name, _from, _request, signal) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      yield* [];
    };
    const raw = stack.use(await startRawPeer());
    const connection = await raw.dial(await victim.address());
    await victim.when(() => victim.connected.has(raw.id));
    const streams = await Promise.all(
      Array.from({ length: 6 }, () => raw.open(connection, 'hello').catch(() => undefined)),
    );
    const alive = (): number => streams.filter((stream) => stream?.status === 'open').length;
    await within(eventually(() => alive() <= 2));
    assert.equal(alive(), 2);
  });

  test('who sends what is rejected again and again falls to the graylist, is charged and thrown out', async () => {
    await using stack = new AsyncDisposableStack();
    const { victim, offences } = await startVictim({ tuning: { watchdogMs: 200 } });
    stack.use(victim);
    victim.verdict = 'reject';
    const spammer = stack.use(await TestPeer.start(inProcess, 'spammer', { bootstrap: [await victim.address()] }));
    await victim.isWith(spammer);
    await spammer.isWith(victim);
    for (let count = 0; count < 6; count += 1) await spammer.publishToSome('tx', 200, count);
    await victim.isWithout(spammer);
    assert.deepEqual([...new Set(offences)], ['protocol-violation']);
  });

  test('an oversized gossip message is charged and goes nowhere', async () => {
    await using stack = new AsyncDisposableStack();
    const { victim, offences } = await startVictim();
    stack.use(victim);
    const raw = stack.use(
      await startRawPeer({
        gossip: {
          globalSignaturePolicy: 'StrictNoSign',
          allowPublishToZeroTopicPeers: true,
          fallbackToFloodsub: false,
        },
      }),
    );
    await raw.dial(await victim.address());
    await victim.when(() => victim.connected.has(raw.id));
    const topic = '/starling/0f9188f1/tx/1';
    raw.pubsub.subscribe(topic);
    let round = 0;
    await within(
      eventually(async () => {
        round += 1;
        const { recipients } = await raw.pubsub.publish(topic, new Uint8Array(100_000).fill(round));
        return recipients.length > 0;
      }),
    );
    await within(eventually(() => offences.length > 0));
    assert.deepEqual([...new Set(offences)], ['oversized-frame']);
    assert.deepEqual(victim.messages, []);
  });
});

/** Resolves when the victim has turned the peer away: the dial fails, or the connection is closed at once. */
async function refused(raw: Awaited<ReturnType<typeof startRawPeer>>, address: string): Promise<void> {
  const attempt = async (): Promise<void> => {
    const connection = await raw.dial(address);
    if (connection.status === 'open') {
      await new Promise((resolve) => connection.addEventListener('close', resolve, { once: true }));
    }
  };
  await within(attempt().catch(() => {}));
}
