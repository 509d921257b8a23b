import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { ChainChange, HeaderEntry } from '#chain';
import { failure } from '#consensus';
import type { MempoolVerdict } from '#mempool';
import type { Block, Transaction } from '#primitives';
import { type TxBatch, TxDownload, type TxFate, type TxRef } from '#relay';
import { seededRandom } from '#util';
import { createChainBuilder, regtest } from '../../support/chain-builder.ts';
import { outputOf, pay, rawTx } from '../../support/tx-builder.ts';
import { family, orphanTx, parentsOf, strangeCoin } from './orphan-txs.ts';

const ACCEPTED: MempoolVerdict = { kind: 'accepted', fee: 1_000n, vsize: 100 };
const policy = (code: string): MempoolVerdict => ({ kind: 'policy', code });
const missing = (tx: Transaction): MempoolVerdict => ({ kind: 'missing-inputs', parents: parentsOf(tx) });
const byTxid = ({ txid }: Transaction): TxRef => ({ kind: 'txid', id: txid });
const byWtxid = ({ wtxid }: Transaction): TxRef => ({ kind: 'wtxid', id: wtxid });

let inMempool: Set<string>;
let download: TxDownload;
beforeEach(() => {
  inMempool = new Set();
  batches = new Map();
  const mempool = { has: (id: string) => inMempool.has(id) };
  download = new TxDownload({ mempool, random: seededRandom(1), requestTimeoutMs: 30_000 });
  for (const peer of ['out', 'out2', 'in']) download.connected(peer, peer.startsWith('out'));
});

const judge = (tx: Transaction, verdict: MempoolVerdict, peer = 'out', nowMs = 0): TxFate =>
  download.judged(tx, peer, verdict, nowMs);
const known = (tx: Transaction): { txid: boolean; wtxid: boolean } => ({
  txid: download.isKnown(byTxid(tx)),
  wtxid: download.isKnown(byWtxid(tx)),
});
/** The last batch of each peer. */
let batches: Map<string, TxBatch>;
function asked(nowMs: number): Record<string, readonly string[]> {
  const taken = download.takeBatches(nowMs);
  for (const batch of taken) batches.set(batch.peer, batch);
  return Object.fromEntries(taken.map(({ peer, refs }) => [peer, refs.map((ref) => `${ref.kind} ${ref.id}`)]));
}
function end(peer: string, result: 'ended' | 'failed' = 'ended'): void {
  const batch = batches.get(peer);
  assert.ok(batch, `${peer} was asked`);
  download.batchEnded(batch, result);
}
function change(connected: readonly Block[], disconnected: readonly Block[] = []): ChainChange {
  const entry = {} as HeaderEntry;
  const entries = (blocks: readonly Block[]) => blocks.map((block) => ({ entry, block }));
  return { connected: entries(connected), disconnected: entries(disconnected), tip: entry, isSettled: true };
}

describe('what is known of a transaction', () => {
  it('is nothing at first, and then that the mempool, a recent block or the orphanage has it', () => {
    const [pooled, confirmed, orphan] = [orphanTx(), orphanTx({ weight: 1_000 }), orphanTx({ weight: 1_000 })];
    for (const tx of [pooled, confirmed, orphan]) assert.deepEqual(known(tx), { txid: false, wtxid: false });
    inMempool.add(pooled.txid).add(pooled.wtxid);
    download.chainChanged(change([createChainBuilder(regtest()).build({ transactions: [confirmed] })]));
    judge(orphan, missing(orphan));
    for (const tx of [pooled, confirmed]) assert.deepEqual(known(tx), { txid: true, wtxid: true });
    assert.deepEqual(known(orphan), { txid: false, wtxid: true }, 'another witness may be the right one');
  });

  it('is a refusal of this witness, until the tip changes', () => {
    const verdicts: readonly MempoolVerdict[] = [
      policy('dust'),
      policy('non-mandatory-script-verify-flag (x)'),
      { kind: 'duplicate', code: 'txn-same-nonwitness-data-in-mempool' },
      { kind: 'consensus', failure: failure('consensus', 'bad-txns-in-belowout') },
    ];
    for (const verdict of verdicts) {
      const tx = orphanTx({ weight: 1_000 });
      assert.equal(judge(tx, verdict), 'refused');
      assert.deepEqual(known(tx), { txid: false, wtxid: true });
      download.chainChanged(change([]));
      assert.deepEqual(known(tx), { txid: false, wtxid: false });
    }
  });

  it('covers the txid when no witness could have helped', () => {
    const tx = orphanTx({ weight: 1_000 });
    judge(tx, policy('bad-txns-nonstandard-inputs'));
    assert.deepEqual(known(tx), { txid: true, wtxid: true });
  });

  it('does not come from a copy without the witness', () => {
    const stripped = orphanTx();
    judge(stripped, policy('mandatory-script-verify-flag-failed (x)'));
    assert.deepEqual(known(stripped), { txid: false, wtxid: false }, 'its wtxid is the txid of the real one');
    judge(stripped, policy('dust'));
    assert.deepEqual(known(stripped), { txid: true, wtxid: true }, 'that is not about the witness');
  });

  it('does not come from a second copy of what the mempool has', () => {
    const tx = orphanTx();
    inMempool.add(tx.txid);
    judge(tx, { kind: 'duplicate', code: 'txn-already-in-mempool' });
    inMempool.clear();
    assert.deepEqual(known(tx), { txid: false, wtxid: false });
  });

  it('is not what was not looked at', () => {
    const tx = orphanTx();
    assert.equal(judge(tx, { kind: 'unavailable', reason: 'busy' }), 'refused');
    assert.deepEqual(known(tx), { txid: false, wtxid: false });
  });

  it('is forgotten of blocks that are disconnected', () => {
    const tx = orphanTx();
    const block = createChainBuilder(regtest()).build({ transactions: [tx] });
    download.chainChanged(change([block]));
    download.chainChanged(change([]));
    assert.ok(known(tx).txid);
    download.chainChanged(change([], [block]));
    assert.ok(!known(tx).txid);
  });
});

describe('the parents of an orphan', () => {
  it('are asked for by txid of all who have the orphan', () => {
    const { parent, child } = family();
    for (const peer of ['out', 'out2', 'in']) download.announced(peer, child.wtxid, 0);
    const [first] = Object.keys(asked(0));
    assert.ok(first === 'out' || first === 'out2');
    download.received(first, child);
    assert.equal(judge(child, missing(child), first), 'orphan');
    end(first);
    assert.deepEqual(asked(1_999), {}, 'gossip may bring it');
    const sources: string[] = [];
    for (let nowMs = 2_000; nowMs <= 4_000; nowMs += 1_000) {
      for (const [peer, ids] of Object.entries(asked(nowMs))) {
        assert.deepEqual(ids, [`txid ${parent.txid}`]);
        sources.push(peer);
        download.notFound(peer, byTxid(parent));
        end(peer);
      }
    }
    assert.deepEqual(sources.sort(), ['in', 'out', 'out2']);
    assert.deepEqual(asked(60_000), {}, 'nobody is left');
  });

  it('are asked for of a peer that says later that it has the orphan', () => {
    const { parent, child } = family();
    judge(child, missing(child), 'out');
    assert.deepEqual(asked(2_000), { out: [`txid ${parent.txid}`] });
    end('out', 'failed');
    assert.deepEqual(asked(10_000), {});
    assert.ok(download.heard('out2', child.wtxid, 10_000));
    assert.deepEqual(asked(12_000), { out2: [`txid ${parent.txid}`] });
  });

  it('are asked for, the orphan itself not any more', () => {
    const { child } = family();
    const grandchild = orphanTx({ coins: [outputOf(child)] });
    judge(grandchild, missing(grandchild), 'in');
    download.announced('out2', child.wtxid, 0);
    judge(child, missing(child));
    assert.deepEqual(download.stats(), { wanted: 1, orphans: 2 });
  });

  it('are not asked for when they are known, or of peers that left', () => {
    const [pooled, other] = [orphanTx(), orphanTx()];
    const child = orphanTx({ coins: [outputOf(pooled), outputOf(other)] });
    inMempool.add(pooled.txid);
    judge(child, missing(child));
    assert.deepEqual(asked(2_000), { out: [`txid ${other.txid}`] });
    const late = orphanTx();
    assert.equal(judge(late, missing(late), 'gone'), 'refused');
    assert.deepEqual(known(late), { txid: false, wtxid: false });
  });

  it('bring it back when they are accepted, and their children in turn', () => {
    const { parent, child } = family();
    const grandchild = orphanTx({ coins: [outputOf(child)] });
    for (const tx of [grandchild, child]) judge(tx, missing(tx));
    assert.equal(download.takeOrphan(0), undefined);
    assert.equal(judge(parent, ACCEPTED), 'accepted');
    const next = download.takeOrphan(0);
    assert.deepEqual([next?.tx.wtxid, next?.peer], [child.wtxid, 'out']);
    assert.equal(download.takeOrphan(0), undefined);
    assert.equal(judge(child, ACCEPTED), 'accepted');
    assert.equal(download.takeOrphan(0)?.tx.wtxid, grandchild.wtxid);
    judge(grandchild, policy('dust'));
    assert.deepEqual(download.stats(), { wanted: 0, orphans: 0 });
  });

  it('let it wait on when only one of them came', () => {
    const [first, second] = [orphanTx(), orphanTx()];
    const child = orphanTx({ coins: [outputOf(first), outputOf(second)] });
    judge(child, missing(child));
    judge(first, ACCEPTED);
    inMempool.add(first.txid);
    assert.ok(download.takeOrphan(0));
    assert.equal(judge(child, { kind: 'missing-inputs', parents: [second.txid] }), 'orphan');
    judge(second, ACCEPTED);
    assert.equal(download.takeOrphan(0)?.tx.wtxid, child.wtxid);
  });

  it('bring it back when they came while it was judged', () => {
    const { parent, child } = family();
    inMempool.add(parent.txid);
    assert.equal(judge(child, missing(child)), 'orphan');
    assert.equal(download.takeOrphan(0)?.tx.wtxid, child.wtxid);
  });

  it('rejected, end it with any witness', () => {
    const parent = orphanTx();
    judge(parent, policy('dust'));
    const child = orphanTx({ coins: [outputOf(parent)], weight: 1_000 });
    assert.equal(judge(child, missing(child)), 'refused');
    assert.deepEqual(known(child), { txid: true, wtxid: true });
    assert.deepEqual(download.stats(), { wanted: 0, orphans: 0 });
  });

  it('rejected with one witness, may come with another', () => {
    const parent = orphanTx({ weight: 1_000 });
    judge(parent, policy('dust'));
    const child = orphanTx({ coins: [outputOf(parent)] });
    assert.equal(judge(child, missing(child)), 'orphan');
    assert.deepEqual(asked(2_000), { out: [`txid ${parent.txid}`] });
  });

  it('in a block, bring it back too', () => {
    const { parent, child } = family();
    judge(child, missing(child));
    download.chainChanged(change([createChainBuilder(regtest()).build({ transactions: [parent] })]));
    assert.equal(download.takeOrphan(0)?.tx.wtxid, child.wtxid);
    assert.equal(download.stats().wanted, 0, 'and are not wanted any more');
  });

  it('do not matter when a block has it, or spends what it spends', () => {
    const coin = strangeCoin();
    const [included, conflicting] = [orphanTx(), orphanTx({ coins: [coin] })];
    for (const tx of [included, conflicting]) judge(tx, missing(tx));
    const transactions = [included, rawTx([{ coin }], [pay(1n)])];
    download.chainChanged(change([createChainBuilder(regtest()).build({ transactions })]));
    assert.equal(download.stats().orphans, 0);
  });

  it('are not looked for after twenty minutes', () => {
    const { parent, child } = family();
    judge(child, missing(child));
    judge(parent, ACCEPTED);
    assert.equal(download.takeOrphan(20 * 60_000), undefined);
  });
});

describe('announcements', () => {
  it('lead to nothing once the transaction is decided', () => {
    for (const verdict of [ACCEPTED, policy('dust'), { kind: 'unavailable', reason: 'busy' }] as const) {
      const tx = orphanTx({ weight: 1_000 });
      for (const peer of ['out', 'out2']) download.announced(peer, tx.wtxid, 0);
      assert.ok(download.isPending(tx.wtxid));
      judge(tx, verdict);
      assert.ok(!download.isPending(tx.wtxid));
      assert.deepEqual(asked(0), {});
    }
  });

  it('of the real transaction outlive a copy without the witness', () => {
    const stripped = orphanTx();
    download.announced('in', stripped.wtxid, 0);
    download.received('out', stripped);
    judge(stripped, policy('mandatory-script-verify-flag-failed (x)'));
    assert.deepEqual(asked(2_000), { in: [`wtxid ${stripped.wtxid}`] });
  });

  it('and orphans of a peer go with it', () => {
    const tx = orphanTx();
    download.announced('out', orphanTx().wtxid, 0);
    judge(tx, missing(tx), 'out');
    download.disconnected('out');
    assert.deepEqual(download.stats(), { wanted: 0, orphans: 0 });
    assert.equal(download.nextDueMs(), undefined);
  });

  it('are dropped at the request when the transaction has become known', () => {
    const tx = orphanTx();
    download.announced('out', tx.wtxid, 0);
    inMempool.add(tx.wtxid);
    assert.deepEqual(asked(0), {});
    assert.equal(download.stats().wanted, 0);
  });
});
