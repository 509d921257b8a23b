/** The feed by a clock that the test moves: one watch for all readers, and none for nobody. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { serving } from '#rpc';
import { seededRandom } from '#util';
import { DashboardFeed } from '../../../src/dashboard/feed.ts';
import type { DashboardSource } from '../../../src/dashboard/port.ts';
import { Rate } from '../../../src/dashboard/rate.ts';
import { BUSY, createSyntheticSource } from '../../support/dashboard-source.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const SMALL = { ...BUSY, peers: 3, transactions: 20 };

type Reader = serving.EventReader & {
  waiting: number;
  isDropped: boolean;
  readonly names: string[];
  readonly gone: AbortController;
};

function makeReader(): Reader {
  const gone = new AbortController();
  const reader: Reader = {
    ...{ waiting: 0, isDropped: false, names: [], gone },
    write: (text) => {
      for (const [, name = '', json = ''] of text.matchAll(/event: (\w+)\ndata: (.*)\n\n/g)) {
        JSON.parse(json);
        reader.names.push(name);
      }
    },
    waitingBytes: () => reader.waiting,
    drop: () => {
      reader.isDropped = true;
      gone.abort();
    },
  };
  return reader;
}

function makeStage() {
  const clock = createManualClock(1_000_000);
  const source = createSyntheticSource(SMALL, clock, seededRandom(3));
  return { clock, source, feed: new DashboardFeed(source, clock) };
}

async function join(feed: DashboardFeed, reader = makeReader()): Promise<Reader> {
  await feed.add(reader, reader.gone.signal);
  return reader;
}

test('the state first, then what is told; the first reader begins the watch, the last one ends it', async () => {
  const { clock, source, feed } = makeStage();
  assert.equal(source.watches(), 0);
  const first = await join(feed);
  const second = await join(feed);
  assert.equal(source.watches(), 1);
  await clock.advance(1_000);
  assert.equal(first.names[0], 'state');
  assert.deepEqual(
    new Set(second.names),
    new Set(['state', 'blocks', 'logs', 'peers', 'bandwidth', 'mempool', 'overview']),
  );
  first.gone.abort();
  await clock.advance(0);
  assert.equal(source.watches(), 1);
  second.gone.abort();
  await clock.advance(0);
  assert.deepEqual([source.watches(), first.isDropped], [0, false]);
  const third = await join(feed);
  assert.deepEqual([source.watches(), third.names], [1, ['state']]);
});

test('whoever leaves before the watch has begun leaves nothing behind', async () => {
  const { clock, source, feed } = makeStage();
  const reader = makeReader();
  const added = feed.add(reader, reader.gone.signal);
  reader.gone.abort();
  await added;
  await clock.advance(0);
  assert.deepEqual([source.watches(), reader.names, clock.pending()], [0, [], 0]);
});

test('a reader that lags by more than a mebibyte is dropped, the others go on', async () => {
  const { clock, feed } = makeStage();
  const [slow, quick] = [await join(feed), await join(feed)];
  slow.waiting = 1 << 20;
  await clock.advance(200);
  assert.equal(slow.isDropped, false);
  slow.waiting++;
  await clock.advance(200);
  assert.deepEqual([slow.isDropped, quick.isDropped], [true, false]);
});

test('there are 16 places; a stop gives up all, and its timers', async () => {
  const { clock, source, feed } = makeStage();
  const readers = await Promise.all(Array.from({ length: 16 }, () => join(feed)));
  assert.equal(feed.isFull, true);
  readers[0]?.gone.abort();
  assert.equal(feed.isFull, false);
  feed[Symbol.dispose]();
  await clock.advance(0);
  assert.deepEqual([source.watches(), clock.pending()], [0, 0]);
  assert.ok(readers.slice(1).every(({ isDropped }) => isDropped));
});

test('a node that cannot be watched is said to who asked, and tried anew for the next', async () => {
  const { clock, source } = makeStage();
  let isStopping = true;
  const failing: DashboardSource = {
    ...source,
    watch: (tell) => (isStopping ? Promise.reject(new Error('stopping')) : source.watch(tell)),
  };
  const feed = new DashboardFeed(failing, clock);
  const reader = makeReader();
  await assert.rejects(feed.add(reader, reader.gone.signal), /stopping/);
  reader.gone.abort();
  isStopping = false;
  assert.deepEqual((await join(feed)).names, ['state']);
});

test('so many look-ups at once, then so many a second', async () => {
  const clock = createManualClock();
  const rate = new Rate(clock, 2, 3);
  const taken = (): number => Array.from({ length: 10 }, () => rate.take()).filter(Boolean).length;
  assert.equal(taken(), 3);
  await clock.advance(1_400);
  assert.equal(taken(), 2);
  await clock.advance(60_000);
  assert.equal(taken(), 3);
});
