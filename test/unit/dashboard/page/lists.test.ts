import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FeerateBucket } from '../../../../src/dashboard/contract.ts';
import { occupiedBuckets, placeAmong } from '../../../../src/dashboard/page/fee-buckets.ts';
import { filterLogs } from '../../../../src/dashboard/page/log-list.ts';
import { filterPeers, sortPeers } from '../../../../src/dashboard/page/peer-list.ts';
import { routeOf, sectionOf, titleOf, txPath, VIEWS } from '../../../../src/dashboard/page/route.ts';
import { rowsWindow } from '../../../../src/dashboard/page/rows-window.ts';
import { totals, trafficByProtocol, withRest } from '../../../../src/dashboard/page/traffic.ts';
import { logLine, peerRow } from './rows.ts';

const ids = (peers: readonly { readonly id: string }[]): string[] => peers.map(({ id }) => id);

test('peers are sorted either way; what is not known stands last, equals by id', () => {
  const peers = [
    peerRow('c', { latencyMs: 20 }),
    peerRow('d', { latencyMs: null }),
    peerRow('a', { latencyMs: 20 }),
    peerRow('b', { latencyMs: 3 }),
  ];
  assert.deepEqual(ids(sortPeers(peers, { key: 'latency', isDescending: false })), ['b', 'a', 'c', 'd']);
  assert.deepEqual(ids(sortPeers(peers, { key: 'latency', isDescending: true })), ['a', 'c', 'b', 'd']);
});

test('a search for peers wants all its words, anywhere', () => {
  const peers = [
    peerRow('a', { direction: 'inbound', meshTopics: ['block'] }),
    peerRow('b', { agent: '/Other:1/', meshTopics: ['block'] }),
  ];
  assert.deepEqual(ids(filterPeers(peers, ' ')), ['a', 'b']);
  assert.deepEqual(ids(filterPeers(peers, 'BLOCK inbound')), ['a']);
  assert.deepEqual(ids(filterPeers(peers, 'other')), ['b']);
});

test('log lines of a level and above, in which a text occurs', () => {
  const lines = [
    logLine(1, { level: 'debug' }),
    logLine(2, { level: 'warn', module: 'sync' }),
    logLine(3, { level: 'error' }),
  ];
  const numbers = (level: 'debug' | 'warn', text: string): number[] =>
    filterLogs(lines, level, text).map(({ number }) => number);
  assert.deepEqual(numbers('debug', ''), [1, 2, 3]);
  assert.deepEqual(numbers('warn', ''), [2, 3]);
  assert.deepEqual(numbers('debug', 'SYNC'), [2]);
});

test('only the rows in sight are drawn, wherever the list is scrolled to', () => {
  assert.deepEqual(rowsWindow(10_000, 20, 0, 400), { from: 0, to: 26 });
  assert.deepEqual(rowsWindow(10_000, 20, 4_000, 400), { from: 194, to: 226 });
  assert.deepEqual(rowsWindow(10_000, 20, 200_000, 400), { from: 9_994, to: 10_000 });
  assert.deepEqual(rowsWindow(3, 20, 900, 400), { from: 3, to: 3 });
  assert.deepEqual(rowsWindow(0, 20, 0, 400), { from: 0, to: 0 });
});

test('empty fee rates at both ends are left out, but for one, and for a dozen columns', () => {
  const full = [0, 0, ...Array.from({ length: 20 }, () => 1), 0, 0];
  const of = (counts: readonly number[]): FeerateBucket[] =>
    counts.map((txCount, at) => ({ fromSatPerVb: at, txCount, vsizeBytes: 0 }));
  assert.equal(occupiedBuckets(of(full)).length, 22);
  const one = Array.from({ length: 40 }, (_, at) => (at === 20 ? 1 : 0));
  assert.deepEqual([occupiedBuckets(of(one)).length, occupiedBuckets(of(one))[6]?.fromSatPerVb], [13, 20]);
  const buckets = [0, 0, 5, 0, 7, 0, 0].map((txCount, at) => ({ fromSatPerVb: 2 ** at, txCount, vsizeBytes: 0 }));
  const shown = buckets.slice(1, 6);
  assert.deepEqual(
    [1, 2, 3, 12, 32, 99].map((rate) => placeAmong(rate, shown)),
    [0, 0, 0.5, 2.5, 4, 4],
  );
  assert.deepEqual(occupiedBuckets(buckets.slice(0, 2)), []);
});

const bandwidth = {
  protocols: ['/quiet', '/a', '/b', '/c'],
  samples: [
    { atMs: 0, inBytesPerSecond: [0, 10], outBytesPerSecond: [0, 0, 40] },
    { atMs: 1, inBytesPerSecond: [0, 30, 4], outBytesPerSecond: [0, 0, 0, 2] },
  ],
};

test('traffic by protocol: the busiest first, what never spoke left out, missing ends are 0', () => {
  const traffic = trafficByProtocol(bandwidth);
  assert.deepEqual(
    traffic.map(({ name }) => name),
    ['/b', '/a', '/c'],
  );
  assert.deepEqual(traffic[0]?.seriesIn, [0, 4]);
  assert.deepEqual([traffic[1]?.meanIn, traffic[1]?.nowIn], [20, 30]);
  assert.deepEqual(
    [totals(bandwidth, 'in'), totals(bandwidth, 'out')],
    [
      [10, 34],
      [40, 2],
    ],
  );
});

test('the rest becomes one, and nothing is lost', () => {
  const traffic = trafficByProtocol(bandwidth);
  const [first, rest] = withRest(traffic, 2);
  assert.deepEqual([first?.name, rest?.name, rest?.seriesIn, rest?.seriesOut], ['/b', '2 others', [10, 30], [0, 2]]);
  assert.deepEqual(withRest(traffic, 3), traffic);
});

test('each view has an address, and what somebody types leads somewhere', () => {
  for (const { name, path, title } of VIEWS) {
    assert.deepEqual(routeOf(path), { view: name });
    assert.equal(titleOf(routeOf(path)), title);
    assert.equal(sectionOf(routeOf(path)), name);
  }
  assert.deepEqual(routeOf(''), { view: 'overview' });
  assert.deepEqual(routeOf('#/peer/12D3'), { view: 'peer', id: '12D3' });
  assert.deepEqual(routeOf('#/block/7/2'), { view: 'block', id: '7', page: 2 });
  assert.deepEqual(routeOf('#/block/7/x'), { view: 'block', id: '7', page: 0 });
  assert.deepEqual(routeOf(txPath('ab', 'cd')), { view: 'tx', id: 'ab', block: 'cd' });
  assert.deepEqual(routeOf(txPath('ab')), { view: 'tx', id: 'ab', block: '' });
  assert.equal(sectionOf(routeOf('#/tx/ab')), 'explorer');
  for (const odd of ['#/nowhere', '#/block', '#/%zz', '#main']) assert.equal(routeOf(odd).view, 'unknown', odd);
});
