/**
 * Peers that abuse their one connection: floods of streams, of resets and of muxer frames, streams that are opened and
 * left, frames that are too large. Each is bounded, charged or cut, and an honest node relays through the victim meanwhile.
 */
import assert from 'node:assert/strict';
import { after, before, suite, type TestContext, test } from 'node:test';
import type { Connection, Stream, StreamMuxer } from '@libp2p/interface';
import { networkId, type OffenceName, protocolId, streams, type TopicName, topicId, topics } from '#protocol';
import { streamNames, topicNames } from '../../src/net/rows.ts';
import { requestErrorOf, TestPeer } from '../compliance/net.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { createTestNodes, tipOf } from '../support/test-nodes.ts';
import { frames, yamuxFrame } from '../support/yamux-frames.ts';
import {
  callMany,
  closed,
  flood,
  hangUp,
  isOver,
  MULTISTREAM,
  multistreamLine,
  startFigures,
  wireOf,
} from './abuse-attackers.ts';
import { openScene, type Scene } from './hostile-scene.ts';
import { startRawPeer } from './net-raw-peer.ts';
import { eventually, inProcess, NETWORK, within } from './net-support.ts';
import { startVictim } from './net-victim.ts';

/** As in `src/net/host.ts` and `src/net/serving.ts`. */
const STREAMS_PER_CONNECTION = 64;
const REQUEST_MS = 10_000;
/** Streams of the attacker's own muxer have lower ids. */
const FIRST_ID = 1_000_001;
const MIB = 1 << 20;

/** The varint in front of so many bytes. */
function lengthOf(length: number): number[] {
  return length < 0x80 ? [length] : [(length & 0x7f) | 0x80, ...lengthOf(length >>> 7)];
}

/** Ids of new streams, as the side that dialled numbers them. */
function* newIds(): Generator<number, never> {
  for (let id = FIRST_ID; ; id += 2) yield id;
}

type MuxerAttack = {
  readonly what: string;
  readonly offence: OffenceName;
  /** One of many that are sent one after the other. */
  readonly batch: (ids: Iterator<number, never>, network: string) => Uint8Array;
  /** It is over before so many batches. */
  readonly most: number;
};

const syn = (streamId: number) => yamuxFrame({ type: 'window-update', flags: ['SYN'], streamId });
const rst = (streamId: number) => yamuxFrame({ type: 'window-update', flags: ['RST'], streamId });
const PING = yamuxFrame({ type: 'ping', flags: ['SYN'] });
/** What multistream answers to a protocol that it does not have. */
const NOT_AVAILABLE = multistreamLine('na');

function times(count: number, make: () => Uint8Array): Uint8Array {
  return frames(...Array.from({ length: count }, make));
}

/** Some 100 streams or 5,000 frames a batch; the bounds are a thousand and 50,000 at once. */
const MUXER_ATTACKS: readonly MuxerAttack[] = [
  {
    what: 'opens streams without end',
    offence: 'protocol-violation',
    batch: (ids) => times(100, () => syn(ids.next().value)),
    most: 200,
  },
  {
    what: 'opens and resets streams',
    offence: 'protocol-violation',
    batch: (ids) =>
      times(100, () => {
        const id = ids.next().value;
        return frames(syn(id), rst(id));
      }),
    most: 200,
  },
  {
    what: 'opens streams, chooses a protocol, and resets them',
    offence: 'protocol-violation',
    batch: (ids, network) =>
      times(100, () => {
        const id = ids.next().value;
        const choice = frames(MULTISTREAM, multistreamLine(protocolId(network, 'headers')));
        return frames(syn(id), yamuxFrame({ type: 'data', streamId: id, data: choice }), rst(id));
      }),
    most: 200,
  },
  {
    what: 'pings the muxer without end',
    offence: 'protocol-violation',
    batch: () => times(50, () => PING),
    most: 200,
  },
  {
    what: 'sends empty data to streams that do not exist',
    offence: 'protocol-violation',
    batch: () => times(5_000, () => yamuxFrame({ type: 'data', streamId: 77, length: 0 })),
    most: 200,
  },
  {
    what: 'announces a frame of 4 GiB',
    offence: 'oversized-frame',
    batch: () => frames(yamuxFrame({ type: 'data', streamId: 77, length: 2 ** 32 - 1 }), Buffer.alloc(MIB)),
    most: 20,
  },
];

suite('a peer that floods the muxer of a whole node', { timeout: 240_000 }, () => {
  let scene: Scene;
  before(async () => {
    scene = await openScene();
  });
  after(() => scene[Symbol.asyncDispose]());

  for (const { what, offence, batch, most } of MUXER_ATTACKS) {
    test(`it ${what}: cut and charged, blocks and transactions get through`, async (t: TestContext) => {
      const before = (await scene.victim.status()).net;
      const [address = ''] = before.listenAddresses;
      const network = networkId(scene.builder.params.genesis.hash);
      const figures = startFigures();
      const attackers: string[] = [];
      let sent = 0;
      let mostStreams = 0;
      await scene.honestGetThroughDuring(async () => {
        await using raw = await startRawPeer({ network });
        const connection = await raw.dial(address);
        // What comes before the victim has announced the connection is cut too, but there is nobody to charge yet.
        await raw.open(connection, 'hello');
        const ids = newIds();
        const wire = wireOf(connection);
        const done = flood(wire, () => batch(ids, network), most);
        await eventually(async () => {
          mostStreams = Math.max(mostStreams, (await scene.victim.status()).net.streams);
          return !wire.isOpen();
        });
        const batches = await done;
        assert.ok(batches < most, `${batches} of ${most} were taken`);
        sent += batches;
        attackers.push(raw.id);
      });
      for (const id of attackers) {
        await scene.until(() => scene.chargesOf(id).length > 0);
        assert.deepEqual(
          scene.chargesOf(id).map((charge) => charge.offence),
          [offence],
        );
      }
      t.diagnostic(`${attackers.length} attackers, ${sent} batches, at most ${mostStreams} streams; ${figures()}`);
      assert.ok(mostStreams <= before.streams + STREAMS_PER_CONNECTION + 16, "of which some are the victim's own");
      // Honest peers keep some that they have used.
      await scene.until(({ net }) => net.connections === before.connections && net.streams <= before.streams + 16);
    });
  }

  test('all of it at once: a node that joins syncs the whole chain through the victim', async (t: TestContext) => {
    const { net } = await scene.victim.status();
    const [address = ''] = net.listenAddresses;
    const { params, tip } = scene.builder;
    const network = networkId(params.genesis.hash);
    const figures = startFigures();
    await using nodes = await createTestNodes(params);
    let isSynced = false;
    let attackers = 0;
    const attack = async ({ batch, most }: MuxerAttack): Promise<void> => {
      while (!isSynced) {
        await using raw = await startRawPeer({ network });
        const calls = callMany(20, address, { from: '127.0.0.2', says: MULTISTREAM });
        const ids = newIds();
        const connection = await raw.dial(address);
        const batches = await flood(wireOf(connection), () => batch(ids, network), most);
        assert.ok(batches < most);
        hangUp(calls);
        attackers += 1;
      }
    };
    const attacks = Promise.all(MUXER_ATTACKS.map(attack));
    try {
      const joining = await nodes.start('joining', { connect: [address], maxPeers: 1, targetOutbound: 0 });
      await Promise.race([tipOf(joining, ({ hash }) => hash === tip.hash), attacks]);
    } finally {
      isSynced = true;
    }
    await attacks;
    t.diagnostic(`${tip.height} blocks, ${attackers} attackers meanwhile; ${figures()}`);
    assert.ok(attackers >= MUXER_ATTACKS.length);
    await scene.honestGetThrough();
  });
});

/** A victim on a clock that stands still, and a connected raw peer. */
async function withAttacker(
  stack: AsyncDisposableStack,
  tuning: { readonly streamNegotiationTimeoutMs?: number } = {},
) {
  const clock = createManualClock(1_000_000);
  const { victim, offences } = await startVictim({ targetOutbound: 0, tuning }, clock);
  stack.use(victim);
  victim.serve = async function* () {
    yield { status: 0, payload: new Uint8Array(1_000) };
  };
  const honest = stack.use(
    await TestPeer.start(inProcess, 'honest', { connect: [await victim.address()], targetOutbound: 0 }),
  );
  await Promise.all([honest.isWith(victim), victim.isWith(honest)]);
  const raw = stack.use(await startRawPeer());
  const connection = await raw.dial(await victim.address());
  await victim.when(() => victim.connected.has(raw.id));
  const ask = async (): Promise<void> => {
    const [frame] = await honest.ask(victim, 'headers', Uint8Array.of(0));
    assert.equal(frame?.payload.length, 1_000);
  };
  const open = async (): Promise<number> => (await victim.net.status()).streams;
  return { clock, victim, offences, raw, connection, ask, open, timers: clock.pending() };
}

/** Opens as many as the rows allow, and those of them that the victim kept. */
async function openAll(raw: Awaited<ReturnType<typeof startRawPeer>>, connection: Connection): Promise<Stream[]> {
  const wanted = streamNames.flatMap((name) => Array.from({ length: streams[name].maxInboundStreams }, () => name));
  const opened = await Promise.all(wanted.map((name) => raw.open(connection, name).catch(() => undefined)));
  return opened.filter((stream) => stream !== undefined);
}

suite('garbage right behind the handshake', () => {
  const garbage: readonly [string, () => Uint8Array][] = [
    ['no frame', () => Buffer.alloc(2_000, 7)],
    ['a frame of 4 GiB', () => yamuxFrame({ type: 'data', streamId: 1, length: 2 ** 32 - 1 })],
  ];
  for (const [what, make] of garbage) {
    test(`${what}, from who calls us: no connection is left behind`, async () => {
      await using stack = new AsyncDisposableStack();
      const { victim, ask } = await withAttacker(stack);
      const { connections } = await victim.net.status();
      for (let count = 0; count < 10; count += 1) {
        await using raw = await startRawPeer({ identify: false });
        const connection = await raw.dial(await victim.address());
        wireOf(connection).send(make());
        await closed(connection);
      }
      await ask();
      await within(eventually(async () => (await victim.net.status()).connections === connections));
    });

    test(`${what}, from whom we call: no connection is left behind`, async () => {
      await using stack = new AsyncDisposableStack();
      const raw = stack.use(await startRawPeer());
      const ended: Promise<unknown>[] = [];
      raw.host.addEventListener('connection:open', ({ detail }) => {
        wireOf(detail).send(make());
        ended.push(closed(detail));
      });
      const { victim } = await startVictim({ connect: [raw.address], tuning: { backoffFirstMs: 50, dialBusyMs: 50 } });
      stack.use(victim);
      await within(eventually(() => ended.length > 0));
      await ended[0];
      await within(eventually(async () => (await victim.net.status()).connections <= 1));
    });
  }
});

suite('streams that are opened and left', () => {
  test('no protocol is chosen: no more than 64 at once, none after the deadline, nobody is charged', async (t) => {
    await using stack = new AsyncDisposableStack();
    const { offences, connection, ask, open } = await withAttacker(stack, { streamNegotiationTimeoutMs: 400 });
    const before = await open();
    const ids = newIds();
    wireOf(connection).send(times(900, () => syn(ids.next().value)));
    await within(eventually(async () => (await open()) >= STREAMS_PER_CONNECTION));
    const most = await open();
    await ask();
    await within(eventually(async () => (await open()) <= before));
    t.diagnostic(`${most} streams of 900 were held`);
    assert.ok(most <= before + STREAMS_PER_CONNECTION);
    assert.equal(connection.status, 'open');
    assert.deepEqual(offences, []);
    await ask();
  });

  test('protocols are named without end: the stream is reset after a few answers', async (t) => {
    await using stack = new AsyncDisposableStack();
    const { connection, ask, open } = await withAttacker(stack);
    const before = await open();
    const figures = startFigures();
    let answers = 0;
    for (let count = 0; count < 50; count += 1) {
      // Below libp2p's own choice of protocols.
      const stream = await (Reflect.get(connection, 'muxer') as StreamMuxer).createStream();
      stream.addEventListener('message', ({ data: bytes }) => {
        answers += bytes.byteLength / NOT_AVAILABLE.length;
      });
      stream.send(
        frames(
          MULTISTREAM,
          times(10_000, () => multistreamLine('/x')),
        ),
      );
      await within(eventually(() => isOver(stream)));
    }
    t.diagnostic(`500,000 lines were said, about ${Math.round(answers)} answered; ${figures()}`);
    assert.ok(answers <= 50 * 20);
    await ask();
    await within(eventually(async () => (await open()) <= before));
  });

  const leaving: readonly [string, readonly number[]][] = [
    ['a protocol is chosen and nothing asked', []],
    ['half a length is said', [0x80]],
    ['a length is said and less than that', [3, 1]],
  ];
  for (const [what, says] of leaving) {
    test(`${what}: the rows bound how many, and the time of a request ends them`, async () => {
      await using stack = new AsyncDisposableStack();
      const { clock, victim, raw, connection, ask, open, timers } = await withAttacker(stack);
      const before = await open();
      let served = 0;
      const { serve } = victim;
      victim.serve = (...parameters) => {
        if (parameters[1] === raw.id) served += 1;
        return serve(...parameters);
      };
      const kept = await openAll(raw, connection);
      for (const stream of kept) if (says.length > 0) stream.send(Uint8Array.from(says));
      await ask();
      await clock.advance(REQUEST_MS - 1);
      assert.equal(kept.filter(isOver).length, 0);
      assert.ok((await open()) <= before + STREAMS_PER_CONNECTION);
      await clock.advance(2);
      await within(eventually(() => kept.every(isOver)));
      assert.equal(served, 0);
      await ask();
      await within(eventually(async () => (await open()) <= before && clock.pending() <= timers));
    });
  }
});

suite('frames above their bound', () => {
  for (const name of streamNames) {
    test(`a ${name} request is refused for its length, on either protocol`, async () => {
      await using stack = new AsyncDisposableStack();
      const { offences, raw, connection, ask } = await withAttacker(stack);
      for (const protocol of [protocolId(NETWORK, name), protocolId(NETWORK, name, 'kept')]) {
        const stream = await connection.newStream(protocol);
        stream.send(Uint8Array.from(lengthOf(streams[name].maxRequestBytes + 1)));
        await within(eventually(() => isOver(stream)));
      }
      await closed(connection);
      assert.deepEqual(offences, ['oversized-frame', 'oversized-frame']);
      assert.equal(raw.host.getConnections().length, 0);
      await ask();
    });

    test(`a ${name} response is refused for its length, before its bytes are there`, async () => {
      await using stack = new AsyncDisposableStack();
      const { maxFrameBytes, maxRequestBytes } = streams[name];
      const answer = async (stream: Stream): Promise<void> => {
        stream.send(Uint8Array.from(lengthOf(maxFrameBytes + 2)));
      };
      const liar = stack.use(await startRawPeer({ handlers: { [name]: answer } }));
      const { victim, offences } = await startVictim({ bootstrap: [liar.address] });
      stack.use(victim);
      await victim.when(() => victim.connected.has(liar.id));
      // That it asks by itself.
      if (name === 'peers') return await within(eventually(() => offences[0] === 'oversized-frame'));
      const request = Uint8Array.of(1, ...new Uint8Array(32)).subarray(0, maxRequestBytes);
      const asking = victim.net.request(liar.id, name, request, new AbortController().signal);
      const first = asking[Symbol.asyncIterator]().next();
      assert.equal(await within(requestErrorOf(first)), 'PROTOCOL_VIOLATION');
      assert.deepEqual([...new Set(offences)], ['oversized-frame']);
    });
  }

  for (const name of topicNames) {
    test(`a message of topic ${name} is refused for its length`, async () => {
      await using stack = new AsyncDisposableStack();
      const { victim, offences, ask } = await withGossip(stack, name);
      await within(eventually(() => offences.length > 0));
      assert.deepEqual([...new Set(offences)], ['oversized-frame']);
      assert.deepEqual(victim.messages, []);
      await ask();
    });
  }
});

/** A raw peer that has published a message that is one byte too long. */
async function withGossip(stack: AsyncDisposableStack, name: TopicName) {
  const { victim, offences } = await startVictim();
  stack.use(victim);
  const honest = stack.use(await TestPeer.start(inProcess, 'honest', { bootstrap: [await victim.address()] }));
  await Promise.all([honest.isWith(victim), victim.isWith(honest)]);
  const gossip = { globalSignaturePolicy: 'StrictNoSign', allowPublishToZeroTopicPeers: true } as const;
  const raw = stack.use(await startRawPeer({ gossip }));
  await raw.dial(await victim.address());
  await victim.when(() => victim.connected.has(raw.id));
  const topic = topicId(NETWORK, name);
  raw.pubsub.subscribe(topic);
  let round = 0;
  await within(
    eventually(async () => {
      round += 1;
      const { recipients } = await raw.pubsub.publish(topic, new Uint8Array(topics[name].maxBytes + 1).fill(round));
      return recipients.length > 0;
    }),
  );
  const ask = async (): Promise<void> => void (await honest.ask(victim, 'headers', Uint8Array.of(0)));
  return { victim, offences, ask };
}
