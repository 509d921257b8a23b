/** The numbers of what enters and leaves the pool: Core's mempool_sequence. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Transaction } from '#primitives';
import { buildTx, outputOf, pay, type TestCoin } from '../../support/tx-builder.ts';
import { createHarness } from './harness.ts';

const FEE = 10_000n;

it('count what enters and leaves, for whatever reason, and nothing else', async () => {
  await using h = await createHarness();
  const heard: (readonly [number, string, string])[] = [];
  const names = new Map<string, string>();
  const spend = (name: string, from: number | TestCoin, fee = FEE): Transaction => {
    const coin = typeof from === 'number' ? h.builder.coin(from) : from;
    const tx = buildTx([coin], [pay(coin.output.value - fee)]);
    names.set(tx.txid, name);
    return tx;
  };
  h.mempool.observe({
    entered: ({ txid }, _how, sequence) => void heard.push([sequence, names.get(txid) ?? '', 'entered']),
    left: ({ txid }, reason, sequence) => void heard.push([sequence, names.get(txid) ?? '', reason]),
  });
  const [first, second, instead] = [spend('first', 1), spend('second', 2), spend('instead', 1, 3n * FEE)];
  const child = spend('child', outputOf(second));
  assert.equal(h.mempool.sequence(), 1);
  for (const tx of [first, second, child, instead]) assert.equal(await h.submit(tx), 'accepted');
  h.mempool.prioritise(child.txid, 5n);
  assert.equal(await h.submit(spend('refused', 3, 0n)), 'min relay fee not met');
  assert.equal(h.mempool.sequence(), 6);
  // In the block: one of the pool, and one that contradicts another and its child.
  await h.connect(h.builder.mine({ transactions: [instead, spend('unknown', 2, 2n * FEE)] }));
  assert.deepEqual(heard, [
    [1, 'first', 'entered'],
    [2, 'second', 'entered'],
    [3, 'child', 'entered'],
    [4, 'first', 'replaced'],
    [5, 'instead', 'entered'],
    [6, 'instead', 'block'],
    [7, 'second', 'conflict'],
    [8, 'child', 'conflict'],
  ]);
  assert.equal(h.mempool.sequence(), 9);
});
