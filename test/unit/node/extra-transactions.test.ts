/** Transactions that the mempool does not hold: which are kept, how many, and who leaves. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Mempool, MempoolVerdict } from '#mempool';
import { Transaction } from '#primitives';
import { concatBytes } from '#util';
import { ExtraTransactions, keepRemoved, keepSubmitted } from '../../../src/node/extra-transactions.ts';
import { numberedTx } from '../../support/numbered-tx.ts';

const kept = (extra: ExtraTransactions): number[] =>
  Array.from(extra.transactions(), ({ raw }) => Transaction.fromBytes(raw).inputs[0]?.prevIndex ?? -1);

describe('extra transactions', () => {
  it('keep a number of them, the oldest leave first', () => {
    const extra = new ExtraTransactions(3, 1_000_000);
    for (const n of [2, 4, 6, 2, 8]) extra.add(numberedTx(n));
    assert.deepEqual(kept(extra), [4, 6, 8]);
    assert.equal(extra.size, 3);
    assert.equal(extra.bytes, 3 * numberedTx(2).size);
  });

  it('keep a number of bytes', () => {
    const { size } = numberedTx(2, 500);
    const extra = new ExtraTransactions(1000, 2 * size);
    for (const n of [2, 4, 6]) extra.add(numberedTx(n, 500));
    assert.deepEqual(kept(extra), [4, 6]);
    extra.add(numberedTx(8));
    assert.deepEqual(kept(extra), [6, 8]);
    assert.equal(extra.bytes, size + numberedTx(8).size);
  });

  it('keep no single large one', () => {
    const extra = new ExtraTransactions();
    const most = 100_000 - numberedTx(2).size - 3;
    extra.add(numberedTx(2, most + 2));
    assert.equal(extra.size, 0);
    extra.add(numberedTx(4, most));
    assert.equal(extra.size, 1);
  });

  it('copy what is part of a larger message', () => {
    const extra = new ExtraTransactions();
    const message = concatBytes(numberedTx(1).raw, new Uint8Array(10_000));
    extra.add(Transaction.fromBytes(message.subarray(0, numberedTx(1).size)));
    const [tx] = extra.transactions();
    assert.equal(tx?.raw.buffer.byteLength, numberedTx(1).size);
  });

  it('are what the mempool refused for now, not what it took or what is invalid', async () => {
    const verdicts: readonly [MempoolVerdict, boolean][] = [
      [{ kind: 'accepted', fee: 1n, vsize: 1 }, false],
      [{ kind: 'duplicate', code: 'txn-already-in-mempool' }, false],
      [{ kind: 'missing-inputs', parents: [] }, true],
      [{ kind: 'policy', code: 'dust' }, true],
      [{ kind: 'consensus', failure: { kind: 'consensus', code: 'bad-txns-inputs-duplicate' } }, false],
      [{ kind: 'unavailable', reason: 'full' }, false],
    ];
    for (const [verdict, isKept] of verdicts) {
      const extra = new ExtraTransactions();
      const submit = keepSubmitted(async () => verdict, extra);
      assert.equal(await submit(numberedTx(1), 'peer'), verdict);
      assert.equal(extra.size, isKept ? 1 : 0, verdict.kind);
    }
  });

  it('are what waits for the mempool, until it decides', async () => {
    const extra = new ExtraTransactions();
    const { promise, resolve } = Promise.withResolvers<MempoolVerdict>();
    const submit = keepSubmitted(() => promise, extra);
    const [first, second] = [submit(numberedTx(1), 'peer'), submit(numberedTx(2), 'other')];
    assert.deepEqual(kept(extra), [1, 2]);
    resolve({ kind: 'accepted', fee: 1n, vsize: 1 });
    await Promise.all([first, second]);
    assert.deepEqual(kept(extra), []);
  });

  it('are what left the mempool and could still be mined', () => {
    const extra = new ExtraTransactions();
    let observer: Parameters<Mempool['observe']>[0] = {};
    const observe: Mempool['observe'] = (given) => {
      observer = given;
    };
    keepRemoved({ observe }, extra);
    const reasons = ['expiry', 'sizelimit', 'reorg', 'block', 'conflict', 'replaced'] as const;
    reasons.forEach((reason, at) => {
      const tx = numberedTx(at);
      const { txid, wtxid, size, raw } = tx;
      observer.left?.({ txid, wtxid, size, raw, tx, fee: 0n, vsize: 1, parents: new Set() }, reason, at);
    });
    assert.deepEqual(kept(extra), [0, 1, 5]);
  });
});
