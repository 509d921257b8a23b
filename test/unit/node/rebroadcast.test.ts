import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { MempoolEntry } from '#mempool';
import type { Txid } from '#primitives';
import { topics } from '#protocol';
import { nullLogger, seededRandom } from '#util';
import { Rebroadcast } from '../../../src/node/rebroadcast.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { coinbase } from '../protocol/vectors.ts';

const MINUTE_MS = 60_000;

it('own transactions are announced anew until a peer has heard of them', async () => {
  const clock = createManualClock();
  const open = new Set<Txid>([coinbase.txid]);
  const published: string[] = [];
  let peers = 0;
  using rebroadcast = new Rebroadcast({
    mempool: {
      unbroadcast: () => [...open],
      markBroadcast: (txid) => open.delete(txid),
      get: (id) => (id === coinbase.txid ? ({ tx: coinbase, fee: 7n } as MempoolEntry) : undefined),
    },
    publish: async (_, data) => {
      const message = topics.tx.codec.decode(data);
      published.push(message.kind === 'whole' ? message.tx.txid : message.kind);
      return peers;
    },
    clock,
    random: seededRandom(1),
    log: nullLogger,
  });
  await clock.advance(10 * MINUTE_MS - 1);
  assert.deepEqual(published, [], 'the first announcement is not ten minutes old');
  await clock.advance(5 * MINUTE_MS);
  assert.deepEqual(published, [coinbase.txid]);
  assert.ok(open.has(coinbase.txid), 'nobody was there');
  peers = 1;
  await clock.advance(15 * MINUTE_MS);
  assert.equal(open.size, 0);
  const count = published.length;
  await clock.advance(60 * MINUTE_MS);
  assert.equal(published.length, count, 'once is enough');
  rebroadcast[Symbol.dispose]();
  open.add(coinbase.txid);
  await clock.advance(60 * MINUTE_MS);
  assert.equal(published.length, count, 'and nothing is said after the end');
});
