/**
 * A node syncs beside peers that are slow, fall silent, or lie about bodies under true headers: it reaches the tip, and
 * bans who lied, for what the lie was, and nobody else. The times that this takes are `npm run bench -- hostile`.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createChainBuilder, regtest } from '../support/chain-builder.ts';
import { createProcesses } from '../support/processes.ts';
import { writeChain } from '../support/sample-chain.ts';
import {
  corrupting,
  corruptTransaction,
  corruptWitness,
  silentAfter,
  startServingPeer,
} from '../support/serving-peer.ts';
import { openTestChain } from '../support/test-chain.ts';
import { startThrottledProxy } from '../support/throttled-proxy.ts';

const BLOCKS = 200;
const SLOW_BYTES_PER_SECOND = 50_000;
const SERVED_BEFORE_SILENCE = 10;

test('slow and silent peers hold up no sync and are not banned for it; liars are', async (t) => {
  await using stack = new AsyncDisposableStack();
  const nodes = await createProcesses(t, { network: 'regtest' });
  const builder = createChainBuilder(regtest());
  // A megabyte: twenty seconds of the slow line.
  builder.mineMany(BLOCKS, { commitWitness: true, coinbaseScript: new Uint8Array(5_000) });
  const { file, tip } = await writeChain(join(nodes.folder, 'chain.dat'), builder);
  await nodes.import('good', file);
  const chain = stack.use(await openTestChain(builder.params));
  for (const block of builder.blocks) await chain.submitBlock(block);

  const slow = stack.use(await startServingPeer(chain));
  const line = stack.use(await startThrottledProxy(slow.address, SLOW_BYTES_PER_SECOND));
  const silent = stack.use(await startServingPeer(chain, { twist: silentAfter(SERVED_BEFORE_SILENCE) }));
  const liar = stack.use(await startServingPeer(chain, { twist: corrupting(corruptTransaction) }));
  const witnessLiar = stack.use(await startServingPeer(chain, { twist: corrupting(corruptWitness) }));
  // Not by --connect: peers that the operator asked for are never banned.
  const told = [line, silent, liar, witnessLiar].flatMap(({ address }) => ['--bootstrap', address]);
  const victim = nodes.start('victim', ...told);
  // The good one comes late, so that all others are asked.
  await victim.until(() => victim.banned.size === 2 && victim.peers.has(silent.id) && victim.peers.has(slow.id));
  const good = nodes.start('good', '--connect', await victim.address());
  await victim.untilTip(tip);

  assert.ok(line.bytes() > 0, 'the slow peer was met by its slow line');
  assert.deepEqual(
    [...victim.banned].sort(),
    [
      [liar.id, 'bad-txnmrklroot'],
      [witnessLiar.id, 'bad-witness-merkle-match'],
    ].sort(),
  );
  await Promise.all([victim.stop(), good.stop()]);
  assert.deepEqual(await nodes.info('victim'), await nodes.info('good'));
});
