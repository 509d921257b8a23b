/** In which form blocks are announced, and which transactions go with them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Transaction } from '#primitives';
import { bareHeader, topics } from '#protocol';
import { seededRandom } from '#util';
import { BlockAnnouncer } from '../../../src/node/block-announcer.ts';
import { CompactForms } from '../../../src/node/compact-forms.ts';
import { blockOf, numberedTx } from '../../support/numbered-tx.ts';
import { coinbase } from '../protocol/vectors.ts';

const { codec } = topics.block;
const txs = Array.from({ length: 200 }, (_, n) => numberedTx(n));

function createAnnouncer(sentTo: readonly number[] = [], mempool: readonly Transaction[] = []) {
  const sent: Uint8Array[] = [];
  const random = seededRandom(1);
  const announcer = new BlockAnnouncer({
    mempool: {
      has: (id) => mempool.some(({ txid, wtxid }) => txid === id || wtxid === id),
      unbroadcast: () => mempool.slice(0, 1).map(({ txid }) => txid),
    },
    announcer: { isWaiting: (id) => id === mempool[1]?.wtxid },
    forms: new CompactForms({ random, prefills: true }),
    publish: async (topic, data) => {
      assert.equal(topic, 'block');
      sent.push(data);
      return sentTo[sent.length - 1] ?? 1;
    },
    random,
  });
  return { announcer, sent };
}

describe('announcing blocks', () => {
  it('sends the compact form of a small block, with what peers may lack', async () => {
    const block = blockOf([coinbase, ...txs.slice(0, 5)]);
    const { announcer, sent } = createAnnouncer([], txs.slice(0, 4));
    const unannounced = announcer.unannounced(block);
    assert.deepEqual(unannounced, [1, 2, 5], 'not broadcast, not announced yet, not in the mempool');
    await announcer.ownBlock(block, unannounced);
    const [compact] = sent.map((data) => codec.decode(data));
    assert.deepEqual(
      compact?.prefilled.map(({ index }) => index),
      [0, 1, 2, 5],
    );
  });

  it('sends the bare header of any other, the same from every node', async () => {
    const block = blockOf([coinbase, ...txs]);
    const { announcer, sent } = createAnnouncer([], txs);
    await announcer.ownBlock(block, []);
    assert.deepEqual(sent, [codec.encode(bareHeader(block.header))]);
    assert.equal(sent[0]?.length, 90);
  });

  it('sends another message of a tip whose header gossip has seen before', async () => {
    const { header } = blockOf([coinbase]);
    const fresh = createAnnouncer([2]);
    await fresh.announcer.tip(header);
    assert.deepEqual(fresh.sent, [codec.encode(bareHeader(header))]);
    const seen = createAnnouncer([0, 2]);
    await seen.announcer.tip(header);
    assert.equal(seen.sent.length, 2);
    assert.equal(codec.decode(seen.sent[1] ?? new Uint8Array(0)).header.hash, header.hash);
    assert.notDeepEqual(seen.sent[0], seen.sent[1]);
  });
});
