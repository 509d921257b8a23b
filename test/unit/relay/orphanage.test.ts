import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { Transaction } from '#primitives';
import { seededRandom } from '#util';
import { EXPIRY_MS, MAX_ORPHAN_WEIGHT, MAX_SCORE, Orphanage, RESERVED_WEIGHT } from '../../../src/relay/orphanage.ts';
import { createChainBuilder, regtest } from '../../support/chain-builder.ts';
import { outputOf, pay, rawTx } from '../../support/tx-builder.ts';
import { family, orphanTx, parentsOf, strangeCoin } from './orphan-txs.ts';

let orphanage: Orphanage;
beforeEach(() => {
  orphanage = new Orphanage(seededRandom(1));
});

const add = (tx: Transaction, peer: string, nowMs = 0): boolean => orphanage.add(tx, parentsOf(tx), peer, nowMs);
const survivors = (txs: readonly Transaction[]): number => txs.filter((tx) => orphanage.has(tx.wtxid)).length;
const work = (): (readonly [string, string])[] => {
  const taken: (readonly [string, string])[] = [];
  for (let next = orphanage.takeWork(); next !== undefined; next = orphanage.takeWork()) {
    taken.push([next.peer, next.tx.wtxid]);
  }
  return taken;
};

describe('the orphanage', () => {
  it('keeps an orphan once, with all who announced it and the parents it lacks', () => {
    const tx = orphanTx();
    assert.ok(add(tx, 'a'));
    assert.ok(add(tx, 'b'));
    assert.ok(add(tx, 'b'));
    orphanage.addAnnouncer(tx.wtxid, 'c');
    orphanage.addAnnouncer(orphanTx().wtxid, 'c');
    assert.deepEqual(orphanage.announcers(tx.wtxid), ['a', 'b', 'c']);
    assert.deepEqual(orphanage.missingParents(tx.wtxid), parentsOf(tx));
    assert.equal(orphanage.size, 1);
    assert.deepEqual(orphanage.usage(), { weight: tx.weight, score: 3 });
  });

  it('takes what weighs 400,000, and no more', () => {
    assert.ok(add(orphanTx({ weight: MAX_ORPHAN_WEIGHT }), 'a'));
    assert.ok(!add(orphanTx({ weight: MAX_ORPHAN_WEIGHT + 1 }), 'b'));
    assert.equal(orphanage.size, 1);
  });

  it('holds bytes of its own', () => {
    const { parent, child } = family();
    add(child, 'a');
    const { wtxid } = child;
    child.raw.fill(0);
    orphanage.addChildrenToWork(parent);
    assert.equal(orphanage.takeWork()?.tx.wtxid, wtxid);
  });

  it('counts each ten inputs as one announcement more', () => {
    for (const [inputs, score] of [
      [9, 1],
      [10, 2],
      [19, 2],
      [20, 3],
    ] as const) {
      orphanage = new Orphanage(seededRandom(1));
      const tx = orphanTx({ coins: Array.from({ length: inputs }, strangeCoin) });
      add(tx, 'a');
      assert.equal(orphanage.usage().score, score, `${inputs} inputs`);
      add(tx, 'b');
      assert.equal(orphanage.usage().score, score + 1, 'inputs count once');
    }
  });

  it('drops the oldest announcement of the greedier peer above 3000 of all', () => {
    const txs = Array.from({ length: MAX_SCORE / 2 }, () => orphanTx());
    for (const tx of txs) for (const peer of ['a', 'b']) add(tx, peer);
    assert.equal(orphanage.usage().score, MAX_SCORE);
    const [oldest, second] = txs;
    const newest = orphanTx();
    assert.ok(oldest && second);
    assert.ok(add(newest, 'a'));
    assert.deepEqual(
      [oldest, second, newest].map(({ wtxid }) => orphanage.announcers(wtxid)),
      [['b'], ['a', 'b'], ['a']],
    );
    assert.equal(orphanage.usage().score, MAX_SCORE);
  });

  it('drops by weight above 404,000 a peer', () => {
    const first = orphanTx({ weight: 202_000 });
    const second = orphanTx({ weight: 202_000 });
    add(first, 'a');
    add(second, 'a');
    assert.equal(orphanage.usage().weight, RESERVED_WEIGHT);
    const one = orphanTx();
    add(one, 'a');
    assert.deepEqual(
      [orphanage.has(first.wtxid), orphanage.has(second.wtxid), orphanage.has(one.wtxid)],
      [false, true, true],
    );
  });

  it('lets a peer use what others leave, until they come', () => {
    add(orphanTx(), 'b');
    const large = Array.from({ length: 2 }, () => orphanTx({ weight: 390_000 }));
    for (const tx of large) add(tx, 'a');
    assert.equal(survivors(large), 2, 'room for two peers');
    orphanage.erasePeer('b');
    assert.equal(survivors(large), 1, 'the bound goes with the peer');
  });

  it('keeps what an honest peer announced while others flood it', () => {
    const honest = Array.from({ length: 50 }, () => orphanTx());
    for (const tx of honest) add(tx, 'honest');
    for (let i = 0; i < 4_000; i++) add(orphanTx(), 'flood1');
    for (let i = 0; i < 60; i++) add(orphanTx({ weight: MAX_ORPHAN_WEIGHT }), 'flood2');
    const wide = Array.from({ length: 1_000 }, strangeCoin);
    for (let i = 0; i < 40; i++) add(orphanTx({ coins: wide }), 'flood3');
    assert.equal(survivors(honest), honest.length);
    const { weight, score } = orphanage.usage();
    assert.ok(score <= MAX_SCORE && weight <= 4 * RESERVED_WEIGHT);
  });

  it('keeps an orphan that an attacker announced too, whatever he does to himself', () => {
    const txs = Array.from({ length: 20 }, () => orphanTx());
    for (const tx of txs) for (const peer of ['flood', 'honest']) add(tx, peer);
    for (let i = 0; i < 5_000; i++) add(orphanTx(), 'flood');
    assert.equal(survivors(txs), txs.length);
    orphanage.erasePeer('flood');
    assert.equal(survivors(txs), txs.length);
    assert.deepEqual(orphanage.usage().score, txs.length);
  });

  it('evicts what waits to be looked at last', () => {
    const { parent, child } = family();
    add(child, 'a');
    orphanage.addChildrenToWork(parent);
    const [first, second] = [orphanTx({ weight: 200_000 }), orphanTx({ weight: 204_000 })];
    for (const tx of [first, second]) add(tx, 'a');
    assert.deepEqual(
      [child, first, second].map((tx) => orphanage.has(tx.wtxid)),
      [true, false, true],
    );
  });

  it('forgets with a peer what nobody else announced', () => {
    const [own, shared] = [orphanTx(), orphanTx()];
    add(own, 'a');
    for (const peer of ['a', 'b']) add(shared, peer);
    orphanage.erasePeer('a');
    assert.deepEqual([orphanage.has(own.wtxid), orphanage.announcers(shared.wtxid)], [false, ['b']]);
    orphanage.erasePeer('b');
    assert.deepEqual([orphanage.size, orphanage.usage()], [0, { weight: 0, score: 0 }]);
  });

  it('forgets after twenty minutes', () => {
    const [old, young] = [orphanTx(), orphanTx()];
    add(old, 'a', 0);
    add(young, 'a', 1);
    orphanage.expire(EXPIRY_MS - 1);
    assert.ok(orphanage.has(old.wtxid));
    orphanage.expire(EXPIRY_MS);
    assert.deepEqual([orphanage.has(old.wtxid), orphanage.has(young.wtxid)], [false, true]);
    add(orphanTx(), 'a', EXPIRY_MS + 1);
    assert.ok(!orphanage.has(young.wtxid), 'also when another comes');
  });

  it('gives the children of a parent once, and only those that spend what it has', () => {
    const { parent, child } = family();
    const beyond = rawTx([{ coin: { ...outputOf(parent), index: 1 } }]);
    for (const tx of [child, beyond, orphanTx()]) add(tx, 'a');
    orphanage.addChildrenToWork(parent);
    orphanage.addChildrenToWork(parent);
    assert.deepEqual(work(), [['a', child.wtxid]]);
    assert.ok(orphanage.has(child.wtxid), 'until it is erased');
    orphanage.addChildrenToWork(parent);
    assert.deepEqual(work(), [['a', child.wtxid]], 'again with the next parent');
  });

  it('lets peers take turns', () => {
    const parent = rawTx(
      [{ coin: strangeCoin() }],
      Array.from({ length: 6 }, () => pay(1n)),
    );
    const children = [0, 1, 2, 3, 4, 5].map((index) => orphanTx({ coins: [outputOf(parent, index)] }));
    for (const [at, tx] of children.entries()) add(tx, at < 4 ? 'many' : `few${at}`);
    orphanage.addChildrenToWork(parent);
    assert.deepEqual(
      work().map(([peer]) => peer),
      ['many', 'few4', 'few5', 'many', 'many', 'many'],
    );
  });

  it('gives a shared child to one of its announcers, and to another when that one leaves', () => {
    const { parent, child } = family();
    for (const peer of ['a', 'b']) add(child, peer);
    orphanage.addChildrenToWork(parent);
    const [first] = work();
    assert.ok(first);
    orphanage.addChildrenToWork(parent);
    for (const peer of ['a', 'b']) if (peer === first[0]) orphanage.erasePeer(peer);
    orphanage.addChildrenToWork(parent);
    assert.equal(work().length, 1);

    orphanage = new Orphanage({ bytes: () => new Uint8Array(16), below: () => 0 });
    for (const peer of ['a', 'b']) add(child, peer);
    orphanage.addChildrenToWork(parent);
    orphanage.erasePeer('a');
    assert.deepEqual(work(), [['b', child.wtxid]]);
  });

  it('chooses among announcers by chance', () => {
    const chosen = new Set<string | undefined>();
    for (let seed = 0; seed < 20; seed++) {
      const { parent, child } = family();
      orphanage = new Orphanage(seededRandom(seed));
      for (const peer of ['a', 'b']) add(child, peer);
      orphanage.addChildrenToWork(parent);
      chosen.add(orphanage.takeWork()?.peer);
    }
    assert.deepEqual(chosen, new Set(['a', 'b']));
  });

  it('forgets what a block contains, and what conflicts with it', () => {
    const coin = strangeCoin();
    const included = orphanTx();
    const conflicting = orphanTx({ coins: [coin, strangeCoin()] });
    const other = orphanTx();
    for (const tx of [included, conflicting, other]) add(tx, 'a');
    const block = createChainBuilder(regtest()).build({ transactions: [included, orphanTx({ coins: [coin] })] });
    orphanage.eraseForBlock(block);
    assert.deepEqual(
      [included, conflicting, other].map((tx) => orphanage.has(tx.wtxid)),
      [false, false, true],
    );
  });

  it('keeps its books right whatever happens', () => {
    const random = seededRandom(7);
    const parents = Array.from({ length: 20 }, () => rawTx([{ coin: strangeCoin() }], [pay(1n), pay(2n)]));
    const txs: Transaction[] = [];
    const peers = ['a', 'b', 'c', 'd'];
    const pick = <T>(items: readonly T[]): T => items[random.below(items.length)] as T;
    for (let step = 0; step < 2_000; step++) {
      const peer = pick(peers);
      const action = random.below(20);
      if (action < 12 || txs.length === 0) {
        const coins = [outputOf(pick(parents), random.below(2)), strangeCoin()];
        txs.push(orphanTx({ coins, weight: random.below(4) === 0 ? 50_000 + random.below(300_000) : 1_000 }));
        add(txs.at(-1) as Transaction, peer, step * 1_000);
      } else if (action < 15) add(pick(txs), peer, step * 1_000);
      else if (action < 16) orphanage.addChildrenToWork(pick(parents));
      else if (action < 18) {
        const next = orphanage.takeWork();
        if (next !== undefined) assert.ok(orphanage.announcers(next.tx.wtxid).includes(next.peer));
      } else if (action < 19) orphanage.erase(pick(txs).wtxid);
      else orphanage.erasePeer(peer);
      if (step % 20 === 0) assertBooks(txs);
    }
    for (const peer of peers) orphanage.erasePeer(peer);
    assert.deepEqual([orphanage.size, orphanage.usage(), work()], [0, { weight: 0, score: 0 }, []]);
  });
});

/** The sums are those of what is there, and within the bounds. */
function assertBooks(txs: readonly Transaction[]): void {
  let [weight, score] = [0, 0];
  const peers = new Set<string>();
  for (const tx of new Map(txs.map((each) => [each.wtxid, each])).values()) {
    const announcers = orphanage.announcers(tx.wtxid);
    assert.equal(announcers.length > 0, orphanage.has(tx.wtxid));
    if (announcers.length === 0) continue;
    weight += tx.weight;
    score += announcers.length + Math.floor(tx.inputs.length / 10);
    for (const peer of announcers) peers.add(peer);
  }
  assert.deepEqual(orphanage.usage(), { weight, score });
  assert.ok(score <= MAX_SCORE && weight <= RESERVED_WEIGHT * peers.size);
}
