import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Wtxid } from '#primitives';
import { nullLogger } from '#util';
import { MempoolSync } from '../../../src/node/mempool-sync.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const IDS = Array.from({ length: 2_500 }, (_, number) => number.toString(16).padStart(64, '0') as Wtxid);

it('a list is taken in whole and then fetched step by step, of two peers that have something', async () => {
  const clock = createManualClock();
  const said: string[] = [];
  let open = 0;
  const sync = new MempoolSync({
    isSynced: () => true,
    peers: () =>
      ['blocks', 'new', 'in', 'out', 'more'].map((id) => {
        // Never asked, although we chose it.
        const kind = id === 'blocks' ? 'block-only' : id === 'out' ? 'full-relay' : 'inbound';
        return { id, kind, isOutbound: kind !== 'inbound', tipHash: undefined };
      }),
    requests: {
      mempool: async function* (peer, { skip }) {
        for (const wtxid of peer === 'new' ? [] : IDS.slice(skip)) yield { wtxid, vsize: 100, fee: 100n };
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
    minFeeSatPerKvb: () => 1_000,
    clock,
    log: nullLogger,
    signal: new AbortController().signal,
  });
  sync.poke();
  await clock.advance(60_000);
  const whole = (peer: string) =>
    ['ended at 0', '1000', '1000', '500', 'ended at 2500'].map((what) => `${peer} ${what}`);
  assert.deepEqual(said, [...whole('out'), 'new ended at 0', ...whole('in')]);
});
