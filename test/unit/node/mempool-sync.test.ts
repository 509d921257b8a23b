import assert from 'node:assert/strict';
import { beforeEach, it } from 'node:test';
import type { Wtxid } from '#primitives';
import { nullLogger, seededRandom } from '#util';
import { MempoolSync } from '../../../src/node/mempool-sync.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';

const IDS = Array.from({ length: 2_500 }, (_, number) => number.toString(16).padStart(64, '0') as Wtxid);
/** No round waits longer for the one before it, unless that listed more than 3,409 entries. */
const LONGEST_ROUND_MS = 150_000;

let clock: ManualClock;
let said: string[];
/** What peers list; `undefined` for a request that fails. */
let held: Map<string, readonly Wtxid[] | undefined>;
let own: number;

beforeEach(() => {
  clock = createManualClock();
  [said, held, own] = [[], new Map(), 0];
});

function start(): MempoolSync {
  let open = 0;
  return new MempoolSync({
    isSynced: () => true,
    peers: () =>
      [...held.keys()].map((id) => {
        const kind = id === 'blocks' ? 'block-only' : id.startsWith('out') ? 'full-relay' : 'inbound';
        return { id, kind, isOutbound: kind !== 'inbound', tipHash: undefined };
      }),
    requests: {
      mempool: async function* (peer, { skip }) {
        const all = held.get(peer);
        if (all === undefined) throw new Error('the peer is busy');
        for (const wtxid of all.slice(skip, skip + 10_000)) yield { wtxid, vsize: 100, fee: 100n };
        said.push(`${peer} ended at ${skip}`);
      },
    },
    ingest: {
      openOf: () => open,
      listed: (peer, wtxids) => {
        said.push(`${peer} ${wtxids.length}`);
        open = wtxids.length + 1_000;
        clock.after(5_000, () => {
          open = 0;
        });
      },
    },
    count: () => own,
    minFeeSatPerKvb: () => 1_000,
    clock,
    random: seededRandom(1),
    log: nullLogger,
    signal: new AbortController().signal,
  });
}

it('a list is taken in whole and then fetched step by step, of two peers that have something', async () => {
  held = new Map([
    ['new', []],
    ['in', IDS],
    ['out', IDS],
    ['more', IDS],
  ]);
  using sync = start();
  sync.poke();
  await clock.advance(60_000);
  const whole = (peer: string) =>
    ['ended at 0', '1000', '1000', '500', 'ended at 2500'].map((what) => `${peer} ${what}`);
  assert.deepEqual(said, [...whole('out'), 'new ended at 0', ...whole('in')]);
});

it('afterwards one peer after the other is asked for what is newest', async () => {
  held = new Map(['out a', 'out b', 'in'].map((peer) => [peer, IDS]));
  own = 2_400;
  using sync = start();
  sync.poke();
  await clock.advance(60_000);
  said.length = 0;
  await clock.advance(LONGEST_ROUND_MS - 60_000);
  assert.deepEqual(said, ['in ended at 400', 'in 1000', 'in 1000', 'in 100'], 'who was not asked yet');
  said.length = 0;
  await clock.advance(2 * LONGEST_ROUND_MS);
  const asked = said.filter((what) => what.includes('ended'));
  assert.deepEqual(new Set(asked.slice(0, 2)), new Set(['out a ended at 400', 'out b ended at 400']));
});

it('of peers that had nothing, or failed, all is asked later', async () => {
  held = new Map<string, readonly Wtxid[] | undefined>([
    ['a', []],
    ['b', undefined],
  ]);
  using sync = start();
  sync.poke();
  await clock.advance(60_000);
  assert.deepEqual(said, ['a ended at 0']);
  said.length = 0;
  held.set('a', IDS.slice(0, 10)).set('b', IDS.slice(0, 20));
  await clock.advance(LONGEST_ROUND_MS - 60_000);
  assert.deepEqual(said, ['a ended at 0', 'a 10', 'a ended at 10', 'b ended at 0', 'b 20', 'b ended at 20']);
});

it('a long list makes the next round wait, a kilobyte a second', async () => {
  held = new Map([['a', Array.from({ length: 10_000 }, () => IDS[0] ?? '')] as [string, Wtxid[]], ['b', []]]);
  using sync = start();
  held.set('b', IDS.slice(0, 1));
  sync.poke();
  await clock.advance(80_000);
  said.length = 0;
  const rounds: number[] = [];
  for (let seconds = 80; seconds < 2_000; seconds += 10) {
    await clock.advance(10_000);
    if (said.some((what) => what === 'a ended at 0')) rounds.push(seconds);
    said.length = 0;
  }
  const gaps = rounds.slice(1).map((at, before) => at - (rounds[before] ?? 0));
  assert.ok(gaps.length > 0 && gaps.every((gap) => gap > 440), gaps.join());
});

it('a block-only peer is never asked', async () => {
  held.set('blocks', IDS).set('in', []);
  using sync = start();
  sync.poke();
  await clock.advance(5 * LONGEST_ROUND_MS);
  assert.ok(said.length > 1);
  assert.ok(said.every((line) => line.startsWith('in ')));
});
