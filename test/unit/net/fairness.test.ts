/** Peers, not streams, share: the fair line, the budget of frames, the turns at sending. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { FairBudget } from '../../../src/net/fair-budget.ts';
import { FairLine } from '../../../src/net/fair-line.ts';
import { SendTurns } from '../../../src/net/send-turns.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const open = new AbortController().signal;
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Gives out turns one by one, to whoever is next, and says to whom. */
function drain(line: FairLine, turns: number): string[] {
  const order: string[] = [];
  for (let count = 0; count < turns; count++) {
    line.admitNext(
      () => true,
      () => true,
      (peer) => order.push(peer),
    );
  }
  return order;
}

suite('net fair line', () => {
  test('a peer with many callers takes turns with one that has few', () => {
    const line = new FairLine();
    for (let count = 0; count < 6; count++) void line.wait('many', 10, open);
    for (let count = 0; count < 2; count++) void line.wait('few', 10, open);
    assert.deepEqual(drain(line, 8), ['many', 'few', 'many', 'few', 'many', 'many', 'many', 'many']);
    assert.equal(line.length, 0);
  });

  test('turns are weighed by bytes', () => {
    const line = new FairLine();
    for (let count = 0; count < 3; count++) void line.wait('large', 40, open);
    for (let count = 0; count < 8; count++) void line.wait('small', 10, open);
    assert.deepEqual(drain(line, 11).join(' '), 'large small small small small large small small small small large');
  });

  test('nobody saves up turns while away, nor leaves what it owes by going', () => {
    const line = new FairLine();
    for (let count = 0; count < 20; count++) line.give('steady', 10);
    void line.wait('steady', 10, open);
    void line.wait('late', 100, open);
    void line.wait('late', 10, open);
    void line.wait('steady', 10, open);
    // The late one starts where the line stands, not at nothing; having taken 100 it waits for the other to draw level.
    assert.deepEqual(drain(line, 2), ['late', 'steady']);
    assert.deepEqual(drain(line, 1), ['steady']);
  });

  test('what does not fit is waited for, and those who may not go are passed over', () => {
    const line = new FairLine();
    void line.wait('a', 100, open);
    void line.wait('b', 1, open);
    const admitted: string[] = [];
    const next = (mayGo: (peer: string) => boolean): string =>
      line.admitNext(
        mayGo,
        (bytes) => bytes < 50,
        (peer) => admitted.push(peer),
      );
    assert.equal(
      next(() => true),
      'too-large',
    );
    assert.equal(
      next((peer) => peer !== 'a'),
      'admitted',
    );
    assert.equal(
      next((peer) => peer !== 'a'),
      'nobody',
    );
    assert.deepEqual(admitted, ['b']);
  });

  test('whoever gives up leaves the line', async () => {
    const line = new FairLine();
    const controller = new AbortController();
    const first = line.wait('a', 1, controller.signal);
    void line.wait('a', 1, open);
    controller.abort(new Error('gone'));
    await assert.rejects(first, /gone/);
    assert.equal(line.length, 1);
    assert.deepEqual(drain(line, 2), ['a']);
  });

  test('peers that always wait are given the same, to within one piece', () => {
    const streams = fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 2, maxLength: 6 });
    const pieces = fc.infiniteStream(fc.integer({ min: 1, max: 1000 }));
    fc.assert(
      fc.property(streams, pieces, (streamsOf, sizes) => {
        const line = new FairLine();
        const given = new Map(streamsOf.map((_, peer) => [String(peer), 0]));
        const size = (): number => sizes.next().value ?? 1;
        for (const [peer, count] of streamsOf.entries()) {
          for (let stream = 0; stream < count; stream++) void line.wait(String(peer), size(), open);
        }
        for (let turn = 0; turn < 300; turn++) {
          line.admitNext(
            () => true,
            () => true,
            (peer, bytes) => {
              given.set(peer, (given.get(peer) ?? 0) + bytes);
              // The stream that went wants its next piece.
              void line.wait(peer, size(), open);
            },
          );
          const shares = [...given.values()];
          assert.ok(Math.max(...shares) - Math.min(...shares) <= 1000, shares.join(' '));
        }
      }),
      { numRuns: 50 },
    );
  });

  test('what is remembered of peers is bounded', () => {
    const line = new FairLine();
    void line.wait('patient', 1, open);
    for (let peer = 0; peer < 5000; peer++) line.give(String(peer), 1_000_000);
    assert.deepEqual(drain(line, 1), ['patient'], 'those who wait are not forgotten');
  });
});

suite('net fair budget', () => {
  const options = { maxBytes: 100, maxPeerShares: 2, shortMs: 1_000 };

  test('holds no more than its bytes, and no more shares of a peer than allowed', async () => {
    const budget = new FairBudget(options, createManualClock(), () => assert.fail('there is room'));
    const [first] = [await budget.acquire('a', 10, open), await budget.acquire('a', 10, open)];
    let third = false;
    void budget.acquire('a', 10, open).then(() => {
      third = true;
    });
    await budget.acquire('b', 10, open);
    await settle();
    assert.equal(third, false, 'the third share of a peer waits, also before others');
    assert.equal(budget.held, 30);
    first?.release();
    first?.release();
    await settle();
    assert.equal(third, true);
    assert.equal(budget.held, 30);
  });

  test('what was reserved is corrected when the size is known', async () => {
    const budget = new FairBudget(options, createManualClock(), () => {});
    const share = await budget.acquire('a', 90, open);
    let admitted = false;
    void budget.acquire('b', 90, open).then(() => {
      admitted = true;
    });
    await settle();
    assert.equal(admitted, false);
    share.resize(10);
    await settle();
    assert.equal(admitted, true);
    assert.equal(budget.held, 100);
  });

  test('something larger than all passes alone', async () => {
    const budget = new FairBudget(options, createManualClock(), () => {});
    const large = await budget.acquire('a', 500, open);
    let admitted = false;
    void budget.acquire('b', 1, open).then(() => {
      admitted = true;
    });
    await settle();
    assert.equal(admitted, false);
    large.release();
    await settle();
    assert.equal(admitted, true);
  });

  test('whoever gives up holds nothing and lets the next one through', async () => {
    const budget = new FairBudget(options, createManualClock(), () => {});
    const first = await budget.acquire('a', 60, open);
    const controller = new AbortController();
    const large = budget.acquire('b', 60, controller.signal);
    let small = false;
    void budget.acquire('c', 40, open).then(() => {
      small = true;
    });
    await settle();
    assert.equal(small, false, 'it does not slip past');
    controller.abort(new Error('gone'));
    await assert.rejects(large, /gone/);
    await settle();
    assert.equal(small, true);
    first.release();
    assert.equal(budget.held, 40);
  });

  test('tells that room is short while nothing moves, and not when a peer waits for itself', async () => {
    const clock = createManualClock();
    let told = 0;
    const held: { release(): void }[] = [];
    const budget = new FairBudget(options, clock, () => {
      told += 1;
      held.shift()?.release();
    });
    for (const peer of ['a', 'a', 'b', 'b']) held.push(await budget.acquire(peer, 25, open));
    const controller = new AbortController();
    const own = budget.acquire('a', 1, controller.signal);
    await clock.advance(10_000);
    assert.equal(told, 0);
    controller.abort(new Error('enough'));
    await assert.rejects(own, /enough/);
    let admitted = false;
    void budget.acquire('c', 50, open).then(() => {
      admitted = true;
    });
    await clock.advance(999);
    assert.equal(told, 0);
    await clock.advance(1);
    assert.deepEqual([told, admitted], [1, false]);
    await clock.advance(1_000);
    assert.deepEqual([told, admitted], [2, true]);
    assert.equal(clock.pending(), 0, 'nobody waits any more');
  });
});

suite('net send turns', () => {
  test('all bytes of a turn of the event loop are shared among peers, whatever their streams', async () => {
    const turns = new SendTurns();
    const sent = new Map<string, number>();
    const controller = new AbortController();
    const stream = async (peer: string): Promise<void> => {
      const leave = turns.enter();
      try {
        for (;;) {
          await turns.wait(peer, 100_000, controller.signal);
          sent.set(peer, (sent.get(peer) ?? 0) + 100_000);
        }
      } finally {
        leave();
      }
    };
    const running = ['greedy', 'greedy', 'greedy', 'greedy', 'greedy', 'greedy', 'greedy', 'greedy', 'a', 'b'].map(
      (peer) => stream(peer).catch(() => {}),
    );
    // Until others came, the first had all.
    await settle();
    await settle();
    sent.clear();
    for (let turn = 0; turn < 50; turn++) await settle();
    controller.abort(new Error('enough'));
    await Promise.all(running);
    const shares = [...sent.values()];
    const total = shares.reduce((sum, each) => sum + each, 0);
    assert.ok(Math.max(...shares) - Math.min(...shares) <= 200_000, shares.join(' '));
    assert.ok(total <= 52 * 1_200_000, `${total} bytes in 50 turns of the loop`);
    assert.ok(total >= 50_000_000, `${total} bytes in 50 turns of the loop`);
  });

  test('many streams have small pieces', () => {
    const turns = new SendTurns();
    const leaving = Array.from({ length: 16 }, () => turns.enter());
    const few = turns.pieceBytes;
    leaving.push(...Array.from({ length: 112 }, () => turns.enter()));
    assert.equal(turns.pieceBytes, 64 * 1024);
    for (const leave of leaving) leave();
    assert.equal(turns.pieceBytes, few);
    assert.equal(few, 512 * 1024);
  });
});
