/** Who may begin a handshake, and who gets a place, while places are free and when all are taken. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type LiveFacts, newFacts } from '../../../../src/net/peer-facts.ts';
import type { ConnectionKind } from '../../../../src/net/port.ts';
import { InboundSlots } from '../../../../src/net/slots/inbound-slots.ts';
import { seededRandom } from '../../../../src/util/index.ts';

function setUp(places: number, maxPeers = 1_000) {
  const peers: LiveFacts[] = [];
  const closed: string[] = [];
  const wire = {
    connections: () => peers,
    close: (id: string) => {
      closed.push(id);
      peers.splice(
        peers.findIndex((peer) => peer.id === id),
        1,
      );
    },
  };
  const slots = new InboundSlots(wire, seededRandom(1), { places, maxPeers });
  let made = 0;
  const connect = (changed: Partial<LiveFacts> = {}, kind: ConnectionKind = 'inbound'): LiveFacts => {
    made += 1;
    const facts = newFacts(`p${made}`, false, made);
    Object.assign(facts, { kind, isAdmitted: true, group: `g${made}`, relaysTransactions: true, ...changed });
    peers.push(facts);
    return facts;
  };
  return { slots, peers, closed, connect };
}

describe('inbound slots', () => {
  it('give places to all that come while there are any', () => {
    const { slots, connect, closed } = setUp(5);
    for (let count = 0; count < 5; count += 1) {
      assert.ok(slots.hasRoom() && slots.admit());
      connect();
    }
    assert.equal(slots.hasRoom(), false, 'all five are worth keeping: refused before any handshake');
    assert.equal(slots.admit(), false);
    assert.deepEqual(closed, []);
  });

  it('a newcomer that identified itself takes the place of another, one that did not takes none', () => {
    const { slots, connect, closed, peers } = setUp(60);
    for (let count = 0; count < 60; count += 1) connect(count >= 50 ? { group: 'crowd' } : {});
    for (let waiting = 0; waiting < 4; waiting += 1) {
      assert.equal(slots.hasRoom(), true);
      connect({ isAdmitted: false });
    }
    assert.equal(slots.hasRoom(), false, 'four may wait beside the places');
    assert.equal(closed.length, 0);
    const first = peers.find(({ isAdmitted }) => !isAdmitted);
    assert.equal(slots.admit(), true);
    if (first) first.isAdmitted = true;
    assert.equal(closed.length, 1);
    assert.ok(
      closed.every((id) => Number(id.slice(1)) > 50),
      `${closed} is of the crowd`,
    );
    assert.equal(slots.hasRoom(), true);
  });

  it('peers of the operator keep their places', () => {
    const { slots, connect } = setUp(60);
    for (let count = 0; count < 60; count += 1) connect({ isManual: true, group: 'crowd' });
    assert.equal(slots.hasRoom(), false);
  });

  it('outbound peers are counted apart, up to the bound of all; what is open for a moment is not counted', () => {
    const { slots, connect } = setUp(3, 8);
    for (const kind of ['query', 'feeler', 'query', 'feeler', 'query', 'query', 'query'] as const) connect({}, kind);
    for (let count = 0; count < 5; count += 1) connect({}, 'full-relay');
    for (let count = 0; count < 2; count += 1) connect();
    assert.equal(slots.admit(), true, 'the third of three places');
    connect();
    assert.equal(slots.admit(), false);
    const other = setUp(3, 8);
    for (let count = 0; count < 7; count += 1) other.connect({}, 'manual');
    assert.equal(other.slots.admit(), true);
    other.connect();
    assert.equal(other.slots.admit(), false, 'the operator’s peers took the rest');
  });
});
