/** Fee deltas (Core's prioritisetransaction): where the modified fee counts, and where the base fee does. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createBlockTemplate, type MempoolEntry } from '#mempool';
import { formatMoney, parseTxid, type Transaction } from '#primitives';
import { memoryByteSource } from '#store';
import { concatBytes, fromHex } from '#util';
import { FeeDeltas } from '../../../src/mempool/fee-deltas.ts';
import { formatFeeRate, satPerKvb } from '../../../src/mempool/fee-rate.ts';
import { type MempoolRecord, readMempoolFile } from '../../../src/mempool/persistence/read-file.ts';
import { numberedTx } from '../../support/numbered-tx.ts';
import { outputOf } from '../../support/tx-builder.ts';
import { fund, sizeOf, spend, take, verdictOf } from './fixed-size.ts';
import { createHarness, type Harness } from './harness.ts';

const KEY = fromHex('0102030405060708');
const VSIZE = BigInt(sizeOf(1, 1));

const entryOf = (h: Harness, tx: Transaction): MempoolEntry => h.mempool.get(tx.txid) ?? assert.fail('it is here');

async function deltasOf(h: Harness): Promise<Record<string, bigint>> {
  const records: MempoolRecord[] = [];
  const source = memoryByteSource(concatBytes(...h.mempool.save(KEY)));
  for await (const record of readMempoolFile(source)) records.push(record);
  const found = records.flatMap((record) => {
    if (record.kind === 'fee-delta') return [[record.txid, record.feeDelta] as const];
    return record.kind === 'tx' && record.feeDelta !== 0n ? [[record.tx.txid, record.feeDelta] as const] : [];
  });
  return Object.fromEntries(found);
}

describe('a fee delta', () => {
  it('counts for the relay minimum, but nobody is told of it', async () => {
    await using h = await createHarness();
    const [coin] = await fund(h, 1);
    const tx = spend([coin ?? assert.fail()], 5n);
    h.mempool.prioritise(tx.txid, VSIZE - 6n);
    assert.equal(await verdictOf(h, tx), `min relay fee not met, ${VSIZE - 1n} < ${VSIZE}`);
    h.mempool.prioritise(tx.txid, 1n);
    assert.deepEqual(await h.mempool.submit(tx, 'peer'), { kind: 'accepted', fee: 5n, vsize: Number(VSIZE) });
    const { fee, modifiedFee } = entryOf(h, tx);
    assert.deepEqual([fee, modifiedFee], [5n, VSIZE]);
    assert.equal(h.mempool.stats().totalFee, 5n);
  });

  it('below zero keeps out what pays enough', async () => {
    await using h = await createHarness();
    const [coin] = await fund(h, 1);
    const tx = spend([coin ?? assert.fail()], VSIZE);
    h.mempool.prioritise(tx.txid, -2n * VSIZE);
    assert.equal(await verdictOf(h, tx), `min relay fee not met, ${-VSIZE} < ${VSIZE}`);
    h.mempool.prioritise(tx.txid, 2n * VSIZE);
    await take(h, tx);
    h.mempool.prioritise(tx.txid, -2n * VSIZE);
    assert.equal(entryOf(h, tx).modifiedFee, -VSIZE);
    assert.ok(h.mempool.has(tx.txid), 'what is here stays');
  });

  it('counts for both sides of a replacement', async () => {
    await using h = await createHarness();
    const [coin] = await fund(h, 1);
    const coins = [coin ?? assert.fail()];
    const old = spend(coins, 10n * VSIZE);
    await take(h, old);
    h.mempool.prioritise(old.txid, 10n * VSIZE);
    const rival = spend(coins, 20n * VSIZE);
    const rates = `new feerate ${formatFeeRate(20_000n)} <= old feerate ${formatFeeRate(20_000n)}`;
    assert.equal(await verdictOf(h, rival), `insufficient fee, rejecting replacement ${rival.txid}; ${rates}`);
    h.mempool.prioritise(rival.txid, VSIZE - 1n);
    const amounts = `${formatMoney(VSIZE - 1n)} < ${formatMoney(VSIZE)}`;
    const little = `rejecting replacement ${rival.txid}, not enough additional fees to relay; ${amounts}`;
    assert.equal(await verdictOf(h, rival), `insufficient fee, ${little}`);
    h.mempool.prioritise(rival.txid, 1n);
    await take(h, rival);
    assert.ok(!h.mempool.has(old.txid));
  });

  it('counts for all that a replacement pushes out', async () => {
    await using h = await createHarness();
    const [coin] = await fund(h, 1);
    const coins = [coin ?? assert.fail()];
    const old = spend(coins, VSIZE);
    const child = spend([outputOf(old)], VSIZE);
    await take(h, old, child);
    h.mempool.prioritise(child.txid, 98n * VSIZE);
    const rival = spend(coins, 101n * VSIZE - 1n);
    assert.match(await verdictOf(h, rival), /not enough additional fees to relay/);
    await take(h, spend(coins, 101n * VSIZE));
  });

  it('of a child keeps its parent when the mempool is full', async () => {
    await using h = await createHarness({ maxTxs: 3 });
    const [one, two, three] = await fund(h, 3);
    const parent = spend([one ?? assert.fail()], VSIZE);
    const child = spend([outputOf(parent)], VSIZE);
    const other = spend([two ?? assert.fail()], 5n * VSIZE);
    await take(h, parent, child, other);
    h.mempool.prioritise(child.txid, 20n * VSIZE);
    await take(h, spend([three ?? assert.fail()], 7n * VSIZE));
    assert.deepEqual(
      [parent, child, other].map((tx) => h.mempool.has(tx.txid)),
      [true, true, false],
    );
    assert.equal(h.mempool.minFeeSatPerKvb(), 6_000);
  });

  it('counts for the minimum that an eviction leaves behind', async () => {
    await using h = await createHarness({ maxTxs: 1 });
    const [one, two] = await fund(h, 2);
    const cheap = spend([one ?? assert.fail()], VSIZE);
    await take(h, cheap);
    h.mempool.prioritise(cheap.txid, 3n * VSIZE);
    await take(h, spend([two ?? assert.fail()], 5n * VSIZE));
    assert.equal(h.mempool.minFeeSatPerKvb(), 5_000);
    h.mempool.prioritise(cheap.txid, -4n * VSIZE);
    assert.equal(await verdictOf(h, cheap), `min relay fee not met, 0 < ${VSIZE}`);
  });

  it('chooses for blocks, which earn the base fee', async () => {
    await using h = await createHarness();
    const [one, two, three] = await fund(h, 3);
    const low = spend([one ?? assert.fail()], VSIZE);
    const childOfLow = spend([outputOf(low)], VSIZE);
    const high = spend([two ?? assert.fail()], 10n * VSIZE);
    const out = spend([three ?? assert.fail()], 10n * VSIZE);
    await take(h, low, childOfLow, high, out);
    h.mempool.prioritise(childOfLow.txid, 100n * VSIZE);
    h.mempool.prioritise(out.txid, -9n * VSIZE - 1n);
    const { block, fees } = createBlockTemplate(h, new Uint8Array(1), 0);
    assert.deepEqual(
      block.transactions.slice(1).map((tx) => tx.txid),
      [low, childOfLow, high].map((tx) => tx.txid),
    );
    assert.equal(fees, 12n * VSIZE);
  });

  it('counts for a package, and for what it replaces', async () => {
    await using h = await createHarness();
    const [coin = assert.fail()] = await fund(h, 1);
    const parent = spend([coin], 0n, { version: 3 });
    const child = spend([outputOf(parent)], 2n * VSIZE - 1n, { version: 3 });
    const submit = async (): Promise<string> =>
      (await h.mempool.submitPackage(parent, child, 'peer')).failure?.code ?? 'accepted';
    assert.equal(await submit(), 'transaction failed');
    h.mempool.prioritise(child.txid, 1n);
    assert.equal(await submit(), 'accepted');
    const other = spend([coin], 0n, { version: 3, outputs: 2 });
    const payer = spend([outputOf(other)], 20n * VSIZE, { version: 3 });
    h.mempool.prioritise(child.txid, 20n * VSIZE);
    const { failure } = await h.mempool.submitPackage(other, payer, 'peer');
    assert.equal(failure?.code, 'package RBF failed: insufficient anti-DoS fees');
    h.mempool.prioritise(payer.txid, 20n * VSIZE);
    const effective = {
      satPerKvb: (40n * VSIZE * 1_000n) / BigInt(sizeOf(1, 2) + sizeOf(1, 1)),
      wtxids: [other.wtxid, payer.wtxid],
    };
    const replaced = [parent.txid, child.txid];
    assert.deepEqual(await h.mempool.submitPackage(other, payer, 'peer'), {
      parent: { kind: 'accepted', fee: 0n, vsize: sizeOf(1, 2), effective },
      child: { kind: 'accepted', fee: 20n * VSIZE, vsize: sizeOf(1, 1), effective, replaced },
    });
  });

  it('that changes while scripts run is asked again', async () => {
    let onVerify = (): void => {};
    await using h = await createHarness({
      wrapVerifier: (verifier) => ({
        ...verifier,
        verify: (jobs, signal) => {
          onVerify();
          return verifier.verify(jobs, signal);
        },
      }),
    });
    const [coin] = await fund(h, 1);
    const tx = spend([coin ?? assert.fail()], VSIZE);
    onVerify = () => {
      onVerify = () => {};
      h.mempool.prioritise(tx.txid, -1n);
    };
    assert.equal(await verdictOf(h, tx), `min relay fee not met, ${VSIZE - 1n} < ${VSIZE}`);
  });
});

describe('fee deltas', () => {
  it('add up, and are gone at zero', async () => {
    await using h = await createHarness();
    const [txid, other] = [parseTxid('ab'.repeat(32)), parseTxid('cd'.repeat(32))];
    for (const delta of [5n, -7n]) h.mempool.prioritise(txid, delta);
    h.mempool.prioritise(other, 1n);
    assert.deepEqual(await deltasOf(h), { [txid]: -2n, [other]: 1n });
    h.mempool.prioritise(other, -1n);
    assert.deepEqual(await deltasOf(h), { [txid]: -2n });
  });

  it('of a file come to what is set already', async () => {
    await using h = await createHarness();
    const [coin] = await fund(h, 1);
    const tx = spend([coin ?? assert.fail()], 1n);
    h.mempool.prioritise(tx.txid, VSIZE);
    await take(h, tx);
    const bytes = concatBytes(...h.mempool.save(KEY));
    await h.mempool.load(memoryByteSource(bytes), new AbortController().signal);
    assert.equal(entryOf(h, tx).modifiedFee, 2n * VSIZE + 1n);
    await using again = await createHarness();
    await again.connect(...h.builder.blocks.slice(-1));
    const counts = await again.mempool.load(memoryByteSource(bytes), new AbortController().signal);
    assert.equal(counts.accepted, 1);
    assert.equal(entryOf(again, tx).modifiedFee, VSIZE + 1n);
  });

  it('stay with what is replaced, and go with what a block confirms or contradicts', async () => {
    await using h = await createHarness();
    const [one, two, three] = await fund(h, 3);
    const replaced = spend([one ?? assert.fail()], VSIZE);
    const replacement = spend([one ?? assert.fail()], 10n * VSIZE);
    const contradicted = spend([two ?? assert.fail()], VSIZE);
    const below = spend([outputOf(contradicted)], VSIZE);
    const unseen = spend([three ?? assert.fail()], VSIZE);
    for (const tx of [replaced, replacement, contradicted, below, unseen]) h.mempool.prioritise(tx.txid, 1n);
    await take(h, replaced, replacement, contradicted, below);
    const all = [replaced, replacement, contradicted, below, unseen].map((tx) => [tx.txid, 1n]);
    assert.deepEqual(await deltasOf(h), Object.fromEntries(all));
    const rival = spend([two ?? assert.fail()], 3n * VSIZE);
    await h.connect(h.builder.mine({ transactions: [replacement, rival, unseen] }));
    // As in Core, what stood on the contradicted one keeps its delta.
    assert.deepEqual(await deltasOf(h), { [replaced.txid]: 1n, [below.txid]: 1n });
  });

  it('go with a block also when the mempool is empty', async () => {
    await using h = await createHarness();
    const [coin] = await fund(h, 1);
    const tx = spend([coin ?? assert.fail()], VSIZE);
    h.mempool.prioritise(tx.txid, 1n);
    await h.connect(h.builder.mine({ transactions: [tx] }));
    assert.deepEqual(await deltasOf(h), {});
  });

  it('are bounded in number and size', () => {
    const deltas = new FeeDeltas({ setFeeDelta: () => {} });
    const ids = Array.from({ length: 10_001 }, (_, at) => numberedTx(at).txid);
    const [first, last] = [ids[0] ?? assert.fail(), ids.at(-1) ?? assert.fail()];
    for (const txid of ids.slice(0, -1)) assert.ok(deltas.add(txid, 1n));
    assert.ok(!deltas.add(last, 1n));
    assert.equal(deltas.get(last), 0n);
    const most = 2n ** 63n - 1n;
    assert.ok(deltas.add(first, most));
    assert.equal(deltas.get(first), most);
    for (const delta of [-most, -most, -most]) deltas.add(first, delta);
    assert.equal(deltas.get(first), -(2n ** 63n));
    assert.ok(deltas.add(first, most));
    assert.ok(deltas.add(first, 1n), 'zero makes room');
    assert.ok(deltas.add(last, 1n));
  });
});

describe('amounts below zero', () => {
  it('are written as Core writes them', () => {
    assert.equal(formatMoney(-1n), '-0.00000001');
    assert.equal(formatMoney(-150_000_000n), '-1.50');
    assert.equal(formatFeeRate(satPerKvb(-85n, 85)), '0.-0001000 BTC/kvB');
    assert.equal(formatFeeRate(-250_000_000n), '-2.-50000000 BTC/kvB');
    assert.equal(satPerKvb(-1n, 3), -333n);
  });
});
