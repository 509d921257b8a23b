/** What an answer must hold to count as one, and what is charged if it does not. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ResponseFrame } from '#net';
import { streams } from '#protocol';
import { createRequests } from '../../../src/node/requests.ts';
import { coinbase, genesisHash } from '../protocol/vectors.ts';

const { signal } = new AbortController();

/** Asks for two transactions of a block; `frame` is the answer. */
function askBlockTxs(frame: ResponseFrame) {
  const charged: string[] = [];
  const requests = createRequests({
    request: async function* (peer, name, bytes) {
      assert.deepEqual([peer, name], ['peer', 'blocktxn']);
      assert.deepEqual(streams.blocktxn.request.decode(bytes), { hash: genesisHash, indexes: [2, 5] });
      yield frame;
    },
    charge: (peer, offence) => charged.push(`${peer} ${offence}`),
  });
  return { answer: requests.blockTxs('peer', genesisHash, [2, 5], signal), charged };
}

const withTxs = (count: number): ResponseFrame => ({
  status: 0,
  payload: streams.blocktxn.response.encode(new Array(count).fill(coinbase)),
});
const without = (status: ResponseFrame['status']): ResponseFrame => ({ status, payload: new Uint8Array(0) });

describe('a request for transactions of a block', () => {
  it('gives as many as asked', async () => {
    const { answer, charged } = askBlockTxs(withTxs(2));
    assert.deepEqual(
      (await answer)?.map((tx) => tx.txid),
      [coinbase.txid, coinbase.txid],
    );
    assert.deepEqual(charged, []);
  });

  it('charges another number of them (READ_STATUS_INVALID), and bytes that are none', async () => {
    for (const count of [0, 1, 3]) {
      const { answer, charged } = askBlockTxs(withTxs(count));
      await assert.rejects(answer, /transactions instead of 2/);
      assert.deepEqual(charged, ['peer wrong-response'], `${count}`);
    }
    const { answer, charged } = askBlockTxs({ status: 0, payload: Uint8Array.of(1, 2) });
    await assert.rejects(answer);
    assert.deepEqual(charged, ['peer undecodable-message']);
  });

  it('blames nobody who does not have the block or is busy', async () => {
    const missing = askBlockTxs(without(3));
    assert.equal(await missing.answer, undefined);
    const busy = askBlockTxs(without(4));
    await assert.rejects(busy.answer, /busy/);
    assert.deepEqual([...missing.charged, ...busy.charged], []);
  });
});
