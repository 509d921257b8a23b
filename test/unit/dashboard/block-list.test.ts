/** The newest blocks as the tip moves, also back, with who told of them, and the next change of the difficulty. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HeaderEntry } from '#chain';
import type { BlockHash } from '#primitives';
import type { BlockRow } from '../../../src/dashboard/contract.ts';
import { BlockList, MAX_BLOCKS } from '../../../src/dashboard/watch/block-list.ts';
import { nextRetarget } from '../../../src/dashboard/watch/retarget.ts';
import { regtest } from '../../support/chain-builder.ts';
import { createManualClock } from '../../support/manual-clock.ts';

/** Headers of which only place, hash and time count. A branch is what its hashes begin with. */
function branch(name: string, from: HeaderEntry | undefined, count: number, spacingSeconds = 600): HeaderEntry[] {
  const height = from === undefined ? 0 : from.height + 1;
  return Array.from({ length: count }, (_, at) => {
    const time = (from?.header.time ?? 0) + (at + 1) * spacingSeconds;
    return { hash: `${name}${height + at}`, height: height + at, header: { time } } as unknown as HeaderEntry;
  });
}

function makeStage(chain: readonly HeaderEntry[]) {
  const clock = createManualClock(1_000);
  let active = chain;
  let listeners = 0;
  const stop = (): void => {
    listeners--;
  };
  const told = { tip: (_tip: HeaderEntry): void => {}, news: (_hash: BlockHash, _peer: string): void => {} };
  const list = new BlockList(
    {
      chain: {
        tip: () => active.at(-1) ?? assert.fail(),
        ancestor: (_from, height) => active[height] ?? assert.fail(),
        txCount: () => 3,
      },
      onTip: (listener) => {
        listeners++;
        told.tip = listener;
        return stop;
      },
      onBlockNews: (listener) => {
        listeners++;
        told.news = listener;
        return stop;
      },
      blockOrigin: (hash) => (hash.startsWith('b') ? 'rebuilt' : undefined),
    },
    clock,
  );
  return {
    list,
    clock,
    tell: told,
    listeners: () => listeners,
    moveTo: (next: readonly HeaderEntry[]) => {
      active = next;
      told.tip(next.at(-1) ?? assert.fail());
    },
  };
}

const hashesOf = (rows: readonly BlockRow[]): readonly string[] => rows.map(({ hash }) => hash);

test('the newest fifty, newest first; those from before the start have no time of coming', async () => {
  const chain = branch('a', undefined, 60);
  const { list, clock, moveTo } = makeStage(chain);
  assert.deepEqual(
    hashesOf(list.rows()),
    chain
      .slice(-MAX_BLOCKS)
      .reverse()
      .map(({ hash }) => hash),
  );
  await clock.advance(500);
  moveTo([...chain, ...branch('a', chain.at(-1), 2)]);
  const [newest, next, third] = list.rows();
  assert.deepEqual([newest?.hash, newest?.connectedAtMs, newest?.txCount], ['a61', 1_500, 3]);
  assert.deepEqual([next?.connectedAtMs, third?.connectedAtMs], [1_500, null], 'a tip may be several blocks further');
  assert.equal(list.rows().length, MAX_BLOCKS);
});

test('whoever applies the deltas has the list, over reorganisations and back', () => {
  const trunk = branch('a', undefined, 55);
  const { list, moveTo, tell } = makeStage(trunk);
  let changes = 0;
  const unwatch = list.watch(() => {
    changes++;
  });
  const known = new Map(list.rows().map((row) => [row.hash, row]));
  const check = (): void => {
    const { changed, removed } = list.takeDelta();
    for (const hash of removed) assert.ok(known.delete(hash), `${hash} was there`);
    for (const row of changed) known.set(row.hash, row);
    const ordered = [...known.values()].sort((x, y) => y.height - x.height);
    assert.deepEqual(ordered, list.rows());
  };
  moveTo([...trunk, ...branch('a', trunk.at(-1), 3)]);
  check();
  const other = [...trunk.slice(0, 53), ...branch('b', trunk[52], 7)];
  moveTo(other);
  moveTo([...other, ...branch('b', other.at(-1), 1)]);
  check();
  assert.equal(list.rows()[0]?.origin, 'rebuilt');
  moveTo([...trunk, ...branch('a', trunk.at(-1), 9)]);
  moveTo(other);
  moveTo([...trunk, ...branch('a', trunk.at(-1), 9)]);
  tell.news('a60' as BlockHash, 'peer');
  check();
  moveTo([...trunk.slice(0, 3), ...branch('c', trunk[2], 100)]);
  check();
  assert.ok(changes > 0);
  unwatch();
  moveTo(trunk);
  assert.deepEqual(list.takeDelta(), { changed: [], removed: [] }, 'nothing is gathered for nobody');
});

test('each peer that told of a block, once, with its delay behind the first', async () => {
  const chain = branch('a', undefined, 3);
  const { list, clock, moveTo, tell } = makeStage(chain);
  list.watch(() => {});
  tell.news('a3' as BlockHash, 'first');
  await clock.advance(40);
  moveTo([...chain, ...branch('a', chain.at(-1), 1)]);
  list.takeDelta();
  tell.news('a3' as BlockHash, 'second');
  tell.news('a3' as BlockHash, 'first');
  tell.news('elsewhere' as BlockHash, 'first');
  const { changed } = list.takeDelta();
  assert.deepEqual(
    changed.map(({ announcements, firstHeardAtMs }) => [firstHeardAtMs, announcements]),
    [
      [
        1_000,
        [
          { peerId: 'first', delayMs: 0 },
          { peerId: 'second', delayMs: 40 },
        ],
      ],
    ],
  );
  tell.news('a3' as BlockHash, 'second');
  assert.deepEqual(list.takeDelta().changed, []);
  for (let at = 0; at < 200; at++) tell.news('a3' as BlockHash, `peer-${at}`);
  assert.equal(list.rows()[0]?.announcements.length, 128);
  for (let at = 0; at < 100; at++) tell.news(`block-${at}` as BlockHash, 'peer');
  assert.deepEqual(list.rows()[0]?.announcements, [], 'of a hundred blocks it is remembered');
});

test('details are asked for newest first, kept with the row, and told', () => {
  const chain = branch('a', undefined, 3);
  const { list } = makeStage(chain);
  list.watch(() => {});
  assert.equal(list.nextWithoutDetails()?.hash, 'a2');
  const details = { sizeBytes: 10, weight: 40, feesSats: 5, feeratePercentiles: [1, 2, 3, 4, 5] };
  list.setDetails('a2' as BlockHash, details);
  list.setDetails('a1' as BlockHash, undefined);
  list.setDetails('gone' as BlockHash, details);
  assert.equal(list.nextWithoutDetails()?.hash, 'a0');
  const [newest, pruned] = list.takeDelta().changed;
  assert.deepEqual([newest?.sizeBytes, newest?.feeratePercentiles], [10, [1, 2, 3, 4, 5]]);
  assert.deepEqual([pruned?.hash, pruned?.sizeBytes], ['a1', null]);
});

test('disposed, it listens no more', () => {
  const { list, listeners } = makeStage(branch('a', undefined, 1));
  assert.equal(listeners(), 2);
  list[Symbol.dispose]();
  assert.equal(listeners(), 0);
});

test('the next change of the difficulty, were blocks to go on at their pace', () => {
  const params = { ...regtest(), pow: { ...regtest().pow, noRetargeting: false } };
  const interval = params.pow.targetTimespanSeconds / params.pow.targetSpacingSeconds;
  const at = (height: number, spacingSeconds: number) => {
    const chain = branch('a', undefined, height + 1, spacingSeconds);
    return nextRetarget(
      { params, ancestor: (_from, wanted) => chain[wanted] ?? assert.fail() },
      chain[height] ?? assert.fail(),
    );
  };
  const place = { nextHeight: 2 * interval, intervalBlocks: interval };
  assert.deepEqual(at(interval, 600), { ...place, blocksLeft: interval, estimatedRatio: null, estimatedAtMs: null });
  const onPace = at(interval + 100, 600);
  assert.deepEqual([onPace?.nextHeight, onPace?.blocksLeft], [2 * interval, interval - 100]);
  // The rule compares one step less than the blocks of an interval with its whole time.
  assert.equal(onPace?.estimatedRatio, interval / (interval - 1));
  assert.equal(onPace?.estimatedAtMs, 2 * interval * 600 * 1_000);
  assert.equal(at(interval + 100, 60)?.estimatedRatio, 4);
  assert.equal(at(interval + 100, 6_000)?.estimatedRatio, 0.25);
  assert.equal(
    nextRetarget({ params: regtest(), ancestor: () => assert.fail() }, branch('a', undefined, 1)[0] ?? assert.fail()),
    null,
  );
});
