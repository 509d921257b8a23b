import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { type Txid, txidFromBytes, type Wtxid, wtxidFromBytes } from '#primitives';
import type { TxRef } from '#relay';
import {
  MAX_IN_FLIGHT,
  MAX_PEER_ANNOUNCEMENTS,
  type TxBatch,
  TxRequestTracker,
} from '../../../src/relay/tx-request-tracker.ts';

const TIMEOUT_MS = 30_000;

function bytesOf(number: number): Uint8Array {
  const bytes = Buffer.alloc(32);
  bytes.writeUInt32LE(number);
  return bytes;
}
const wtxid = (number: number): Wtxid => wtxidFromBytes(bytesOf(number));
const byWtxid = (number: number): TxRef => ({ kind: 'wtxid', id: wtxid(number) });
const byTxid = (number: number): TxRef => ({ kind: 'txid', id: txidFromBytes(bytesOf(number)) });

/** Peers `out…` are preferred. */
function trackerWith(peers: readonly string[], salt = new Uint8Array(16)): TxRequestTracker {
  const tracker = new TxRequestTracker(salt, TIMEOUT_MS);
  for (const peer of peers) tracker.connected(peer, peer.startsWith('out'));
  return tracker;
}

/** The last batch of each peer. */
let lastBatch: Map<string, TxBatch>;
beforeEach(() => {
  lastBatch = new Map();
});

function end(tracker: TxRequestTracker, peer: string, result: 'ended' | 'failed' = 'ended'): void {
  const batch = lastBatch.get(peer);
  assert.ok(batch, `${peer} was asked`);
  tracker.batchEnded(batch, result);
}

/** Peers with the ids that they are asked for. */
function take(
  tracker: TxRequestTracker,
  nowMs: number,
  known: readonly (Txid | Wtxid)[] = [],
): Record<string, (Txid | Wtxid)[]> {
  const batches = tracker.take(nowMs, ({ id }) => known.includes(id));
  for (const batch of batches) lastBatch.set(batch.peer, batch);
  return Object.fromEntries(batches.map(({ peer, refs }) => [peer, refs.map(({ id }) => id)]));
}

describe('transaction requests', () => {
  it('go at once, by txid later', () => {
    for (const [peer, ref, delayMs] of [
      ['out', byWtxid(1), 0],
      ['in', byWtxid(1), 0],
      ['out', byTxid(1), 2_000],
      ['in', byTxid(1), 2_000],
    ] as const) {
      const tracker = trackerWith([peer]);
      tracker.announced(peer, ref, 100);
      if (delayMs > 0) assert.deepEqual(take(tracker, 100 + delayMs - 1), {}, `${peer} ${ref.kind}`);
      assert.equal(tracker.nextDueMs(), 100 + delayMs);
      assert.deepEqual(
        tracker.take(100 + delayMs, () => false),
        [{ peer, refs: [ref] }],
      );
    }
  });

  it('wait two seconds more when the peer is asked for a hundred already, and only then', () => {
    for (const [asked, delayMs] of [
      [MAX_IN_FLIGHT - 1, 0],
      [MAX_IN_FLIGHT, 2_000],
    ] as const) {
      const tracker = trackerWith(['out']);
      for (let i = 0; i < asked; i++) tracker.announced('out', byWtxid(i), 0);
      assert.equal(take(tracker, 0)['out']?.length, asked);
      tracker.announced('out', byWtxid(1_000), 10);
      assert.equal(tracker.nextDueMs(), 10 + delayMs);
    }
  });

  it('ask one peer at a time, and the next when the first has none', () => {
    const tracker = trackerWith(['in1', 'in2', 'out']);
    for (const peer of ['in1', 'in2', 'out']) tracker.announced(peer, byWtxid(1), 0);
    assert.deepEqual(take(tracker, 5_000), { out: [wtxid(1)] }, 'preferred first');
    assert.deepEqual(take(tracker, 5_000), {});
    tracker.answered('out', wtxid(1));
    end(tracker, 'out');
    const [second] = Object.keys(take(tracker, 5_000));
    assert.ok(second !== undefined && second !== 'out');
    tracker.answered(second, wtxid(1));
    end(tracker, second);
    const [third] = Object.keys(take(tracker, 5_000));
    assert.deepEqual([second, third].sort(), ['in1', 'in2']);
    tracker.answered(third ?? '', wtxid(1));
    assert.equal(tracker.size, 0, 'nobody is left');
  });

  it('go to the next announcer when the time is over, not before', () => {
    const tracker = trackerWith(['in', 'out']);
    tracker.announced('out', byWtxid(1), 0);
    assert.deepEqual(take(tracker, 10), { out: [wtxid(1)] });
    tracker.announced('in', byWtxid(1), 20);
    assert.deepEqual(take(tracker, 10 + TIMEOUT_MS - 1), {});
    assert.equal(tracker.nextDueMs(), 10 + TIMEOUT_MS);
    assert.deepEqual(take(tracker, 10 + TIMEOUT_MS), { in: [wtxid(1)] });
  });

  it('to a peer that came to us have two seconds if another has the transaction, else all the time', () => {
    const tracker = trackerWith(['in', 'in2', 'out']);
    tracker.announced('in', byWtxid(1), 0);
    assert.deepEqual(take(tracker, 0), { in: [wtxid(1)] });
    tracker.announced('out', byWtxid(1), 100);
    tracker.announced('in2', byWtxid(1), 100);
    assert.deepEqual(take(tracker, 1_999), {});
    assert.equal(tracker.nextDueMs(), 2_000);
    assert.deepEqual(take(tracker, 2_000), { out: [wtxid(1)] }, 'one of our choice is next');
    assert.deepEqual(take(tracker, 2_000 + TIMEOUT_MS - 1), {});
    assert.deepEqual(take(tracker, 2_000 + TIMEOUT_MS), { in2: [wtxid(1)] });

    const alone = trackerWith(['in', 'out']);
    alone.announced('in', byWtxid(1), 0);
    take(alone, 0);
    for (let nowMs = 2_000; nowMs < TIMEOUT_MS; nowMs += 2_000) {
      assert.deepEqual(take(alone, nowMs), {});
      assert.equal(alone.nextDueMs(), nowMs + 2_000);
    }
    assert.equal(alone.size, 1);
    take(alone, TIMEOUT_MS);
    assert.equal(alone.size, 0);
  });

  it('to a peer that came to us go on beside another that announces late', () => {
    const tracker = trackerWith(['in', 'out']);
    tracker.announced('in', byWtxid(1), 0);
    take(tracker, 0);
    take(tracker, 2_000);
    tracker.announced('out', byWtxid(1), 2_001);
    assert.deepEqual(take(tracker, 4_000), { out: [wtxid(1)] });
  });

  it('do not go again to a peer that answered, while others are left', () => {
    const tracker = trackerWith(['in', 'out']);
    for (const peer of ['in', 'out']) tracker.announced(peer, byWtxid(1), 0);
    take(tracker, 0);
    tracker.answered('out', wtxid(1));
    end(tracker, 'out');
    tracker.announced('out', byWtxid(1), 1);
    assert.deepEqual(take(tracker, 2_000), { in: [wtxid(1)] });
    tracker.answered('in', wtxid(1));
    assert.deepEqual([tracker.size, tracker.count('in'), tracker.count('out')], [0, 0, 0]);
    tracker.announced('out', byWtxid(1), 3_000);
    assert.deepEqual(take(tracker, 3_000), { out: [wtxid(1)] }, 'announced anew');
  });

  it('choose between equal peers by the salt', () => {
    const chosen = (salt: number): string => {
      const tracker = trackerWith(['out1', 'out2', 'out3'], new Uint8Array(16).fill(salt));
      for (const peer of ['out1', 'out2', 'out3']) tracker.announced(peer, byWtxid(1), 0);
      return Object.keys(take(tracker, 0)).join();
    };
    const choices = Array.from({ length: 30 }, (_, salt) => chosen(salt));
    assert.deepEqual(new Set(choices), new Set(['out1', 'out2', 'out3']));
    assert.equal(chosen(3), chosen(3));
  });

  it('come in batches, in the order of the announcements', () => {
    const tracker = trackerWith(['out']);
    for (let i = MAX_IN_FLIGHT; i >= 0; i--) tracker.announced('out', byWtxid(i), 0);
    const first = take(tracker, 0)['out'];
    assert.deepEqual(
      first,
      Array.from({ length: MAX_IN_FLIGHT }, (_, i) => wtxid(MAX_IN_FLIGHT - i)),
    );
    assert.deepEqual(take(tracker, 0), {}, 'one batch at a time');
    for (const id of first ?? []) tracker.answered('out', id);
    assert.deepEqual(take(tracker, 0), {}, 'not while the request is open');
    end(tracker, 'out');
    assert.deepEqual(take(tracker, 0), { out: [wtxid(0)] });
  });

  it('do not wait for a busy peer when another is free', () => {
    const tracker = trackerWith(['out1', 'out2']);
    for (let i = 0; i < 3 * MAX_IN_FLIGHT; i++) tracker.announced('out1', byWtxid(i), 0);
    assert.equal(take(tracker, 0)['out1']?.length, MAX_IN_FLIGHT);
    for (let i = 0; i < 3 * MAX_IN_FLIGHT; i++) tracker.announced('out2', byWtxid(i), 0);
    assert.equal(take(tracker, 0)['out2']?.length, MAX_IN_FLIGHT);
  });

  it('give at once to another peer what does not fit into one request', () => {
    const tracker = trackerWith(['in', 'out']);
    for (let i = 0; i < 2 * MAX_IN_FLIGHT; i++) {
      for (const peer of ['in', 'out']) tracker.announced(peer, byWtxid(i), 0);
    }
    const asked = take(tracker, 2_000);
    assert.deepEqual([asked['out']?.length, asked['in']?.length], [MAX_IN_FLIGHT, MAX_IN_FLIGHT]);
    assert.equal(new Set(Object.values(asked).flat()).size, 2 * MAX_IN_FLIGHT);
  });

  it('ask again for what an answer left out', () => {
    const tracker = trackerWith(['out']);
    for (const number of [1, 2, 3]) tracker.announced('out', byWtxid(number), 0);
    take(tracker, 0);
    tracker.answered('out', wtxid(1));
    end(tracker, 'out');
    assert.deepEqual(take(tracker, 1), { out: [wtxid(2), wtxid(3)] });
  });

  it('forget all that a peer announced when a request to it failed', () => {
    const tracker = trackerWith(['in', 'out']);
    for (const number of [1, 2, 3]) tracker.announced('out', byWtxid(number), 0);
    take(tracker, 0);
    tracker.announced('out', byWtxid(4), 0);
    tracker.announced('in', byWtxid(2), 0);
    end(tracker, 'out', 'failed');
    assert.equal(tracker.count('out'), 0);
    assert.equal(tracker.size, 1);
    assert.deepEqual(take(tracker, 2_000), { in: [wtxid(2)] });
    tracker.announced('out', byWtxid(5), 2_000);
    assert.deepEqual(take(tracker, 2_000), { out: [wtxid(5)] }, 'a fresh start');
  });

  it('pass to others when a peer leaves, and leave nothing of it', () => {
    const tracker = trackerWith(['in', 'out']);
    tracker.announced('out', byWtxid(1), 0);
    tracker.announced('out', byWtxid(2), 0);
    tracker.announced('in', byWtxid(1), 0);
    take(tracker, 0);
    tracker.disconnected('out');
    assert.deepEqual(take(tracker, 2_000), { in: [wtxid(1)] });
    assert.deepEqual([tracker.size, tracker.count('out')], [1, 0]);
    tracker.announced('out', byWtxid(3), 2_000);
    assert.equal(tracker.size, 1, 'the peer is not heard any more');
    end(tracker, 'out', 'failed');
  });

  it('to a peer that came back have nothing to do with those from before', () => {
    const tracker = trackerWith(['out']);
    tracker.announced('out', byWtxid(1), 0);
    const [before] = tracker.take(0, () => false);
    assert.ok(before);
    tracker.disconnected('out');
    tracker.connected('out', true);
    tracker.announced('out', byWtxid(2), 0);
    assert.deepEqual(take(tracker, 0), { out: [wtxid(2)] });
    tracker.batchEnded(before, 'failed');
    tracker.announced('out', byWtxid(3), 0);
    assert.deepEqual(take(tracker, 0), {}, 'still asked');
    end(tracker, 'out');
    assert.deepEqual(take(tracker, 0), { out: [wtxid(2), wtxid(3)] });
  });

  it('are not made for what is known or forgotten', () => {
    const tracker = trackerWith(['out']);
    for (const number of [1, 2, 3]) tracker.announced('out', byWtxid(number), 0);
    tracker.forget(wtxid(2));
    assert.deepEqual(take(tracker, 0, [wtxid(1)]), { out: [wtxid(3)] });
    assert.deepEqual([tracker.has(wtxid(1)), tracker.has(wtxid(2)), tracker.has(wtxid(3))], [false, false, true]);
    tracker.forget(wtxid(3));
    assert.deepEqual([tracker.size, tracker.nextDueMs()], [0, undefined]);
  });

  it('hear at most 5000 announcements of a peer', () => {
    const tracker = trackerWith(['in', 'out']);
    for (let i = 0; i <= MAX_PEER_ANNOUNCEMENTS; i++) tracker.announced('in', byWtxid(i), 0);
    assert.equal(tracker.count('in'), MAX_PEER_ANNOUNCEMENTS);
    assert.ok(!tracker.has(wtxid(MAX_PEER_ANNOUNCEMENTS)));
    tracker.announced('out', byWtxid(MAX_PEER_ANNOUNCEMENTS), 0);
    assert.ok(tracker.has(wtxid(MAX_PEER_ANNOUNCEMENTS)), 'others are heard');
  });

  it('know who can still be asked', () => {
    const tracker = trackerWith(['in', 'out']);
    assert.deepEqual(tracker.candidates(wtxid(1)), []);
    for (const peer of ['in', 'out']) tracker.announced(peer, byWtxid(1), 0);
    take(tracker, 0);
    assert.deepEqual(tracker.candidates(wtxid(1)), ['in', 'out']);
    tracker.answered('out', wtxid(1));
    assert.deepEqual(tracker.candidates(wtxid(1)), ['in']);
  });
});
