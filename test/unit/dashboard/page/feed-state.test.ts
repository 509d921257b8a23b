import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retryDelayMs } from '../../../../src/dashboard/page/back-off.ts';
import {
  applyEvent,
  type Feed,
  type FeedEvent,
  mergeBlocks,
  mergePeers,
} from '../../../../src/dashboard/page/feed-state.ts';
import { blockRow, feedState, logLine, mempool, peerRow } from './rows.ts';

function after(...events: readonly FeedEvent[]): Feed {
  const feed = events.reduce<Feed | undefined>((last, event, at) => applyEvent(last, event, 400 + at), undefined);
  assert.ok(feed !== undefined);
  return feed;
}

const begin: FeedEvent = { name: 'state', data: feedState() };

test('what comes before the first state is left out; a second state replaces all', () => {
  assert.equal(applyEvent(undefined, { name: 'mempool', data: mempool(1) }, 0), undefined);
  const logs: FeedEvent = { name: 'logs', data: { lines: [logLine(1)], leftOut: 3 } };
  assert.equal(after(begin, logs).logsLeftOut, 3);
  const anew = after(begin, logs, begin);
  assert.deepEqual([anew.logs, anew.logsLeftOut], [[], 0]);
});

test('the clocks’ difference is that of the state’s arrival, and times the mempool’s history', () => {
  const feed = after(begin, { name: 'mempool', data: mempool(7) });
  assert.equal(feed.clockOffsetMs, 600);
  assert.deepEqual(feed.mempoolHistory, [
    { atMs: 1_000, txCount: 0, enteredCount: 0 },
    { atMs: 1_001, txCount: 7, enteredCount: 7 },
  ]);
});

test('blocks replace their earlier rows, leave, and stay ordered by height', () => {
  const blocks = [blockRow(3), blockRow(2), blockRow(1)];
  const changed = [blockRow(2, { weight: 4 }), blockRow(4, { hash: 'other' })];
  const merged = mergeBlocks(blocks, { changed, removed: ['hash-3'] });
  assert.deepEqual(
    merged.map(({ height, hash, weight }) => [height, hash, weight]),
    [
      [4, 'other', null],
      [2, 'hash-2', 4],
      [1, 'hash-1', null],
    ],
  );
});

test('peers join, change by single fields, and leave; a patch of somebody unknown is nothing', () => {
  const changed = [
    { id: 'a', latencyMs: 5 },
    { id: 'gone', latencyMs: 1 },
  ];
  const left = [{ id: 'b', reason: 'closed' }];
  const merged = mergePeers([peerRow('a'), peerRow('b')], { joined: [peerRow('c')], changed, left });
  assert.deepEqual(merged, [peerRow('a', { latencyMs: 5 }), peerRow('c')]);
});

test('no list grows without a bound', () => {
  const sample = { atMs: 0, inBytesPerSecond: [1], outBytesPerSecond: [2] };
  const many = Array.from({ length: 700 }, (_, at): FeedEvent[] => [
    { name: 'bandwidth', data: { protocols: ['/p'], sample: { ...sample, atMs: at } } },
    { name: 'mempool', data: mempool(at) },
    { name: 'logs', data: { lines: [4 * at, 4 * at + 1, 4 * at + 2, 4 * at + 3].map((n) => logLine(n)), leftOut: 0 } },
    { name: 'blocks', data: { changed: [blockRow(at)], removed: [] } },
  ]);
  const feed = after(begin, ...many.flat());
  assert.deepEqual(
    [feed.bandwidth.samples.length, feed.mempoolHistory.length, feed.logs.length, feed.blocks.length],
    [300, 300, 2_000, 50],
  );
  assert.deepEqual(
    [feed.bandwidth.samples.at(-1)?.atMs, feed.logs.at(-1)?.number, feed.blocks[0]?.height],
    [699, 2_799, 699],
  );
});

test('attempts to connect come later and later, up to a bound, and are spread', () => {
  assert.deepEqual(
    [0, 1, 2, 3].map((attempt) => retryDelayMs(attempt, 1)),
    [500, 1_000, 2_000, 4_000],
  );
  assert.equal(retryDelayMs(1_000, 1), 15_000);
  assert.equal(retryDelayMs(2, 0), 1_000);
});
