/**
 * Whoever only connects: floods, handshakes that never end, hosts and peers that are banned. Each attack has its end and
 * its bound, and others are served meanwhile. Where limits per host matter, addresses of 127/8 count as any others.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, suite, type TestContext, test } from 'node:test';
import type { NetOptions } from '#net';
import { TestPeer } from '../compliance/net.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { yamuxFrame } from '../support/yamux-frames.ts';
import {
  type Call,
  call,
  callMany,
  closed,
  hangUp,
  isAnswered,
  MULTISTREAM,
  multistreamLine,
  openAmong,
  startFigures,
  wireOf,
} from './abuse-attackers.ts';
import { openScene, type Scene } from './hostile-scene.ts';
import { type RawPeer, startRawPeer } from './net-raw-peer.ts';
import { eventually, inProcess, within } from './net-support.ts';
import { startVictim, type Victim } from './net-victim.ts';

/** As in `src/net/host-limits.ts`. */
const PENDING_OF_HOST = 2;
const PENDING_IN_ALL = 64;
const BURST_OF_HOST = 10;
/** As in `src/net/transports/ws-listener.ts`. */
const SOCKETS_OF_HOST = 12;
/** Deadlines that tests wait for. */
const SHORT = { inboundUpgradeTimeoutMs: 400, identifyTimeoutMs: 400 };
const STRICT = { sparesLocalHosts: false };
const HALF = MULTISTREAM.subarray(0, 10);
/** Noise chosen, and the head of a first message that is said to have 32 bytes. */
const BEGUN_NOISE = Buffer.concat([MULTISTREAM, multistreamLine('/noise'), Buffer.of(0, 32)]);

const ITEM = Uint8Array.of(1, ...new Uint8Array(32));

/** A peer of the victim that asks it for something, before, during and after. */
async function startHonest(stack: AsyncDisposableStack, victim: TestPeer): Promise<() => Promise<void>> {
  victim.serve = async function* () {
    yield { status: 0, payload: new Uint8Array(1_000) };
  };
  const honest = stack.use(await TestPeer.start(inProcess, 'honest', { connect: [await victim.address()] }));
  await Promise.all([honest.isWith(victim), victim.isWith(honest)]);
  return async () => {
    const [frame] = await honest.ask(victim, 'blocks', ITEM);
    assert.equal(frame?.payload.length, 1_000);
    assert.ok(victim.connected.has(honest.id));
  };
}

async function withVictim(
  stack: AsyncDisposableStack,
  changed: Partial<NetOptions>,
  clock?: Parameters<typeof startVictim>[1],
): Promise<Victim & { readonly address: string; readonly standing: () => Promise<number> }> {
  const started = await startVictim({ targetOutbound: 0, ...changed }, clock);
  const { victim } = started;
  stack.use(victim);
  const standing = async (): Promise<number> => (await victim.net.status()).connections;
  return { ...started, address: await victim.address(), standing };
}

/** Dials and resolves to whether it was let in for good: identified, and announced to the node. */
async function isLetIn(raw: RawPeer, victim: TestPeer, address: string): Promise<boolean> {
  const connection = await raw.dial(address).catch(() => undefined);
  await within(eventually(() => connection?.status !== 'open' || victim.connected.has(raw.id)));
  return victim.connected.has(raw.id);
}

suite('a flood of sockets at a whole node', { timeout: 120_000 }, () => {
  let scene: Scene;
  before(async () => {
    scene = await openScene();
  });
  after(() => scene[Symbol.asyncDispose]());

  const kinds: readonly [string, () => Uint8Array | undefined][] = [
    ['that say nothing', () => undefined],
    ['with random bytes', () => randomBytes(200)],
    ['with half a multistream header', () => HALF],
  ];
  for (const [what, says] of kinds) {
    test(`${what}: blocks and transactions get through, somebody new gets in`, async (t: TestContext) => {
      const { net } = await scene.victim.status();
      const [address = ''] = net.listenAddresses;
      const figures = startFigures();
      const calls: Call[] = [];
      let mostOpen = 0;
      const attack = async (): Promise<void> => {
        calls.push(...callMany(100, address, { from: '127.0.0.2', says: says() }));
        await within(eventually(() => openAmong(calls) <= PENDING_IN_ALL));
        mostOpen = Math.max(mostOpen, openAmong(calls));
      };
      await scene.honestGetThroughDuring(attack);
      await attack();
      {
        await using newcomer = await scene.attacker();
        assert.ok(await scene.standing(newcomer.id));
        await scene.honestGetThrough();
      }
      t.diagnostic(`${calls.length} sockets, ${openAmong(calls)} still open; ${figures()}`);
      hangUp(calls);
      await scene.until((status) => status.net.connections === net.connections);
      assert.deepEqual(scene.charges, [], 'nobody is charged for what it did not authenticate');
    });
  }
});

suite('one host that connects too often', () => {
  test('two handshakes at once, the others hear nothing; another host gets in', async (t) => {
    await using stack = new AsyncDisposableStack();
    // Far beyond the test: those that were let begin stay.
    const tuning = { ...STRICT, inboundUpgradeTimeoutMs: 60_000 };
    const { victim, address, standing } = await withVictim(stack, { tuning });
    const ask = await startHonest(stack, victim);
    const figures = startFigures();
    for (let wave = 0; wave < 3; wave += 1) {
      const calls = callMany(100, address, { from: `127.0.0.${wave + 2}`, says: MULTISTREAM });
      await within(eventually(() => openAmong(calls) === PENDING_OF_HOST));
      await within(eventually(() => calls.filter(({ heard }) => heard() > 0).length === PENDING_OF_HOST));
      const stranger = stack.use(await startRawPeer({ from: `127.0.1.${wave + 1}` }));
      assert.ok(await isLetIn(stranger, victim, address));
      await ask();
      assert.equal(calls.filter(({ heard }) => heard() > 0).length, PENDING_OF_HOST);
      hangUp(calls);
    }
    t.diagnostic(`294 of 300 refused before any handshake; ${figures()}`);
    assert.equal(await standing(), 4);
  });

  test('WebSockets that never ask for their upgrade: twelve sockets at once, cut by the deadline', async () => {
    await using stack = new AsyncDisposableStack();
    const { victim, address } = await withVictim(stack, {
      listen: ['/ip4/127.0.0.1/tcp/0/ws'],
      tuning: { ...SHORT, ...STRICT },
    });
    assert.match(address, /\/ws\//);
    const calls = callMany(50, address, { from: '127.0.0.2', says: Buffer.from('GET / HTTP/1.1\r\nHost: ') });
    await within(eventually(() => openAmong(calls) <= SOCKETS_OF_HOST));
    const [other] = callMany(1, address, { from: '127.0.0.3', says: Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n') });
    assert.ok(other && (await isAnswered(other)), 'another host is heard');
    await within(eventually(() => openAmong(calls) === 0));
    assert.equal(victim.connected.size, 0);
  });

  test('ten in a row, then one a second', async () => {
    await using stack = new AsyncDisposableStack();
    const clock = createManualClock(1_000_000);
    const { victim, address } = await withVictim(stack, { tuning: STRICT }, clock);
    const ask = await startHonest(stack, victim);
    const comes = async (): Promise<boolean> => {
      const made = call(address, { from: '127.0.0.2', says: MULTISTREAM });
      const wasAnswered = await isAnswered(made);
      hangUp([made]);
      return wasAnswered;
    };
    const answered = async (attempts: number): Promise<number> => {
      let count = 0;
      for (let attempt = 0; attempt < attempts; attempt += 1) if (await comes()) count += 1;
      return count;
    };
    // More than twelve attempts: one that has hung up may still count as pending for a moment, which takes nothing.
    assert.equal(await answered(100), BURST_OF_HOST);
    await clock.advance(1_000);
    assert.equal(await answered(20), 1);
    await ask();
  });

  test('a refused call costs a small part of a handshake', async (t) => {
    await using stack = new AsyncDisposableStack();
    const clock = createManualClock(1_000_000);
    // Those that are let begin stay: the clock stands still, and libp2p's own deadline is far.
    const tuning = { ...STRICT, inboundUpgradeTimeoutMs: 60_000 };
    const { victim, address } = await withVictim(stack, { maxPeers: 40, tuning }, clock);
    const strangers: RawPeer[] = [];
    for (let at = 1; at <= 15; at += 1) strangers.push(stack.use(await startRawPeer({ from: `127.0.1.${at}` })));
    const cpuOf = async (work: () => Promise<void>): Promise<number> => {
      const before = process.cpuUsage();
      await work();
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1e3;
    };
    const full = await cpuOf(async () => {
      for (const stranger of strangers) assert.ok(await isLetIn(stranger, victim, address));
    });
    const crowd = callMany(PENDING_OF_HOST, address, { from: '127.0.0.2', says: MULTISTREAM });
    for (const each of crowd) assert.ok(await isAnswered(each));
    let heard = 0;
    const refused = await cpuOf(async () => {
      for (let round = 0; round < 10; round += 1) {
        // All of a handshake that the caller can say by himself.
        const says = Buffer.concat([BEGUN_NOISE, randomBytes(32)]);
        const calls = callMany(100, address, { from: '127.0.0.2', says });
        await within(eventually(() => openAmong(calls) === 0));
        for (const each of calls) heard += each.heard();
      }
    });
    hangUp(crowd);
    assert.equal(heard, 0, 'not a byte was answered: multistream had not begun, nor Noise');
    const each = { full: full / strangers.length, refused: refused / 1_000 };
    t.diagnostic(
      `CPU of both ends: ${each.full.toFixed(1)} ms a peer let in, ${each.refused.toFixed(2)} ms a refused call`,
    );
  });
});

suite('handshakes that never end', () => {
  /** Says the rest byte by byte for as long as anybody listens; how much was said. */
  async function drip(made: Call, rest: Uint8Array): Promise<number> {
    let said = 0;
    await within(
      eventually(() => {
        if (made.socket.writable) {
          made.socket.write(rest.subarray(said % rest.length, (said % rest.length) + 1));
          said += 1;
        }
        return !made.isOpen();
      }),
    );
    return said;
  }

  const stages: readonly [string, Uint8Array, Uint8Array][] = [
    ['multistream', MULTISTREAM.subarray(0, 1), Buffer.alloc(18, '/')],
    ['the choice of Noise', Buffer.concat([MULTISTREAM, Buffer.of(200)]), Buffer.alloc(199, '/')],
    ['Noise', BEGUN_NOISE, Buffer.alloc(31)],
    ['unknown protocols, one after the other', MULTISTREAM, multistreamLine('/x')],
  ];
  for (const [what, begin, rest] of stages) {
    test(`a byte at a time during ${what}: cut by the deadline, the number of them bounded`, async (t) => {
      await using stack = new AsyncDisposableStack();
      const { victim, address, standing } = await withVictim(stack, { tuning: SHORT });
      const ask = await startHonest(stack, victim);
      const calls = callMany(100, address, { from: '127.0.0.2', says: begin });
      const said = await Promise.all([...calls.map((each) => drip(each, rest)), ask()]);
      // Of those that were let begin.
      const most = Math.max(...said.map((count) => Number(count ?? 0)));
      assert.ok(most > 1, 'it was cut while it spoke');
      t.diagnostic(`100 of them, at most ${most} bytes each`);
      await ask();
      assert.equal(await standing(), 1);
    });
  }

  test('the data of a frame byte by byte, and nobody who identifies himself', async () => {
    await using stack = new AsyncDisposableStack();
    const { victim, offences, address, standing } = await withVictim(stack, { tuning: SHORT });
    const ask = await startHonest(stack, victim);
    const raw = stack.use(await startRawPeer({ identify: false, from: '127.0.0.2' }));
    const wire = wireOf(await raw.dial(address));
    wire.send(yamuxFrame({ type: 'data', streamId: 1, flags: ['SYN'], length: 100_000 }));
    let said = 0;
    await within(
      eventually(() => {
        if (wire.isOpen()) wire.send(Uint8Array.of(0));
        said += 1;
        return !wire.isOpen();
      }),
    );
    assert.ok(said > 1);
    await ask();
    assert.equal(await standing(), 1);
    assert.deepEqual(offences, []);
  });

  test('an answer to identify that comes byte by byte', async () => {
    await using stack = new AsyncDisposableStack();
    const { victim, address, standing } = await withVictim(stack, { tuning: SHORT });
    const ask = await startHonest(stack, victim);
    const raw = stack.use(await startRawPeer({ identify: false, from: '127.0.0.2' }));
    let said = 0;
    await raw.host.handle('/ipfs/id/1.0.0', async (stream) => {
      stream.send(Uint8Array.of(0xff, 0x3f));
      await eventually(() => {
        if (stream.status !== 'open') return true;
        stream.send(Uint8Array.of(0));
        said += 1;
        return false;
      });
    });
    await closed(await raw.dial(address));
    assert.ok(said > 1);
    assert.ok(!victim.events.some((event) => event.includes(raw.id)));
    await ask();
    assert.equal(await standing(), 1);
  });
});

suite('who is banned', () => {
  test('comes neither with a new id from the same host nor from another host with the same id', async () => {
    await using stack = new AsyncDisposableStack();
    const { victim, offences, address } = await withVictim(stack, { tuning: STRICT });
    const ask = await startHonest(stack, victim);
    const banned = stack.use(await startRawPeer({ from: '127.0.0.2' }));
    const sameHost = stack.use(await startRawPeer({ from: '127.0.0.2' }));
    const otherHost = stack.use(await startRawPeer({ from: '127.0.0.3', key: banned.key }));
    const bystander = stack.use(await startRawPeer({ from: '127.0.0.3' }));
    assert.equal(otherHost.id, banned.id);
    assert.ok(await isLetIn(banned, victim, address));
    const connection = banned.host.getConnections()[0] ?? assert.fail();
    victim.net.charge(banned.id, 'invalid-pow', 'for the test');
    await closed(connection);
    assert.deepEqual(offences, ['invalid-pow']);

    for (let attempt = 0; attempt < 3; attempt += 1) {
      assert.equal(await isLetIn(sameHost, victim, address), false);
      assert.equal(await isLetIn(otherHost, victim, address), false);
    }
    const made = call(address, { from: '127.0.0.2', says: MULTISTREAM });
    assert.equal(await isAnswered(made), false, 'the host is refused before any handshake');
    assert.ok(await isLetIn(bystander, victim, address));
    await ask();
  });

  test('an address of the own machine is no host to ban: another id comes from it', async () => {
    await using stack = new AsyncDisposableStack();
    const { victim, address } = await withVictim(stack, {});
    const banned = stack.use(await startRawPeer());
    assert.ok(await isLetIn(banned, victim, address));
    victim.net.charge(banned.id, 'invalid-pow', 'for the test');
    await victim.when(() => !victim.connected.has(banned.id));
    assert.equal(await isLetIn(banned, victim, address), false);
    assert.ok(await isLetIn(stack.use(await startRawPeer()), victim, address));
  });
});

suite('more peers than places', () => {
  test('the cap holds while forty want in, and who has a place keeps it', async (t) => {
    await using stack = new AsyncDisposableStack();
    const { victim, address, standing } = await withVictim(stack, { maxPeers: 8, tuning: STRICT });
    const ask = await startHonest(stack, victim);
    const figures = startFigures();
    let mostPeers = 0;
    let mostConnections = 0;
    const look = async (): Promise<void> => {
      mostPeers = Math.max(mostPeers, victim.connected.size);
      mostConnections = Math.max(mostConnections, await standing());
    };
    let letIn = 0;
    for (let round = 0; round < 10; round += 1) {
      const crowd = callMany(50, address, { from: `127.0.2.${round + 1}`, says: HALF });
      const wanting = await Promise.all(
        Array.from({ length: 4 }, async (_, at) =>
          stack.use(await startRawPeer({ from: `127.0.1.${4 * round + at + 1}` })),
        ),
      );
      const outcomes = await Promise.all(wanting.map((raw) => isLetIn(raw, victim, address)));
      letIn += outcomes.filter(Boolean).length;
      await look();
      await ask();
      hangUp(crowd);
    }
    t.diagnostic(`${letIn} of 40 let in, at most ${mostPeers} peers and ${mostConnections} connections; ${figures()}`);
    assert.equal(letIn, 7);
    assert.equal(mostPeers, 8);
    assert.ok(mostConnections <= 8 + 4, 'four may wait beside the places');
  });
});
