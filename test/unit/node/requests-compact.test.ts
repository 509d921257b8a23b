/** What counts as an answer to a request for a compact form, and what is charged if it does not. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ResponseFrame } from '#net';
import { buildCompactBlock, streams } from '#protocol';
import { createRequests } from '../../../src/node/requests.ts';
import { blockOf, numberedTx } from '../../support/numbered-tx.ts';

const [block, other] = [blockOf([numberedTx(0), numberedTx(1)]), blockOf([numberedTx(2)])];
const formOf = (of: typeof block) => streams.compact.response.encode(buildCompactBlock(of, 1n));

function ask(frame: ResponseFrame) {
  const charged: string[] = [];
  const requests = createRequests({
    request: async function* (peer, name, bytes) {
      assert.deepEqual([peer, name], ['peer', 'compact']);
      assert.equal(streams.compact.request.decode(bytes), block.hash);
      yield frame;
    },
    charge: (peer, offence) => charged.push(`${peer} ${offence}`),
  });
  return { answer: requests.compact('peer', block.hash, new AbortController().signal), charged };
}

describe('a request for a compact form', () => {
  it('gives the form, or nothing where the peer does not have the block', async () => {
    const good = ask({ status: 0, payload: formOf(block) });
    assert.equal((await good.answer)?.header.hash, block.hash);
    const none = ask({ status: 3, payload: new Uint8Array(0) });
    assert.equal(await none.answer, undefined);
    assert.deepEqual([...good.charged, ...none.charged], []);
  });

  it('charges another block than asked, and bytes that are none', async () => {
    const wrong = ask({ status: 0, payload: formOf(other) });
    await assert.rejects(wrong.answer, /another block/);
    assert.deepEqual(wrong.charged, ['peer wrong-response']);
    const garbage = ask({ status: 0, payload: Uint8Array.of(1) });
    await assert.rejects(garbage.answer);
    assert.deepEqual(garbage.charged, ['peer undecodable-message']);
  });
});
