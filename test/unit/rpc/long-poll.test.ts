/** getblocktemplate's long poll by a clock that the test moves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HeaderEntry } from '#chain';
import { seededRandom } from '#util';
import { createMining } from '../../../src/node/mining.ts';
import { BLOCK_TEMPLATE_METHODS } from '../../../src/rpc/methods/block-template.ts';
import { bindParams } from '../../../src/rpc/table/bind-params.ts';
import type { RpcCall } from '../../../src/rpc/table/method.ts';
import { buildTx, pay } from '../../support/tx-builder.ts';
import { createHarness, type Harness } from '../mempool/harness.ts';

type Answer = {
  readonly longpollid: string;
  readonly previousblockhash: string;
  readonly transactions: readonly unknown[];
};
type Poll = (longPollId?: string, signal?: AbortSignal) => Promise<Answer>;

const [METHOD = assert.fail()] = BLOCK_TEMPLATE_METHODS;

function pollOf(h: Harness): Poll {
  const mining = createMining({ ...h, random: seededRandom(1) });
  const onTip = (listener: (tip: HeaderEntry) => void): (() => void) =>
    h.chain.observe({ changed: ({ tip }) => listener(tip) });
  const node = { chain: h.chain, mempool: h.mempool, mining, onTip };
  return async (longpollid, signal = new AbortController().signal) => {
    const args = bindParams(METHOD, [{ rules: ['segwit'], ...(longpollid && { longpollid }) }]);
    const call = { node, clock: h.clock, args, signal } as unknown as RpcCall;
    return (await METHOD.handler(call)) as Answer;
  };
}

test('a transaction is news after a minute, a block at once', async () => {
  await using h = await createHarness();
  const poll = pollOf(h);
  const startedMs = h.clock.monotonicMs();
  const first = await poll();
  const waiting = poll(first.longpollid);
  assert.equal(await h.submit(buildTx([h.builder.coin(1)], [pay(1_000_000n)])), 'accepted');
  const second = await h.clock.runUntil(waiting);
  assert.equal(h.clock.monotonicMs() - startedMs, 60_000);
  assert.equal(second?.transactions.length, 1);
  const again = poll(second?.longpollid);
  await h.connect(h.builder.mine());
  assert.equal((await again).previousblockhash, h.chain.tip().hash);
  assert.equal(h.clock.monotonicMs() - startedMs, 60_000);
  assert.equal(h.clock.pending(), 0, 'no timer is left');
});

test('from the second minute on transactions are looked for every ten seconds', async () => {
  await using h = await createHarness();
  const poll = pollOf(h);
  const startedMs = h.clock.monotonicMs();
  const waiting = poll((await poll()).longpollid);
  await h.clock.advance(75_000);
  assert.equal(await h.submit(buildTx([h.builder.coin(1)], [pay(1_000_000n)])), 'accepted');
  await h.clock.runUntil(waiting);
  assert.equal(h.clock.monotonicMs() - startedMs, 80_000);
});

test('a stop answers who waits', async () => {
  await using h = await createHarness();
  const poll = pollOf(h);
  const stopping = new AbortController();
  const waiting = poll((await poll()).longpollid, stopping.signal);
  stopping.abort(new Error('the server stops'));
  await assert.rejects(waiting, { code: -9, message: 'Shutting down' });
  assert.equal(h.clock.pending(), 0);
});
