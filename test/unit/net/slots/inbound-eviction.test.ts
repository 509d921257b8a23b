/** Who goes when a new peer wants a place: Core's cases (test/net_peer_eviction_tests.cpp) and its figures. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededRandom } from '#util';
import { type EvictionCandidate, selectInboundToEvict } from '../../../../src/net/slots/inbound-eviction.ts';

const NEVER = Number.NEGATIVE_INFINITY;

/** Peer `index` of many that differ in nothing but their age: 0 is the oldest. */
function candidate(index: number, changed: Partial<EvictionCandidate> = {}): EvictionCandidate {
  return {
    id: `peer${index}`,
    group: `group${index}`,
    keyedGroup: `key${String(index).padStart(4, '0')}`,
    connectedMs: index,
    minPingMs: 1000,
    lastBlockMs: NEVER,
    lastTxMs: NEVER,
    relaysTransactions: true,
    disadvantage: undefined,
    ...changed,
  };
}

const many = (count: number, change: (index: number) => Partial<EvictionCandidate> = () => ({})): EvictionCandidate[] =>
  Array.from({ length: count }, (_, index) => candidate(index, change(index)));

/** Who goes, one after the other, until all the others are kept. */
function evictAll(candidates: readonly EvictionCandidate[]): string[] {
  const gone: string[] = [];
  let left = [...candidates];
  for (;;) {
    const victim = selectInboundToEvict(left);
    if (victim === undefined) return gone;
    gone.push(victim);
    left = left.filter(({ id }) => id !== victim);
  }
}

/** The last ones of a shuffled many, so that age and order say nothing. */
function shuffled(seed: number, count: number): number[] {
  const random = seededRandom(seed);
  const numbers = Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last -= 1) {
    const other = random.below(last + 1);
    [numbers[last], numbers[other]] = [numbers[other] ?? 0, numbers[last] ?? 0];
  }
  return numbers;
}

describe('selectInboundToEvict', () => {
  it('keeps all of a few, and somebody goes of many', () => {
    assert.equal(selectInboundToEvict([]), undefined);
    // 4 by netgroup, 8 by ping, 4 by transactions, 4 by blocks: all of these relay.
    assert.equal(selectInboundToEvict(many(20)), undefined);
    assert.notEqual(selectInboundToEvict(many(21)), undefined);
    // With block-only peers another 8 are kept.
    assert.equal(selectInboundToEvict(many(28, () => ({ relaysTransactions: false }))), undefined);
    assert.notEqual(selectInboundToEvict(many(29, () => ({ relaysTransactions: false }))), undefined);
  });

  const keeps = (name: string, kept: number, merit: (rank: number) => Partial<EvictionCandidate>): void => {
    it(`keeps ${kept} ${name}, whatever else they are`, () => {
      for (let seed = 1; seed <= 3; seed += 1) {
        const best = new Set(shuffled(seed, 200).slice(0, kept));
        // The best are the youngest, in the largest group: without their merit they would go first.
        const peers = many(200, (index) =>
          best.has(index) ? { ...merit(index), group: 'crowd', connectedMs: 1_000 + index } : {},
        );
        const gone = new Set(evictAll(peers));
        for (const index of best) assert.ok(!gone.has(`peer${index}`), `seed ${seed}, peer ${index}`);
      }
    });
  };
  keeps('with the lowest ping', 8, (rank) => ({ minPingMs: rank }));
  keeps('that brought transactions last', 4, (rank) => ({ lastTxMs: rank }));
  keeps('that brought blocks last', 4, (rank) => ({ lastBlockMs: rank }));
  keeps('block-only ones that brought blocks', 8, (rank) => ({ lastBlockMs: rank, relaysTransactions: false }));

  it('keeps four by a secret order of netgroups, which no attacker can aim at', () => {
    const peers = many(100, () => ({ group: 'crowd' })).map((peer, index) => ({
      ...peer,
      keyedGroup: index >= 96 ? `z${index}` : 'a',
    }));
    const gone = new Set(evictAll(peers));
    for (const index of [96, 97, 98, 99]) assert.ok(!gone.has(`peer${index}`), 'although they are the youngest');
    assert.ok(gone.has('peer95'));
  });

  it('keeps the older half of the rest', () => {
    // 4 are kept by their groups, 16 for merits that all have alike: the oldest. Then half of a hundred.
    const withCrowd = (size: number) => many(120, (index) => (index < size ? { group: 'crowd' } : {}));
    assert.equal(selectInboundToEvict(withCrowd(67)), 'peer115', 'but for one all of the crowd are old enough');
    assert.equal(selectInboundToEvict(withCrowd(68)), 'peer67');
  });

  it('keeps local and relayed ones instead of a part of the oldest', () => {
    const kinds = ['local', 'relayed', undefined] as const;
    const disadvantaged = (count: number, kind: (typeof kinds)[number]): EvictionCandidate[] => {
      // The youngest of all, with the worst ping and without merits.
      const slow = Array.from({ length: count }, (_, index) =>
        candidate(500 + index, { disadvantage: kind, minPingMs: 9_999, keyedGroup: 'a' }),
      );
      return [...many(120, () => ({ lastTxMs: 1, lastBlockMs: 1 })), ...slow];
    };
    for (const kind of ['local', 'relayed'] as const) {
      const kept = disadvantaged(20, kind);
      const victim = selectInboundToEvict(kept);
      assert.ok(Number(victim?.slice(4)) < 500, `${kind}: a quarter of the places is theirs`);
    }
    assert.equal(selectInboundToEvict(disadvantaged(20, undefined)), 'peer519', 'without that the youngest goes');
  });

  it('takes the youngest of the largest netgroup', () => {
    const crowd = new Set([150, 151, 152, 160]);
    const peers = many(200, (index) => (crowd.has(index) ? { group: 'crowd' } : {}));
    assert.equal(selectInboundToEvict(peers), 'peer160');
    const larger = many(200, (index) =>
      crowd.has(index) ? { group: 'crowd' } : index >= 140 && index < 146 ? { group: 'mob' } : {},
    );
    assert.equal(selectInboundToEvict(larger), 'peer145');
    // Of groups of one size that with the youngest member.
    assert.equal(selectInboundToEvict(many(200)), 'peer195', 'the last four are kept by their groups');
  });

  it('an attacker who fills all places from four netgroups loses his own peers, not others', () => {
    const honest = many(30);
    const attackers = Array.from({ length: 84 }, (_, index) =>
      candidate(1_000 + index, { group: `attack${index % 4}`, keyedGroup: `key${index % 4}`, minPingMs: 1 }),
    );
    let peers = [...honest, ...attackers];
    for (let round = 0; round < 300; round += 1) {
      const victim = selectInboundToEvict(peers);
      assert.ok(victim !== undefined && Number(victim.slice(4)) >= 1_000);
      const id = 2_000 + round;
      const newcomer = candidate(id, { group: `attack${round % 4}`, keyedGroup: `key${round % 4}`, minPingMs: 1 });
      peers = [...peers.filter((peer) => peer.id !== victim), newcomer];
    }
  });
});
