/** Peers from look to look: what is told of them, and what each carried by protocol. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodePeerDetails } from '#node';
import type { PeerRow, PeersDelta } from '../../../src/dashboard/contract.ts';
import { BandwidthMeter } from '../../../src/dashboard/watch/bandwidth.ts';
import { PeerRows } from '../../../src/dashboard/watch/peer-rows.ts';
import { createManualClock } from '../../support/manual-clock.ts';

function peer(id: string, more: Partial<NodePeerDetails> = {}): NodePeerDetails {
  return {
    ...{ id, address: '/ip4/10.0.0.1/tcp/1', direction: 'outbound', kind: 'full-relay', isRelayed: false },
    ...{ connectedAt: 5, bytesIn: 1, bytesOut: 2, latencyMs: undefined, agent: 'a', isManual: false, isSeed: false },
    ...{ penaltyPoints: 0, gossipScore: 0, phase: 'confirmed', netgroup: undefined, protocols: [], streams: 1 },
    ...{ bytesByProtocol: {}, lastSentAt: undefined, lastReceivedAt: undefined, minLatencyMs: undefined },
    ...{ pingWaitMs: undefined, lastBlockAt: undefined, lastTxAt: undefined, meshTopics: [] },
    ...{ claims: undefined, bestKnownHeight: undefined, localEndpoint: undefined, blocksOwed: [] },
    ...more,
  };
}

/** What the page does with what it is told. */
function apply(known: Map<string, PeerRow>, { left, joined, changed }: PeersDelta): void {
  for (const { id } of left) assert.ok(known.delete(id), `${id} was there`);
  for (const row of joined) {
    assert.ok(!known.has(row.id), `${row.id} is new`);
    known.set(row.id, row);
  }
  for (const patch of changed) {
    const row = known.get(patch.id) ?? assert.fail(`${patch.id} is there`);
    known.set(patch.id, { ...row, ...patch });
  }
}

test('whoever applies what it is told has the rows, and is told of nothing twice', () => {
  const rows = new PeerRows();
  const known = new Map<string, PeerRow>();
  const told = (): PeersDelta => {
    const delta = rows.takeDelta() ?? assert.fail('something changed');
    apply(known, delta);
    assert.deepEqual([...known.values()].sort(byId), rows.rows().toSorted(byId));
    return delta;
  };
  rows.update([peer('a'), peer('b')]);
  assert.deepEqual(
    told().joined.map(({ id }) => id),
    ['a', 'b'],
  );
  rows.update([peer('a'), peer('b')]);
  assert.equal(rows.takeDelta(), undefined);

  rows.update([peer('a', { latencyMs: 12.3456, meshTopics: ['tx'] }), peer('b')]);
  assert.deepEqual(told(), { joined: [], changed: [{ id: 'a', latencyMs: 12.3, meshTopics: ['tx'] }], left: [] });

  rows.update([peer('a', { latencyMs: 9, meshTopics: ['tx'] }), peer('b', { bytesIn: 7 })]);
  rows.left('b', 'reset by peer');
  rows.update([peer('a', { latencyMs: undefined, meshTopics: ['tx'] }), peer('c')]);
  assert.deepEqual(told().left, [{ id: 'b', reason: 'reset by peer' }]);
  assert.equal(known.get('a')?.latencyMs, null);
});

test('one that comes back between two looks leaves first; one that nobody was told of never was', () => {
  const rows = new PeerRows();
  rows.update([peer('a')]);
  rows.takeDelta();
  rows.left('a', 'gone');
  rows.update([peer('a', { connectedAt: 9 }), peer('short')]);
  rows.left('short', 'gone');
  const delta = rows.takeDelta();
  assert.deepEqual(delta?.left, [{ id: 'a', reason: 'gone' }]);
  assert.deepEqual(
    delta?.joined.map(({ id, connectedAtMs }) => [id, connectedAtMs]),
    [['a', 9]],
  );
  rows.left('unknown', 'gone');
  assert.equal(rows.takeDelta(), undefined);
});

test('bytes a second by protocol: new peers from their beginning, known ones from the last look', async () => {
  const clock = createManualClock(1_000_000);
  const meter = new BandwidthMeter(clock);
  const carried = (x: number, y: number) => ({ '/x': { bytesIn: x, bytesOut: 0 }, '/y': { bytesIn: 0, bytesOut: y } });
  const look = (...peers: readonly NodePeerDetails[]) => meter.look(peers);
  assert.equal(look(peer('a', { bytesByProtocol: carried(500, 500) })), undefined);
  await clock.advance(2_000);
  const second = look(
    peer('a', { bytesByProtocol: carried(900, 700) }),
    peer('b', { bytesByProtocol: carried(100, 0), connectedAt: 1_001_000 }),
  );
  assert.deepEqual(second, {
    protocols: ['other', '/x', '/y'],
    sample: { atMs: 1_002_000, inBytesPerSecond: [0, 250, 0], outBytesPerSecond: [0, 0, 100] },
  });
  await clock.advance(1_000);
  // It came back, so its counts began anew.
  const third = look(peer('a', { bytesByProtocol: carried(30, 0), connectedAt: 1_002_500 }));
  assert.deepEqual(third?.sample.inBytesPerSecond, [0, 30, 0]);
  meter.rest();
  assert.equal(look(peer('a', { bytesByProtocol: carried(60, 0) })), undefined, 'no rate over a rest');
  assert.equal(meter.state().samples.length, 2);
});

test('samples and protocols have an end', async () => {
  const clock = createManualClock();
  const meter = new BandwidthMeter(clock);
  const names = Array.from({ length: 70 }, (_, at) => `/protocol-${at}`);
  for (let at = 0; at < 310; at++) {
    const bytesByProtocol = Object.fromEntries(names.map((name) => [name, { bytesIn: at * 10, bytesOut: 0 }]));
    meter.look([peer('a', { bytesByProtocol })]);
    await clock.advance(1_000);
  }
  const { protocols, samples } = meter.state();
  assert.deepEqual([protocols.length, samples.length], [64, 300]);
  assert.equal(samples.at(-1)?.inBytesPerSecond[0], 70, 'seven that found no place count as other');
});

function byId(a: PeerRow, b: PeerRow): number {
  return a.id < b.id ? -1 : 1;
}
