/** Topic `tx/1`: which form a transaction travels in, its bounds, and ids that are the same on every node. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { DecodeError, MAX_MONEY, Transaction } from '#primitives';
import { topics, txMessageFor } from '#protocol';
import { concatBytes, fromHex, toHex } from '#util';
import { coinbase, vectors } from './vectors.ts';

const { codec, messageId, maxBytes } = topics.tx;
const sha256 = (data: Uint8Array): Buffer => createHash('sha256').update(data).digest();

/** A transaction of exactly `size` bytes, without witness. */
function txOfSize(size: number): Transaction {
  const [output] = coinbase.outputs;
  assert.ok(output !== undefined);
  // Its length takes three bytes from 253 on.
  const scriptBytes = size - (size < 253 + 60 ? 60 : 62);
  const outputs = [{ value: 1n, scriptPubKey: new Uint8Array(scriptBytes) }];
  const inputs = [
    { prevTxid: new Uint8Array(32), prevIndex: 0, scriptSig: new Uint8Array(0), sequence: 0, witness: [] },
  ];
  const tx = Transaction.fromFields({ version: 1, inputs, outputs, lockTime: 0 });
  assert.equal(tx.size, size);
  return tx;
}

test('a small transaction travels itself, up to 4096 bytes it may, above as an entry', () => {
  assert.equal(txMessageFor(txOfSize(256), 5n).kind, 'whole');
  assert.equal(txMessageFor(txOfSize(257), 5n).kind, 'entry');
  const small = txOfSize(4096);
  assert.deepEqual(txMessageFor(small, 5n, 'whole'), { kind: 'whole', tx: small });
  const bytes = codec.encode({ kind: 'whole', tx: small });
  assert.equal(bytes.length, maxBytes);
  assert.deepEqual(codec.decode(bytes), { kind: 'whole', tx: Transaction.fromBytes(small.raw) });

  const asEntry = txMessageFor(small, 5n, 'entry');
  assert.deepEqual(asEntry, { kind: 'entry', wtxid: small.wtxid, vsize: 4096, fee: 5n });

  const large = txOfSize(4097);
  const entry = txMessageFor(large, 5n);
  assert.deepEqual(entry, { kind: 'entry', wtxid: large.wtxid, vsize: 4097, fee: 5n });
  assert.deepEqual(txMessageFor(large, 5n, 'whole'), entry);
  assert.deepEqual(codec.decode(codec.encode(entry)), entry);
  assert.throws(() => codec.encode({ kind: 'whole', tx: large }), /in gossip/);
  assert.throws(() => codec.decode(concatBytes(Uint8Array.of(0), large.raw)), DecodeError);
});

test('the size of an entry is in virtual bytes, rounded up', () => {
  const witness = [new Uint8Array(4100)];
  const inputs = coinbase.inputs.map((input) => ({ ...input, witness }));
  const tx = Transaction.fromFields({ version: 1, inputs, outputs: coinbase.outputs, lockTime: 0 });
  const message = txMessageFor(tx, 0n);
  assert.ok(message.kind === 'entry');
  assert.equal(message.vsize, Math.ceil((tx.strippedSize * 3 + tx.size) / 4));
});

test('the id of a whole transaction is its wtxid, of an entry the hash of the message', () => {
  for (const hex of [vectors.tx.hex, `00${toHex(coinbase.raw)}`]) {
    const decoded = codec.decode(fromHex(hex));
    assert.ok(decoded.kind === 'whole');
    assert.equal(toHex(messageId(fromHex(hex))), toHex(decoded.tx.wtxidBytes));
  }
  const entry = fromHex(vectors['tx entry'].hex);
  assert.equal(toHex(messageId(entry)), toHex(sha256(entry)));
  assert.equal(toHex(messageId(new Uint8Array(0))), toHex(sha256(new Uint8Array(0))));
  assert.equal(messageId(Uint8Array.of(0)).length, 32);
  assert.equal(messageId(Uint8Array.of(9, 9)).length, 32);
});

test('entries out of range and unknown kinds are refused', () => {
  const entry = { kind: 'entry', wtxid: coinbase.wtxid, vsize: 100_000, fee: MAX_MONEY } as const;
  assert.deepEqual(codec.decode(codec.encode(entry)), entry);
  for (const bad of [{ vsize: 0 }, { vsize: 100_001 }, { fee: -1n }, { fee: MAX_MONEY + 1n }]) {
    assert.throws(
      () => codec.decode(codec.encode({ ...entry, ...bad })),
      DecodeError,
      JSON.stringify(Object.keys(bad)),
    );
  }
  assert.throws(() => codec.decode(fromHex('02')), DecodeError);
});
