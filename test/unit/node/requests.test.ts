import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { ResponseFrame } from '#net';
import type { Transaction } from '#primitives';
import { streams } from '#protocol';
import type { TxRef } from '#relay';
import { createRequests, type Requests } from '../../../src/node/requests.ts';
import { createChainBuilder, regtest } from '../../support/chain-builder.ts';

const NOTHING = new Uint8Array(0);
const builder = createChainBuilder(regtest());
const txs = builder.mineMany(3).flatMap((block) => block.transactions);

let frames: ResponseFrame[];
let charged: string[];
let requests: Requests;
beforeEach(() => {
  [frames, charged] = [[], []];
  requests = createRequests({
    charge: (_, offence) => charged.push(offence),
    request: async function* () {
      yield* frames;
    },
  });
});

const ok = (tx: Transaction): ResponseFrame => ({ status: 0, payload: streams.txs.response.encode(tx) });
const refs: readonly TxRef[] = txs.map(({ txid, wtxid }, at) =>
  at === 0 ? { kind: 'txid', id: txid } : { kind: 'wtxid', id: wtxid },
);

async function ask(): Promise<(string | undefined)[]> {
  const answers: (string | undefined)[] = [];
  for await (const { tx } of requests.transactions('peer', refs, new AbortController().signal)) answers.push(tx?.wtxid);
  return answers;
}

describe('requests for transactions', () => {
  it('give what was asked in its order, by txid or wtxid, and what the peer has not', async () => {
    const [first, , third] = txs;
    assert.ok(first && third);
    frames = [ok(first), { status: 3, payload: NOTHING }, ok(third)];
    assert.deepEqual(await ask(), [first.wtxid, undefined, third.wtxid]);
    frames = [ok(first)];
    assert.deepEqual(await ask(), [first.wtxid], 'may end early');
    assert.deepEqual(charged, []);
  });

  it('fail without blame when the peer is busy', async () => {
    frames = [{ status: 4, payload: NOTHING }];
    await assert.rejects(ask(), /busy/);
    assert.deepEqual(charged, []);
  });

  it('fail and charge for another transaction, or for none at all', async () => {
    const [, second] = txs;
    assert.ok(second);
    frames = [ok(second)];
    await assert.rejects(ask(), /another transaction/);
    frames = [{ status: 0, payload: Uint8Array.of(1, 2, 3) }];
    await assert.rejects(ask());
    assert.deepEqual(charged, ['wrong-response', 'undecodable-message']);
  });

  it('fail for more than was asked', async () => {
    frames = [...txs, ...txs.slice(0, 1)].map(ok);
    await assert.rejects(ask(), /more transactions than asked/);
  });
});
