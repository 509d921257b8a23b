/** Blocks being rebuilt: how much is held, what becomes of what the chain says, what is counted. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BlockVerdict, HeaderEntry } from '#chain';
import type { ValidationFailure } from '#consensus';
import type { Transaction } from '#primitives';
import { buildCompactBlock } from '#protocol';
import { nullLogger, seededRandom } from '#util';
import { BlockRebuilder } from '../../../src/node/block-rebuilder.ts';
import { CompactForms } from '../../../src/node/compact-forms.ts';
import { HedgePace } from '../../../src/node/hedge-pace.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { blockOf, numberedTx } from '../../support/numbered-tx.ts';
import { coinbase } from '../protocol/vectors.ts';

function createRebuilder(verdict: BlockVerdict, mempool: readonly Transaction[] = [], extra: Transaction[] = []) {
  const said: string[] = [];
  const clock = createManualClock();
  const rebuilder = new BlockRebuilder({
    chain: {
      hasBlock: () => false,
      submitBlock: async (block) => {
        said.push(`submitted ${block.hash}`);
        return verdict;
      },
    },
    mempool: { entries: () => mempool.values() },
    extra: { transactions: () => extra.values() },
    sync: { blockWanted: (hash, peers) => said.push(`wanted ${hash} ${peers.join()}`) },
    charge: (peer, offence) => said.push(`charge ${peer} ${offence}`),
    forms: new CompactForms({ random: seededRandom(1), prefills: true }),
    fill: {
      requestCompact: () => Promise.reject(new Error('nobody has it')),
      requestBlockTxs: (peer, _hash, indexes) => {
        said.push(`asked ${peer} ${indexes.join()}`);
        return new Promise(() => {});
      },
      peers: () => [],
      pace: new HedgePace(),
      clock,
      random: seededRandom(1),
    },
    clock,
    log: nullLogger,
    onBlockDelay: (ms) => said.push(`delay ${ms}`),
    onOrigin: () => {},
    onFailure: (error) => said.push(`failure ${error}`),
  });
  return { rebuilder, clock, said };
}

const entry = {} as HeaderEntry;
const invalid = (kind: ValidationFailure['kind']): BlockVerdict => ({
  kind: 'invalid',
  failure: { kind, code: 'some-code' },
});

describe('blocks being rebuilt', () => {
  const block = blockOf([coinbase, numberedTx(1)]);
  const { hash } = block;
  const announcement = buildCompactBlock(block, 1n);

  it('are submitted and counted when the chain takes them', async () => {
    for (const kind of ['connected', 'stored'] as const) {
      const { rebuilder, clock, said } = createRebuilder({ kind, entry }, [numberedTx(1)]);
      await clock.advance(30);
      rebuilder.offer(announcement, 'a', 10);
      assert.equal((await rebuilder.rebuilt(hash))?.hash, hash);
      await clock.advance(0);
      assert.deepEqual(said, [`submitted ${hash}`, 'delay 20']);
      assert.deepEqual(rebuilder.stats, { withoutRoundTrip: 1, withRoundTrip: 0, whole: 0 });
      assert.equal((await rebuilder.rebuilt(hash))?.hash, hash, 'the last one stays');
    }
  });

  it('are not counted when the block came by another way meanwhile, or proves invalid', async () => {
    for (const verdict of [{ kind: 'duplicate', entry } as const, invalid('consensus')]) {
      const { rebuilder, clock, said } = createRebuilder(verdict, [numberedTx(1)]);
      rebuilder.offer(announcement, 'a', 0);
      await clock.advance(0);
      assert.deepEqual(said, [`submitted ${hash}`], 'nobody is blamed or asked');
      assert.deepEqual(rebuilder.stats, { withoutRoundTrip: 0, withRoundTrip: 0, whole: 0 });
    }
  });

  it('are fetched whole when witnesses are not those of the block', async () => {
    const { rebuilder, clock, said } = createRebuilder(invalid('mutated'), [numberedTx(1)]);
    rebuilder.offer(announcement, 'a', 0);
    await clock.advance(0);
    assert.deepEqual(said, [`submitted ${hash}`, `wanted ${hash} a`]);
    assert.equal(await rebuilder.rebuilt(hash), undefined, 'nor is it served any more');
  });

  it('use transactions of the extra pool as well', async () => {
    const { rebuilder, clock, said } = createRebuilder({ kind: 'connected', entry }, [], [numberedTx(1)]);
    rebuilder.offer(announcement, 'a', 0);
    await clock.advance(0);
    assert.deepEqual(said, [`submitted ${hash}`, 'delay 0']);
  });

  it('hold no more than their bytes together; the newest is left to sync', async () => {
    const large = Array.from({ length: 40 }, (_, n) => numberedTx(n, 98_000));
    const { rebuilder, clock, said } = createRebuilder({ kind: 'connected', entry }, large);
    const blocks = Array.from({ length: 5 }, (_, n) => blockOf([coinbase, ...large, numberedTx(1000 + n)]));
    for (const each of blocks) rebuilder.offer(buildCompactBlock(each, 1n), 'a', 0);
    assert.deepEqual(said, [...new Array(4).fill('asked a 41'), `wanted ${blocks[4]?.hash} a`]);
    await clock.advance(2000);
    rebuilder.offer(buildCompactBlock(blockOf([coinbase, ...large, numberedTx(2000)]), 1n), 'a', 0);
    assert.equal(said.at(-1), 'asked a 41', 'given up ones hold nothing');
  });

  it('end with the node, without asking anybody', async () => {
    const { rebuilder, clock, said } = createRebuilder({ kind: 'connected', entry });
    rebuilder.offer(announcement, 'a', 0);
    rebuilder.close();
    await clock.advance(5000);
    assert.deepEqual(said, ['asked a 1']);
    assert.equal(clock.pending(), 0);
  });
});
