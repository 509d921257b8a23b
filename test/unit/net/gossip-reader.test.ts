/** Around a stand-in for gossipsub: what of a peer's frames gets through to it, and what is charged. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { GossipSub } from '@libp2p/gossipsub';
import { nullLogger } from '#util';
import type { Rpc } from '../../../src/net/gossip-control.ts';
import { readRpcs } from '../../../src/net/gossip-reader.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';

type Frame = { readonly rpc: Rpc | undefined; readonly bytes: number };

let clock: ManualClock;
let decoded: number;
let handled: Rpc[];
let charges: string[];
let ended: string[];
let read: (frames: AsyncIterable<unknown>) => Promise<void>;

const nothing = { ihave: [], iwant: [], idontwant: [], graft: [], prune: [] };
const control = (part: Partial<NonNullable<Rpc['control']>>): Rpc => ({
  subscriptions: [],
  messages: [],
  control: { ...nothing, ...part },
});
const ids = (count: number, bytes = 20) => ({ messageIDs: Array.from({ length: count }, () => new Uint8Array(bytes)) });

beforeEach(() => {
  clock = createManualClock();
  [decoded, handled, charges, ended] = [0, [], [], []];
  let next: Rpc | undefined;
  const pubsub = {
    streamsInbound: new Map([['a', { rawStream: { abort: () => ended.push('reset') } }]]),
    decodeRpc: () => {
      decoded += 1;
      if (next === undefined) throw new Error('no RPC');
      return next;
    },
    pipePeerReadStream: async (_from: unknown, _frames: AsyncIterable<unknown>) => {},
    handlePeerReadStreamError: (error: Error) => ended.push(error.message),
  };
  readRpcs(pubsub as unknown as GossipSub, {
    clock,
    log: nullLogger,
    charge: (_peer, offence) => charges.push(offence),
    handle: async (_from, rpc) => void handled.push(rpc),
  });
  read = (frames) =>
    pubsub.pipePeerReadStream(
      'a',
      (async function* () {
        for await (const frame of frames) {
          const { rpc, bytes } = frame as Frame;
          next = rpc;
          yield { subarray: () => new Uint8Array(bytes) };
        }
      })(),
    );
});

async function* frames(...rpcs: readonly (Rpc | undefined)[]): AsyncGenerator<Frame> {
  for (const rpc of rpcs) yield { rpc, bytes: 10 };
}

describe('frames of gossip', () => {
  it('go on as they are while they are within bounds', async () => {
    const rpcs = [
      { subscriptions: [{}], messages: [{ data: new Uint8Array(4) }] },
      control({ ihave: [ids(5_000)], iwant: [ids(5_000)], graft: [{}], prune: [{ peers: [], backoff: 60 }] }),
    ];
    await read(frames(...rpcs));
    assert.deepEqual(handled, rpcs);
    assert.deepEqual(charges, []);
  });

  it('that cannot be decoded are charged, and the next is read', async () => {
    const good = control({ graft: [{}] });
    await read(frames(undefined, good));
    assert.deepEqual(handled, [good]);
    assert.deepEqual(charges, ['undecodable-message']);
  });

  it('are metered by all their bytes before they are decoded', async () => {
    const data = new Uint8Array(1 << 20);
    const megabytes = async function* (count: number): AsyncGenerator<Frame> {
      for (let at = 0; at < count; at += 1) yield { rpc: { subscriptions: [], messages: [{ data }] }, bytes: 1 << 20 };
    };
    await read(megabytes(20));
    assert.deepEqual([decoded, handled.length, charges.length], [16, 16, 4]);
    await clock.advance(1_000);
    await read(megabytes(3));
    assert.deepEqual([decoded, charges.length], [18, 5]);
    assert.deepEqual([...new Set(charges)], ['quota-exceeded']);
  });

  it('have a quota of bytes that no message has', async () => {
    const empty = async function* (): AsyncGenerator<Frame> {
      for (let at = 0; at < 5; at += 1) yield { rpc: control({}), bytes: 1 << 20 };
    };
    await read(empty());
    assert.equal(handled.length, 2);
    assert.deepEqual(charges, Array(3).fill('quota-exceeded'));
  });

  const heavy: readonly (readonly [string, Rpc, number])[] = [
    ['ids', control({ ihave: [ids(4_999)] }), 6],
    ['empty lists of ids', control({ iwant: Array.from({ length: 5_000 }, () => ids(0)) }), 6],
    ['grafts', control({ graft: Array.from({ length: 5_000 }, () => ({})) }), 6],
    ['peers in prunes', control({ prune: Array.from({ length: 1_000 }, () => ({ peers: Array(16).fill({}) })) }), 1],
    ['subscriptions', { subscriptions: Array(5_000).fill({}), messages: [] }, 6],
    ['messages', { subscriptions: [], messages: Array(999).fill({}) }, 10],
  ];
  for (const [what, rpc, within] of heavy) {
    it(`have a quota of ${what}`, async () => {
      await read(frames(...Array<Rpc>(within + 2).fill(rpc)));
      assert.equal(handled.length, within);
      assert.deepEqual(charges, ['quota-exceeded', 'quota-exceeded']);
    });
  }

  it('with ids of another length are charged', async () => {
    for (const kind of ['ihave', 'iwant', 'idontwant']) {
      for (const bytes of [0, 19, 21, 8_192]) await read(frames(control({ [kind]: [ids(1), ids(1, bytes)] })));
    }
    assert.deepEqual(charges, Array(12).fill('protocol-violation'));
    assert.deepEqual(handled, []);
  });

  it('prune for an hour at most', async () => {
    const [short, long] = [
      { peers: [], backoff: 3_600 },
      { peers: [], backoff: 2 ** 50 },
    ];
    await read(frames(control({ prune: [short, long, { peers: [] }] })));
    assert.deepEqual(handled, [control({ prune: [short, short, { peers: [] }] })]);
  });

  it('too long for any end the stream: charged, reset, and gossipsub is told', async () => {
    for (const name of ['InvalidDataLengthError', 'UnexpectedEOFError']) {
      await read(
        (async function* () {
          yield* frames(control({}));
          throw Object.assign(new Error(name), { name });
        })(),
      );
    }
    assert.deepEqual(charges, ['oversized-frame']);
    assert.deepEqual(ended, ['reset', 'InvalidDataLengthError', 'reset', 'UnexpectedEOFError']);
    assert.equal(handled.length, 2);
  });
});
