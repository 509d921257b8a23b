/** mempool.dat: the format, by bytes written by hand; what a mempool saves and loads. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTxid, Transaction, txidFromBytes } from '#primitives';
import { memoryByteSource } from '#store';
import { concatBytes, fromHex, NodeError, toHex } from '#util';
import { loadMempoolFile } from '../../../src/mempool/persistence/load.ts';
import { type MempoolRecord, readMempoolFile } from '../../../src/mempool/persistence/read-file.ts';
import { encodeMempoolFile } from '../../../src/mempool/persistence/write-file.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { buildTx, outputOf, pay } from '../../support/tx-builder.ts';
import { createHarness, type Harness } from './harness.ts';

const REWARD = 5_000_000_000n;
const HOUR_MS = 3_600_000;
const KEY = fromHex('a1a2a3a4a5a6a7a8');
const forever = new AbortController().signal;

/** One input, one output, a witness of two items. */
const TX =
  '02000000' +
  '0001' +
  `01${'11'.repeat(32)}0000000000fdffffff` +
  '01e8030000000000000151' +
  '0201aa02bbcc' +
  '00000000';

/** Version 1: one transaction of 2023-11-14 22:13:20 with delta -5, two other deltas, one unbroadcast id. */
const CONTENT =
  '0100000000000000' +
  TX +
  '00f1536500000000' +
  'fbffffffffffffff' +
  '02' +
  `${'00'.repeat(31)}02` +
  '0900000000000000' +
  `01${'00'.repeat(31)}` +
  '0700000000000000' +
  `01${'33'.repeat(32)}`;
const VERSION_1 = `0100000000000000${CONTENT}`;

/** Version 2 with `KEY`: the byte at position p of the file is XORed with byte p mod 8 of the key. */
const VERSION_2 =
  '020000000000000008a1a2a3a4a5a6a7a8' +
  'a3a3a4a5a6a7a8a1a0a3a4a5a6a6a9b0b3b2b5b4b7b6b9b0b3b2b5b4b7b6b9b0b3b2b5b4b7b6b9b0b3b2b5b4b7b6b9a1a2a3a4a55b58575e' +
  'a34ba7a5a6a7a8a1a2a2f5a7a70daa1a6ea3a4a5a6a759f2c7a3a4a5a65c575e5d5c5b5a59a5a8a1a2a3a4a5a6a7a8a1a2a3a4a5a6a7a8a1' +
  'a2a3a4a5a6a7a8a1a2a3a4a5a6a5a1a1a2a3a4a5a6a7a9a1a2a3a4a5a6a7a8a1a2a3a4a5a6a7a8a1a2a3a4a5a6a7a8a1a2a3a4a5a6a7afa1' +
  'a2a3a4a5a6a7a9929190979695949b929190979695949b929190979695949b929190979695949b';

const LOW = txidFromBytes(fromHex(`${'00'.repeat(31)}02`));
const HIGH = txidFromBytes(fromHex(`01${'00'.repeat(31)}`));
const UNSENT = txidFromBytes(fromHex('33'.repeat(32)));

async function recordsOf(bytes: Uint8Array): Promise<MempoolRecord[]> {
  const records: MempoolRecord[] = [];
  for await (const record of readMempoolFile(memoryByteSource(bytes, 'mempool.dat'))) records.push(record);
  return records;
}

const isDamage = (message: RegExp) => (error: unknown) =>
  error instanceof NodeError && error.code === 'CORRUPT_DATA' && message.test(error.message);

describe('the format of mempool.dat', () => {
  it('is written as Core 27 writes it', () => {
    const file = {
      txs: [{ tx: Transaction.fromBytes(fromHex(TX)), time: 1_700_000_000, feeDelta: -5n }],
      // Core's maps are in the order of the bytes.
      feeDeltas: new Map([
        [HIGH, 7n],
        [LOW, 9n],
      ]),
      unbroadcast: [UNSENT],
    };
    assert.equal(toHex(concatBytes(...encodeMempoolFile(file, KEY))), VERSION_2);
  });

  for (const [name, hex] of [
    ['version 1', VERSION_1],
    ['version 2', VERSION_2],
  ] as const) {
    it(`is read in ${name}`, async () => {
      const records = await recordsOf(fromHex(hex));
      const [first, ...others] = records;
      assert.ok(first?.kind === 'tx');
      assert.equal(toHex(first.tx.raw), TX);
      assert.deepEqual([first.time, first.feeDelta], [1_700_000_000n, -5n]);
      assert.deepEqual(others, [
        { kind: 'fee-delta', txid: LOW, feeDelta: 9n },
        { kind: 'fee-delta', txid: HIGH, feeDelta: 7n },
        { kind: 'unbroadcast', txid: UNSENT },
      ]);
    });

    it(`is found to be cut off anywhere in ${name}`, async () => {
      const bytes = fromHex(hex);
      for (let length = 0; length < bytes.length; length++) {
        await assert.rejects(recordsOf(bytes.subarray(0, length)), isDamage(/^mempool\.dat is damaged: /), `${length}`);
      }
    });
  }

  it('of many megabytes is read through a window', async () => {
    const output = new Uint8Array(90_000).fill(0x6a);
    const txs = Array.from({ length: 150 }, (_, at) => {
      const inputs = [{ prevTxid: KEY_32, prevIndex: at, scriptSig: KEY, sequence: 0, witness: [] }];
      const tx = Transaction.fromFields({
        version: 2,
        inputs,
        outputs: [{ value: 1n, scriptPubKey: output }],
        lockTime: 0,
      });
      return { tx, time: at, feeDelta: 0n };
    });
    const parts = [...encodeMempoolFile({ txs, feeDeltas: new Map(), unbroadcast: [] }, KEY)];
    assert.ok(parts.length > 10 && parts.every((part) => part.length < 1_200_000));
    const bytes = concatBytes(...parts);
    let largest = 0;
    const source = {
      ...memoryByteSource(bytes),
      read: async (offset: number, length: number) => {
        largest = Math.max(largest, length);
        return bytes.slice(offset, offset + length);
      },
    };
    const ids: string[] = [];
    for await (const record of readMempoolFile(source)) if (record.kind === 'tx') ids.push(record.tx.txid);
    assert.deepEqual(
      ids,
      txs.map(({ tx }) => tx.txid),
    );
    assert.ok(largest < bytes.length / 2, `${largest} bytes at once`);
  });

  it('is refused where it makes no sense', async () => {
    const cases: readonly (readonly [RegExp, string])[] = [
      [/unknown version 3/, '0300000000000000'],
      [/a key of 7 bytes/, '020000000000000007a1a2a3a4a5a6a7a8'],
      [/transactions cannot fit/, `0100000000000000ffffffffffffff7f${TX}`],
      [/transactions cannot fit/, `0100000000000000ffffffffffffffff${TX}`],
      [/truncated/, '01000000000000000000000000000000fe00000002'],
      [/compact size too large/, '01000000000000000000000000000000fe01000002'],
      [/behind byte 8/, VERSION_1.replace(TX, 'ff'.repeat(TX.length / 2))],
    ];
    for (const [message, hex] of cases) await assert.rejects(recordsOf(fromHex(hex)), isDamage(message), hex);
  });
});

const KEY_32 = new Uint8Array(32).fill(5);

const spend = (h: Harness, height: number, fee = 10_000n): Transaction =>
  buildTx([h.builder.coin(height)], [pay(REWARD - fee)]);
const childOf = (tx: Transaction): Transaction =>
  buildTx([outputOf(tx)], [pay((tx.outputs[0]?.value ?? 0n) - 10_000n)]);

const save = (h: Harness): Uint8Array => concatBytes(...h.mempool.save(KEY));

describe('a saved mempool', () => {
  it('comes back with its times, and what is unbroadcast', async () => {
    await using h = await createHarness();
    const parent = spend(h, 1);
    const child = childOf(parent);
    const heard = spend(h, 2);
    assert.equal(await h.submit(parent), 'accepted');
    await h.clock.advance(90_500);
    assert.equal(await h.submit(child), 'accepted');
    assert.equal((await h.mempool.submit(heard, 'a peer')).kind, 'accepted');
    const bytes = save(h);
    const times = Array.from(h.mempool.entries(), ({ time }) => Math.floor(time / 1000) * 1000);

    await using again = await createHarness();
    await again.clock.advance(2 * HOUR_MS);
    const counts = await again.mempool.load(memoryByteSource(bytes), forever);
    assert.deepEqual(counts, { accepted: 3, failed: 0, expired: 0, alreadyThere: 0, unbroadcast: 2 });
    assert.deepEqual(again.txids(), h.txids());
    assert.deepEqual(
      Array.from(again.mempool.entries(), ({ time }) => time),
      times,
    );
    assert.deepEqual(again.mempool.unbroadcast().sort(), [parent.txid, child.txid].sort());
    assert.deepEqual(save(again), bytes);
    const twice = await again.mempool.load(memoryByteSource(bytes), forever);
    assert.deepEqual(twice, { accepted: 0, failed: 0, expired: 0, alreadyThere: 3, unbroadcast: 2 });
  });

  it('loses what expired meanwhile, or is no longer valid', async () => {
    await using h = await createHarness();
    const [old, spent, fresh] = [spend(h, 1), spend(h, 2), spend(h, 3)];
    assert.equal(await h.submit(old), 'accepted');
    await h.clock.advance(HOUR_MS);
    assert.equal(await h.submit(spent), 'accepted');
    assert.equal(await h.submit(fresh), 'accepted');
    const bytes = save(h);

    await using again = await createHarness();
    await again.connect(again.builder.mine({ transactions: [spend(again, 2, 77_777n)] }));
    await again.clock.advance(336 * HOUR_MS);
    const counts = await again.mempool.load(memoryByteSource(bytes), forever);
    assert.deepEqual(counts, { accepted: 1, failed: 1, expired: 1, alreadyThere: 0, unbroadcast: 1 });
    assert.deepEqual(again.txids(), [fresh.txid]);
    assert.deepEqual(again.mempool.unbroadcast(), [fresh.txid]);
  });

  it('expires by the time that it kept, also behind younger transactions', async () => {
    await using h = await createHarness();
    const old = spend(h, 1);
    assert.equal(await h.submit(old), 'accepted');
    const bytes = save(h);

    await using again = await createHarness();
    await again.clock.advance(300 * HOUR_MS);
    const young = spend(again, 2);
    assert.equal(await again.submit(young), 'accepted');
    await again.mempool.load(memoryByteSource(bytes), forever);
    assert.deepEqual(again.txids(), [young.txid, old.txid]);
    await again.clock.advance(36 * HOUR_MS + 1);
    await again.connect(again.builder.mine());
    assert.deepEqual(again.txids(), [young.txid]);
  });

  it('has parents first, also when a reorganisation brought them back after their children', async () => {
    await using h = await createHarness();
    const parent = spend(h, 1);
    const child = childOf(parent);
    const branch = h.builder.fork(h.builder.height);
    await h.connect(h.builder.mine({ transactions: [parent] }));
    assert.equal(await h.submit(child), 'accepted');
    await h.connect(branch.mine(), branch.mine());
    assert.deepEqual(h.txids(), [child.txid, parent.txid]);
    const records = await recordsOf(save(h));
    const ids = records.map((record) => (record.kind === 'tx' ? record.tx.txid : record.txid));
    assert.deepEqual(ids, [parent.txid, child.txid, child.txid], 'the last: unbroadcast');
  });

  it('keeps fee deltas of both kinds until the transaction is confirmed', async () => {
    await using h = await createHarness();
    const tx = spend(h, 1);
    const unknown = parseTxid('ab'.repeat(32));
    const file = { txs: [{ tx, time: 1, feeDelta: 12n }], feeDeltas: new Map([[unknown, -3n]]), unbroadcast: [] };
    const time = Math.floor(h.clock.now() / 1000);
    const saved = { ...file, txs: [{ tx, time, feeDelta: 12n }] };
    const bytes = concatBytes(...encodeMempoolFile(saved, KEY));
    await h.mempool.load(memoryByteSource(bytes), forever);
    assert.deepEqual(save(h), bytes);
    await h.connect(h.builder.mine({ transactions: [tx] }));
    assert.deepEqual(save(h), concatBytes(...encodeMempoolFile({ ...file, txs: [] }, KEY)));
  });

  it('comes in anew when it is told so: with the time of now, without deltas, nothing to announce', async () => {
    await using h = await createHarness();
    const old = spend(h, 1);
    h.mempool.prioritise(old.txid, 5n);
    assert.equal(await h.submit(old), 'accepted');
    const bytes = concatBytes(...h.mempool.save(KEY));
    await using again = await createHarness();
    await again.clock.advance(400 * HOUR_MS);
    const options = { usesCurrentTime: true, appliesFeeDeltas: false, appliesUnbroadcast: false };
    const counts = await again.mempool.load(memoryByteSource(bytes, 'mempool.dat'), forever, options);
    assert.deepEqual(counts, { accepted: 1, failed: 0, expired: 0, alreadyThere: 0, unbroadcast: 0 });
    const [entry] = again.mempool.entries();
    assert.equal(entry?.time, again.clock.now());
    assert.equal(entry?.modifiedFee, entry?.fee);
    assert.deepEqual(again.mempool.unbroadcast(), []);
  });

  it('gives what comes before the damage', async () => {
    await using h = await createHarness();
    for (const height of [1, 2]) assert.equal(await h.submit(spend(h, height)), 'accepted');
    const bytes = save(h);
    await using again = await createHarness();
    const short = memoryByteSource(bytes.subarray(0, bytes.length - 80), 'mempool.dat');
    await assert.rejects(again.mempool.load(short, forever), isDamage(/^mempool\.dat is damaged/));
    assert.deepEqual(again.txids(), h.txids().slice(0, 1));
  });

  it('lets the event loop turn while it is loaded, also where nothing needs a check', async () => {
    const tx = Transaction.fromBytes(fromHex(TX));
    const txs = Array.from({ length: 100 }, () => ({ tx, time: 1, feeDelta: 0n }));
    const bytes = concatBytes(...encodeMempoolFile({ txs, feeDeltas: new Map(), unbroadcast: [] }, KEY));
    let looks = 0;
    // Each look at the clock finds a tenth of a slice gone.
    const clock = { ...createManualClock(1_700_000_000_000), monotonicMs: () => looks++ / 2 };
    let turns = 0;
    const count = (): void => {
      turns++;
      next = setImmediate(count);
    };
    let next = setImmediate(count);
    const deps = {
      submit: async () => assert.fail('too old'),
      prioritise: () => {},
      addUnbroadcast: () => false,
      clock,
      expiryMs: 336 * HOUR_MS,
    };
    const counts = await loadMempoolFile(deps, memoryByteSource(bytes), forever);
    clearImmediate(next);
    assert.equal(counts.expired, 100);
    assert.ok(turns >= 8 && turns <= 20, `${turns} turns`);
  });

  it('is not loaded further once it is told to stop, or closed', async () => {
    await using h = await createHarness();
    for (const height of [1, 2]) assert.equal(await h.submit(spend(h, height)), 'accepted');
    const source = memoryByteSource(save(h));
    await using again = await createHarness();
    const reason = new Error('enough');
    await assert.rejects(again.mempool.load(source, AbortSignal.abort(reason)), reason);
    assert.deepEqual(again.txids(), []);
    const loading = again.mempool.load(source, forever);
    await again.mempool[Symbol.asyncDispose]();
    await assert.rejects(loading);
  });
});

describe('an own transaction', () => {
  it('is unbroadcast until a peer is known to have it, or it leaves', async () => {
    await using h = await createHarness();
    const txs = [1, 2, 3, 4].map((height) => spend(h, height));
    const [told, echoed, mined, kept] = txs;
    assert.ok(told && echoed && mined && kept);
    for (const tx of txs) assert.equal(await h.submit(tx), 'accepted');
    assert.equal((await h.mempool.submit(spend(h, 5), 'a peer')).kind, 'accepted');
    assert.deepEqual(
      h.mempool.unbroadcast(),
      txs.map((tx) => tx.txid),
    );
    h.mempool.markBroadcast(told.txid);
    assert.equal((await h.mempool.submit(echoed, 'a peer')).kind, 'duplicate');
    assert.equal((await h.mempool.submit(kept, 'local')).kind, 'duplicate');
    await h.connect(h.builder.mine({ transactions: [mined] }));
    assert.deepEqual(h.mempool.unbroadcast(), [kept.txid]);
  });
});
