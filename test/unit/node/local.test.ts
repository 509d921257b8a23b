/** Blocks that the node's own user brings: what counts as announced. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createMempool } from '#mempool';
import type { BlockHash } from '#primitives';
import { nullLogger } from '#util';
import { createInlineVerifier } from '#verify';
import { createLocal } from '../../../src/node/local.ts';
import { createChainBuilder, regtest } from '../../support/chain-builder.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { openTestChain } from '../../support/test-chain.ts';

it('a block that waits for one before it does not count as announced; it may become the tip later', async () => {
  const params = await regtest();
  const [first, second] = createChainBuilder(params).mineMany(2);
  assert.ok(first !== undefined && second !== undefined);
  const chain = await openTestChain(params);
  await using mempool = createMempool({
    chain,
    verifier: createInlineVerifier(),
    clock: createManualClock(),
    log: nullLogger,
  });
  const marked = new Set<BlockHash>();
  const announced: BlockHash[] = [];
  const origins = new Map<BlockHash, string>();
  const local = createLocal({
    chain,
    mempool,
    net: { publish: async () => 0 },
    ingest: {
      markAnnounced: (hash) => !marked.has(hash) && marked.add(hash).size > 0,
      unmarkAnnounced: (hash) => void marked.delete(hash),
    },
    announcer: { hold: () => 0 },
    blocks: { ownBlock: async ({ hash }) => void announced.push(hash), unannounced: () => [] },
    origins: { note: (hash, origin) => origins.set(hash, origin) },
    log: nullLogger,
    signal: new AbortController().signal,
    clock: createManualClock(),
    template: () => assert.fail(),
    onTip: () => () => {},
    mayMine: () => false,
    miners: new AsyncDisposableStack(),
  });
  chain.submitHeaders([first.header]);
  assert.deepEqual(await local.submitBlock(second.raw), { kind: 'accepted' });
  assert.deepEqual([[...marked], announced], [[], []]);
  assert.deepEqual(await local.submitBlock(first.raw), { kind: 'accepted' });
  assert.deepEqual([[...marked], announced], [[first.hash], [first.hash]]);
  assert.equal(origins.get(first.hash), 'own');
  assert.deepEqual(await local.submitBlock(first.raw), { kind: 'duplicate' });
  assert.deepEqual([...marked], [first.hash], 'what was announced before stays so');
});
