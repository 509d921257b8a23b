import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { multiaddr } from '@multiformats/multiaddr';
import fc from 'fast-check';
import { AddressBook, MAX_PER_HALF } from '../../../src/net/address-book.ts';
import { seededRandom } from '../../../src/util/index.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';

const options = { allowPrivateAddresses: false, backoffFirstMs: 1000, backoffLastMs: 60_000 };

async function bookAt(clock: ManualClock, stored?: unknown, changed: Partial<typeof options> = {}) {
  const file = {
    content: stored,
    read: async () => file.content,
    write: async (value: unknown) => {
      file.content = JSON.parse(JSON.stringify(value));
    },
  };
  const book = await AddressBook.open(clock, seededRandom(1), file, { ...options, ...changed });
  return { book, file };
}

const address = (n: number) => multiaddr(`/ip4/${20 + (n % 100)}.${Math.floor(n / 100)}.1.1/tcp/8333`);
const wish = (count: number, isWanted: (id: string) => boolean = () => true) => ({
  count,
  isWanted,
  takenGroups: new Set<string>(),
  isIsolated: false,
});

suite('net address book', () => {
  test('only addresses that we would dial are kept, four a peer', async () => {
    const { book } = await bookAt(createManualClock(1));
    const usable = ['/ip4/8.8.8.8/tcp/1', '/ip4/8.8.4.4/tcp/1', '/dns4/a.example/tcp/1', '/ip4/9.9.9.9/tcp/2'];
    const useless = ['/ip4/127.0.0.1/tcp/1', '/ip4/8.8.8.8/udp/1', '/ip4/8.8.8.8/tcp/0', '/ip4/10.0.0.1/tcp/1'];
    book.learn(
      'p',
      [...useless, ...usable, '/ip4/9.9.9.8/tcp/2'].map((text) => multiaddr(text)),
    );
    book.learn(
      'q',
      useless.map((text) => multiaddr(text)),
    );
    assert.deepEqual(book.get('p')?.addresses, usable);
    assert.equal(book.get('q'), undefined);
  });

  test('hearsay does not push out the address that worked', async () => {
    const { book } = await bookAt(createManualClock(1));
    book.learn('p', [multiaddr('/ip4/8.8.8.8/tcp/1')]);
    book.succeeded('p', multiaddr('/ip4/8.8.8.8/tcp/1/p2p/12D3KooWFtBtEhkaibggyh5A6QZ5SN13ngDQ9A3Qv9SFhVmXFPQE'));
    for (let n = 0; n < 10; n += 1) book.learn('p', [address(n)]);
    assert.equal(book.get('p')?.addresses[0], '/ip4/8.8.8.8/tcp/1');
    assert.equal(book.get('p')?.addresses.length, 4);
  });

  test('a failure doubles the wait, success ends it, hopeless hearsay is forgotten', async () => {
    const clock = createManualClock(1_000_000);
    const { book } = await bookAt(clock);
    book.learn('p', [address(1)]);
    const waits: number[] = [];
    for (let n = 0; n < 7; n += 1) {
      book.tried('p');
      book.failed('p', false);
      const known = book.get('p');
      assert.ok(known);
      waits.push(book.nextTry(known, false) - clock.now());
    }
    assert.deepEqual(waits, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000]);
    assert.deepEqual(book.candidates(wish(5)), []);
    await clock.advance(60_000);
    assert.equal(book.candidates(wish(5)).length, 1);
    book.failed('p', true);
    assert.ok(book.get('p'), 'nobody is given up while we are alone');
    book.failed('p', false);
    assert.equal(book.get('p'), undefined);
  });

  test('with nobody left the wait is a minute at most', async () => {
    const clock = createManualClock(1_000_000);
    const { book } = await bookAt(clock, undefined, { backoffLastMs: 3_600_000 });
    book.learn('p', [address(1)]);
    book.succeeded('p', address(1));
    for (let n = 0; n < 20; n += 1) {
      book.tried('p');
      book.failed('p', false);
    }
    const known = book.get('p');
    assert.ok(known);
    assert.equal(book.nextTry(known, false) - clock.now(), 3_600_000);
    assert.equal(book.nextTry(known, true) - clock.now(), 60_000);
  });

  test('a flood of hearsay fills its half and leaves the tried alone', async () => {
    const clock = createManualClock(1);
    const { book } = await bookAt(clock);
    for (let n = 0; n < 50; n += 1) {
      book.learn(`tried${n}`, [address(n)]);
      book.succeeded(`tried${n}`, address(n));
    }
    for (let n = 0; n < 3 * MAX_PER_HALF; n += 1) book.learn(`rumour${n}`, [address(n)]);
    assert.equal(book.size, MAX_PER_HALF + 50);
    for (let n = 0; n < 50; n += 1) assert.ok(book.get(`tried${n}`));
  });

  test('the tried half has its bound too', async () => {
    const { book } = await bookAt(createManualClock(1));
    for (let n = 0; n < MAX_PER_HALF + 100; n += 1) {
      book.learn(`p${n}`, [address(n)]);
      book.succeeded(`p${n}`, address(n));
    }
    assert.equal(book.size, MAX_PER_HALF);
  });

  test('candidates: tried and hearsay in turn, one a network group, none unwanted', async () => {
    const { book } = await bookAt(createManualClock(1));
    for (let n = 0; n < 20; n += 1) {
      book.learn(`p${n}`, [address(n)]);
      if (n < 10) book.succeeded(`p${n}`, address(n));
    }
    const chosen = book.candidates(wish(6, (id) => id !== 'p3'));
    assert.equal(chosen.length, 6);
    assert.equal(chosen.filter((known) => known.lastSuccess > 0).length, 3);
    assert.ok(chosen.every((known) => known.id !== 'p3'));
    for (let n = 30; n < 40; n += 1) book.learn(`same${n}`, [multiaddr(`/ip4/77.77.${n}.1/tcp/1`)]);
    const isSame = (id: string) => id.startsWith('same');
    assert.equal(book.candidates(wish(5, isSame)).length, 1);
    assert.equal(book.candidates({ ...wish(5, isSame), takenGroups: new Set(['77.77']) }).length, 0);
  });

  test('what was known is known after a restart, and the future is not believed', async () => {
    const clock = createManualClock(5_000_000);
    const { book, file } = await bookAt(clock);
    book.learn('p', [address(1), address(2)]);
    book.succeeded('p', address(2));
    book.learn('q', [address(3)]);
    book.tried('q');
    book.failed('q', false);
    await book.save();
    const later = await bookAt(createManualClock(1_000), file.content);
    assert.deepEqual(later.book.get('p')?.addresses, ['/ip4/22.0.1.1/tcp/8333', '/ip4/21.0.1.1/tcp/8333']);
    assert.equal(later.book.get('p')?.lastSuccess, 1_000);
    assert.equal(later.book.get('q')?.failures, 1);
    assert.equal(later.book.get('q')?.lastTry, 1_000);
  });

  test('no file can break it', () => {
    fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (content) => {
        const { book } = await bookAt(createManualClock(1), content);
        book.candidates(wish(3));
        const wrapped = await bookAt(createManualClock(1), [{ id: 'p', addresses: [content], failures: content }]);
        wrapped.book.candidates(wish(3));
      }),
      { numRuns: 100 },
    );
  });
});
