import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  areaPath,
  delayPart,
  dotsPath,
  linePath,
  niceCeiling,
  stackPaths,
} from '../../../../src/dashboard/page/chart.ts';
import { keepBearings, layOutMesh, MESH_SIZE, standingOf } from '../../../../src/dashboard/page/mesh-layout.ts';
import { peerRow } from './rows.ts';

test('an axis ends at 1, 2 or 5 by a power of ten', () => {
  assert.deepEqual([0, 0.3, 1, 1.1, 4, 5.1, 200, 201].map(niceCeiling), [1, 0.5, 1, 2, 5, 10, 200, 500]);
});

test('lines and areas go from border to border', () => {
  assert.equal(linePath([0, 5, 10], 100, 20, 10), 'M0 20L50 10L100 0');
  assert.equal(areaPath([0, 10], 100, 20, 10), 'M0 20L100 0L100 20L0 20Z');
  assert.deepEqual([linePath([], 1, 1, 1), areaPath([], 1, 1, 1)], ['', '']);
});

test('layers stand on each other, up or down', () => {
  const layers = [
    [1, 2],
    [3, 4],
  ];
  assert.deepEqual(stackPaths(layers, [0, 10], 100, 1), ['M0 99L10 98L10 100L0 100Z', 'M0 96L10 94L10 98L0 99Z']);
  assert.deepEqual(stackPaths(layers.slice(0, 1), [0, 10], 100, -1), ['M0 101L10 102L10 100L0 100Z']);
});

test('delays are logarithmic, and stay on their strip', () => {
  assert.deepEqual(
    [0, 1, 10, 100, 1_000].map((delayMs) => delayPart(delayMs, 100)),
    [0, 0, 0.5, 1, 1],
  );
  assert.equal(dotsPath([4, 8.126], 8), 'M4 8h0M8.13 8h0');
});

test('a peer keeps its bearing while it is connected; a newcomer takes the lowest that is free', () => {
  const before = keepBearings(new Map(), ['a', 'b', 'c']);
  assert.deepEqual(
    [...before],
    [
      ['a', 0],
      ['b', 1],
      ['c', 2],
    ],
  );
  assert.deepEqual(Object.fromEntries(keepBearings(before, ['e', 'c', 'a', 'd'])), { a: 0, c: 2, e: 1, d: 3 });
});

test('who is nearer in time stands nearer; nobody stands outside the picture', () => {
  const latencies = [0.05, 1, 30, 400, null, 1e7];
  const peers = latencies.map((latencyMs, at) => peerRow(`${at}`, { latencyMs }));
  const { places, rings } = layOutMesh(
    peers,
    keepBearings(
      new Map(),
      peers.map(({ id }) => id),
    ),
  );
  const distances = places.map(({ x, y }) => Math.hypot(x, y));
  const known = [...distances.slice(0, 4), distances[5] ?? 0];
  assert.deepEqual(
    known,
    known.toSorted((a, b) => a - b),
  );
  assert.ok(distances.every((distance) => distance > 10 && distance < MESH_SIZE));
  assert.ok((distances[4] ?? 0) > Math.max(...known), 'who was not pinged yet is outside of all');
  assert.ok(rings.every(({ radius }, at) => at === 0 || radius > (rings[at - 1]?.radius ?? 0)));
});

test('the rings of an empty node span two powers of ten; those of a quick one end at a round latency', () => {
  const ringsOf = (...latencies: number[]): number[] => {
    const peers = latencies.map((latencyMs, at) => peerRow(`${at}`, { latencyMs }));
    return layOutMesh(peers, new Map()).rings.map(({ latencyMs }) => Number(latencyMs.toPrecision(6)));
  };
  assert.deepEqual(ringsOf(), [1, 10, 100]);
  assert.deepEqual(ringsOf(0.4, 12), [0.1, 1, 10, 20]);
  assert.deepEqual(ringsOf(250), [1, 10, 100, 500]);
});

test('penalty points and a score below 0 both mark an offender', () => {
  assert.equal(standingOf(peerRow('a', { gossipScore: 3 })), 'good');
  assert.equal(standingOf(peerRow('a')), 'neutral');
  assert.equal(standingOf(peerRow('a', { gossipScore: 3, penaltyPoints: 1 })), 'bad');
  assert.equal(standingOf(peerRow('a', { gossipScore: -0.1 })), 'bad');
});
