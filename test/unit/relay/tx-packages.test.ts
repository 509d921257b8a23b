/** One parent and one child: what is remembered, fetched and tried together. With a real mempool where one decides. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { ChainChange, HeaderEntry } from '#chain';
import type { MempoolVerdict, PackageVerdict } from '#mempool';
import { Transaction } from '#primitives';
import { TxDownload, type TxFate, type TxPackage } from '#relay';
import { seededRandom } from '#util';
import { outputOf, type TestCoin } from '../../support/tx-builder.ts';
import { fund, raiseMinimum, type Shape, spend } from '../mempool/fixed-size.ts';
import { createHarness, type Harness } from '../mempool/harness.ts';
import { family, orphanTx, parentsOf } from './orphan-txs.ts';

const PEERS = ['a', 'b', 'c'];
const REQUEST_DELAY_MS = 2_000;
const TOO_LITTLE: MempoolVerdict = { kind: 'policy', code: 'min relay fee not met', reconsiderable: true };
const FAILED: PackageVerdict = { failure: { code: 'transaction failed' } };
const BUSY: MempoolVerdict = { kind: 'unavailable', reason: 'busy' };
const missing = (tx: Transaction): MempoolVerdict => ({ kind: 'missing-inputs', parents: parentsOf(tx) });
const NEW_TIP: ChainChange = { connected: [], disconnected: [], tip: {} as HeaderEntry, isSettled: true };

function createDownload(mempool: ConstructorParameters<typeof TxDownload>[0]['mempool'], seed = 1): TxDownload {
  const download = new TxDownload({ mempool, random: seededRandom(seed), requestTimeoutMs: 30_000 });
  for (const peer of PEERS) download.connected(peer, true);
  return download;
}

/** What is asked, as `peer id`. */
function asked(download: TxDownload, nowMs: number): string[] {
  return download.takeBatches(nowMs).flatMap((batch) => {
    download.batchEnded(batch, 'ended');
    return batch.refs.map(({ id }) => `${batch.peer} ${id}`);
  });
}

describe('a parent refused for its fee', () => {
  let download: TxDownload;
  let inMempool: Set<string>;
  beforeEach(() => {
    inMempool = new Set();
    download = createDownload({ has: (id) => inMempool.has(id) });
  });
  const judge = (tx: Transaction, verdict: MempoolVerdict, peer = 'a'): TxFate => download.judged(tx, peer, verdict, 0);
  const wait = (tx: Transaction, ...peers: string[]): void => {
    for (const peer of peers) assert.equal(judge(tx, missing(tx), peer), 'orphan');
  };
  const refuse = (parent: Transaction, peer = 'a'): TxPackage | undefined => {
    download.received(peer, parent);
    assert.equal(judge(parent, TOO_LITTLE, peer), 'refused');
    return download.findPackage(parent, peer);
  };

  it('is known until the tip changes: neither submitted nor fetched for itself', () => {
    const parent = orphanTx({ weight: 1_000 });
    assert.ok(!download.isReconsiderable(parent));
    refuse(parent);
    assert.ok(download.isReconsiderable(parent));
    assert.ok(download.heard('b', parent.wtxid, 0));
    assert.ok(!download.isKnown({ kind: 'txid', id: parent.txid }), 'another witness may pay more by size');
    download.chainChanged(NEW_TIP);
    assert.ok(!download.isReconsiderable(parent) && !download.heard('b', parent.wtxid, 0));
  });

  it('leads to no package where the fee was not all that was wrong', () => {
    const { parent, child } = family();
    wait(child, 'a');
    judge(parent, { kind: 'policy', code: 'dust' });
    assert.equal(download.findPackage(parent, 'a'), undefined);
  });

  it('is fetched again for a child that comes later, with its one id and with two', () => {
    for (const weight of [undefined, 1_000]) {
      const parent = orphanTx(weight === undefined ? {} : { weight });
      refuse(parent, 'a');
      const child = orphanTx({ coins: [outputOf(parent)] });
      wait(child, 'b');
      assert.deepEqual(asked(download, REQUEST_DELAY_MS), [`b ${parent.txid}`]);
      assert.equal(download.findPackage(parent, 'b')?.child.wtxid, child.wtxid);
      download.judged(parent, 'b', { kind: 'accepted', fee: 0n, vsize: 100 }, 0);
    }
  });

  it('is still asked of who sent the child when another peer brings it', () => {
    for (const weight of [undefined, 1_000]) {
      download = createDownload({ has: () => false });
      const parent = orphanTx(weight === undefined ? {} : { weight });
      wait(orphanTx({ coins: [outputOf(parent)] }), 'b');
      refuse(parent, 'a');
      assert.deepEqual(asked(download, REQUEST_DELAY_MS), [`b ${parent.txid}`]);
    }
  });

  it('is not asked of announcers any more where no child waits', () => {
    const parent = orphanTx();
    download.announced('b', parent.wtxid, 0);
    refuse(parent, 'a');
    assert.deepEqual(asked(download, REQUEST_DELAY_MS), []);
  });

  it('is tried with the newest child of its sender that has not failed with it', () => {
    const parent = orphanTx({ weight: 1_000 });
    const children = [400, 500, 600].map((weight) => orphanTx({ coins: [outputOf(parent)], weight }));
    const [first, second, ofOther] = children;
    assert.ok(first && second && ofOther);
    wait(first, 'a');
    wait(second, 'a', 'b');
    wait(ofOther, 'b');
    const pair = refuse(parent, 'a');
    assert.ok(pair);
    assert.deepEqual([pair.child.wtxid, pair.childFrom, pair.parentFrom], [second.wtxid, 'a', 'a']);
    assert.deepEqual(download.packageJudged(pair, FAILED, 0), { parent: 'refused', child: 'orphan' });
    const next = download.findPackage(parent, 'a');
    assert.ok(next);
    assert.equal(next.child.wtxid, first.wtxid);
    download.packageJudged(next, FAILED, 0);
    const last = download.findPackage(parent, 'a');
    assert.ok(last);
    assert.deepEqual([last.child.wtxid, last.childFrom], [ofOther.wtxid, 'b'], 'better than none');
    download.packageJudged(last, FAILED, 0);
    assert.equal(download.findPackage(parent, 'b'), undefined);
    download.chainChanged(NEW_TIP);
    refuse(parent, 'b');
    assert.ok(download.findPackage(parent, 'b'), 'another tip, another chance');
  });

  it('gives every other peer with children the same chance, however many it has', () => {
    const chosen = new Set<string>();
    for (let seed = 1; seed <= 20; seed++) {
      download = createDownload({ has: () => false }, seed);
      const parent = orphanTx({ weight: 1_000 });
      for (let weight = 400; weight < 450; weight++) wait(orphanTx({ coins: [outputOf(parent)], weight }), 'b');
      wait(orphanTx({ coins: [outputOf(parent)] }), 'c');
      chosen.add(refuse(parent, 'a')?.childFrom ?? '');
    }
    assert.deepEqual([...chosen].sort(), ['b', 'c']);
  });

  it('is the only one that a child may pay for', () => {
    const [one, two, taken] = [orphanTx(), orphanTx(), orphanTx()];
    const needy = orphanTx({ coins: [outputOf(one), outputOf(two)] });
    const content = orphanTx({ coins: [outputOf(one), outputOf(taken)] });
    for (const parent of [one, two, taken]) refuse(parent);
    inMempool.add(taken.txid);
    assert.equal(judge(needy, missing(needy)), 'refused');
    assert.ok(download.isKnown({ kind: 'txid', id: needy.txid }));
    wait(content, 'a');
  });

  it('may be tried again with the same child when nobody had looked', () => {
    const { parent, child } = family();
    wait(child, 'a');
    const pair = refuse(parent);
    assert.ok(pair);
    const verdict: PackageVerdict = { failure: { code: 'transaction failed' }, parent: BUSY, child: BUSY };
    assert.deepEqual(download.packageJudged(pair, verdict, 0), { parent: 'refused', child: 'orphan' });
    assert.equal(download.findPackage(parent, 'a')?.child.wtxid, child.wtxid);
  });
});

describe('a package', () => {
  let h: Harness;
  let download: TxDownload;
  afterEach(() => h[Symbol.asyncDispose]());

  async function open(maxBytes?: number): Promise<void> {
    h = await createHarness(maxBytes === undefined ? {} : { maxBytes });
    download = createDownload(h.mempool);
    h.chain.observe({ changed: async (change) => download.chainChanged(change) });
  }

  /** A transaction comes in, and is submitted as `node` does. */
  async function receive(tx: Transaction, peer = 'a'): Promise<string> {
    download.received(peer, tx);
    if (!download.isReconsiderable(tx)) {
      const fate = download.judged(tx, peer, await h.mempool.submit(tx, peer), 0);
      if (fate !== 'refused') return fate;
    }
    const pair = download.findPackage(tx, peer);
    if (pair === undefined) return 'refused';
    const verdict = await h.mempool.submitPackage(pair.parent, pair.child, pair.parentFrom);
    const { parent, child } = download.packageJudged(pair, verdict, 0);
    return `${parent} with ${child}`;
  }

  const free = (coins: readonly TestCoin[], shape: Shape = {}): Transaction =>
    spend(coins, 0n, { version: 3, ...shape });
  const paying = (parent: Transaction, fee: bigint): Transaction => spend([outputOf(parent)], fee, { version: 3 });

  it('enters when the parent comes after the child, and leaves nothing behind', async () => {
    await open();
    const parent = free(await fund(h, 1));
    const child = paying(parent, 1_000n);
    assert.equal(await receive(child), 'orphan');
    assert.equal(await receive(parent), 'accepted with accepted');
    assert.deepEqual(h.txids(), [parent.txid, child.txid]);
    assert.deepEqual(download.stats(), { wanted: 0, orphans: 0 });
    assert.equal(download.takeOrphan(0), undefined);
  });

  it('enters when the parent came before, and comes again', async () => {
    await open();
    const parent = free(await fund(h, 1));
    const child = paying(parent, 1_000n);
    assert.equal(await receive(parent, 'b'), 'refused');
    assert.equal(await receive(parent, 'b'), 'refused', 'not looked at again alone');
    assert.equal(await receive(child), 'orphan');
    assert.deepEqual(asked(download, REQUEST_DELAY_MS), [`a ${parent.txid}`]);
    assert.equal(await receive(parent), 'accepted with accepted');
  });

  it('enters a pool that has become too dear for the parent', async () => {
    await open(20_000);
    const [coin] = await raiseMinimum(h, 1);
    assert.ok(coin);
    const parent = spend([coin], 100n);
    const child = spend([outputOf(parent)], 100_000n);
    assert.equal(await receive(child), 'orphan');
    assert.equal(await receive(parent), 'accepted with accepted');
  });

  it('brings orphans of its child back', async () => {
    await open();
    const parent = spend(await fund(h, 1), 0n, { version: 3, outputs: 2 });
    const child = paying(parent, 1_000n);
    const grandchild = spend([outputOf(child)], 500n, { version: 3 });
    for (const tx of [grandchild, child]) assert.equal(await receive(tx), 'orphan');
    assert.equal(await receive(parent), 'accepted with accepted');
    assert.equal(download.takeOrphan(0)?.tx.wtxid, grandchild.wtxid);
  });

  it('that pays too little is not tried twice; a child that pays more is', async () => {
    await open();
    const parent = free(await fund(h, 1));
    const [poor, rich] = [paying(parent, 100n), paying(parent, 1_000n)];
    assert.equal(await receive(poor), 'orphan');
    assert.equal(await receive(parent), 'refused with refused');
    assert.ok(download.isReconsiderable(poor), 'it lacks nothing but fee itself');
    assert.equal(download.stats().orphans, 0);
    assert.equal(await receive(rich), 'orphan');
    assert.equal(await receive(parent), 'accepted with accepted');
  });

  it('whose child lacks another parent leaves the child waiting', async () => {
    await open();
    const parent = free(await fund(h, 1));
    const other = orphanTx();
    const child = spend([outputOf(parent), outputOf(other)], 1_000n, { version: 3 });
    assert.equal(await receive(child), 'orphan');
    assert.equal(await receive(parent), 'refused with orphan');
    assert.equal(await receive(parent), 'refused', 'not tried twice');
    assert.equal(download.stats().orphans, 1);
  });

  it('whose parent breaks a rule of consensus ends the parent', async () => {
    await open();
    const [coin] = await fund(h, 1);
    assert.ok(coin);
    const good = free([coin]);
    const input = good.inputs[0];
    assert.ok(input);
    // OP_RETURN in place of what the coin's script asks for, under the hash of another script.
    const broken = { ...input, scriptSig: Uint8Array.of(1, 0x6a) };
    const parent = Transaction.fromFields({ ...good, version: 3, inputs: [broken], outputs: good.outputs });
    const child = paying(parent, 1_000n);
    assert.equal(await receive(child), 'orphan');
    assert.equal(await receive(parent), 'refused with orphan');
    assert.ok(download.isKnown({ kind: 'txid', id: parent.txid }));
    const sibling = paying(parent, 2_000n);
    assert.equal(await receive(sibling), 'refused', 'its parent is rejected for good');
  });

  it('can be made again after a new block', async () => {
    await open();
    const parent = free(await fund(h, 1));
    const child = paying(parent, 100n);
    await receive(child);
    assert.equal(await receive(parent), 'refused with refused');
    await h.connect(h.builder.mine());
    assert.ok(!download.isReconsiderable(parent) && !download.isReconsiderable(child));
    assert.equal(await receive(child), 'orphan');
    assert.equal(await receive(parent), 'refused with refused');
  });
});
