import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Block, DecodeError, PackedTransaction, Transaction, type TransactionFields, Writer } from '#primitives';
import { concatBytes, equalBytes, fromHex, toHex } from '#util';

/** The genesis coinbase of mainnet. */
const GENESIS_TX =
  '01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000';

/** The native P2WPKH example of BIP143. */
const BIP143_TX =
  '01000000000102fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f00000000494830450221008b9d1dc26ba6a9cb62127b02742fa9d754cd3bebf337f7a55d114c8e5cdd30be022040529b194ba3f9281a99f2b1c0a19c0489bc22ede944ccf4ecbab4cc618ef3ed01eeffffffef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55d57b90ec68a0100000000ffffffff02202cb206000000001976a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac9093510d000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac000247304402203609e17b84f6a7d30c80bfa610b5b4542f32a8a0d5447a12fb1366d7f01cc44a0220573a954c4518331561406f90300e8f3358f51928d43c212a8caed02de67eebee0121025476c2e83188368da1ff3e292e7acafcdb3566bb0ad253f62fc70f07aeee635711000000';

const bytes = (max: number) => fc.uint8Array({ maxLength: max });
const fields: fc.Arbitrary<TransactionFields> = fc.record({
  version: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  inputs: fc.array(
    fc.record({
      prevTxid: fc.uint8Array({ minLength: 32, maxLength: 32 }),
      prevIndex: fc.integer({ min: 0, max: 0xffffffff }),
      scriptSig: bytes(300),
      sequence: fc.integer({ min: 0, max: 0xffffffff }),
      witness: fc.array(bytes(80), { maxLength: 4 }),
    }),
    { minLength: 1, maxLength: 5 },
  ),
  outputs: fc.array(fc.record({ value: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), scriptPubKey: bytes(300) }), {
    maxLength: 5,
  }),
  lockTime: fc.integer({ min: 0, max: 0xffffffff }),
});

describe('Transaction', () => {
  it('knows ids and sizes of real transactions', () => {
    const genesis = Transaction.fromBytes(fromHex(GENESIS_TX));
    assert.equal(genesis.txid, '4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b');
    assert.equal(genesis.wtxid, genesis.txid as string);
    assert.ok(genesis.isCoinbase);
    assert.equal(genesis.weight, genesis.size * 4);

    const segwit = Transaction.fromBytes(fromHex(BIP143_TX));
    assert.equal(segwit.txid, 'e8151a2af31c368a35053ddd4bdb285a8595c769a3ad83e0fa02314a602d4609');
    assert.equal(segwit.size, 343);
    assert.equal(segwit.strippedSize, segwit.stripped().length);
    assert.equal(segwit.weight, segwit.strippedSize * 3 + segwit.size);
    assert.deepEqual(
      segwit.inputs.map((input) => input.witness.length),
      [0, 2],
    );
    assert.equal(segwit.isCoinbase, false);
  });

  it('gives back every byte, and its stripped form is the same transaction without witnesses', () => {
    fc.assert(
      fc.property(fields, (value) => {
        const tx = Transaction.fromFields(value);
        const again = Transaction.fromBytes(tx.raw);
        assert.equal(again.version, value.version);
        assert.equal(again.lockTime, value.lockTime);
        assert.deepEqual(
          again.inputs.map((input) => ({ ...input })),
          value.inputs.map((input) => ({ ...input })),
        );
        assert.deepEqual(
          [...again.outputs],
          value.outputs.map((output) => ({ ...output })),
        );
        assert.equal(
          tx.hasWitness,
          value.inputs.some((input) => input.witness.length > 0),
        );
        const bare = Transaction.fromBytes(tx.stripped());
        assert.equal(bare.hasWitness, false);
        assert.equal(bare.txid, tx.txid);
        assert.equal(bare.raw.length, tx.strippedSize);
      }),
      { numRuns: 300 },
    );
  });

  it('refuses every truncation and anything behind the end', () => {
    for (const hex of [GENESIS_TX, BIP143_TX]) {
      const raw = fromHex(hex);
      for (let length = 0; length < raw.length; length++) {
        assert.throws(() => Transaction.fromBytes(raw.subarray(0, length)), DecodeError, `${length} bytes`);
      }
      assert.throws(() => Transaction.fromBytes(concatBytes(raw, Uint8Array.of(0))), DecodeError);
    }
  });

  it('takes the extended forms that Core takes, and no other', () => {
    const input = `${'00'.repeat(32)}0000000000ffffffff`;
    const output = '010000000000000000';
    // No inputs, flag 0: the flag is the count of outputs.
    assert.equal(Transaction.fromBytes(fromHex('01000000000000000000')).outputs.length, 0);
    assert.throws(
      () => Transaction.fromBytes(fromHex(`0100000000020${'1'}${input}01${output}00000000`)),
      DecodeError,
      'flag 2',
    );
    assert.throws(() => Transaction.fromBytes(fromHex(`01000000000101${input}01${output}0000000000`)), /superfluous/);
    assert.throws(() => Transaction.fromBytes(fromHex('0100000000010000000000')), /superfluous/);
    const one = Transaction.fromBytes(fromHex(`01000000000101${input}01${output}010000000000`));
    assert.deepEqual(one.inputs[0]?.witness.map(toHex), ['']);
  });

  it('makes nothing of counts that the bytes cannot hold', () => {
    for (const hex of ['01000000feffffff01', `0100000001${'00'.repeat(36)}feffffff01`, '01000000000101']) {
      assert.throws(() => Transaction.fromBytes(fromHex(hex)), DecodeError);
    }
  });

  it('holds millions of empty witness items in little memory until somebody looks', () => {
    const items = 3_000_000;
    const raw = new Writer(items + 200)
      .i32(2)
      .u8(0)
      .u8(1)
      .compactSize(1)
      .bytes(new Uint8Array(36))
      .varBytes(new Uint8Array(0))
      .u32(0)
      .compactSize(1)
      .i64(1n)
      .varBytes(new Uint8Array(1))
      .compactSize(items)
      .bytes(new Uint8Array(items))
      .u32(0)
      .finish();
    const before = process.memoryUsage().heapUsed;
    const tx = Transaction.fromBytes(raw);
    assert.ok(process.memoryUsage().heapUsed - before < 50e6);
    assert.equal(tx.size, raw.length);
    assert.equal(tx.inputs[0]?.witness.length, items);
  });
});

describe('PackedTransaction', () => {
  it('gives back any transaction, byte for byte and decoded', () => {
    fc.assert(
      fc.property(fields, (given) => {
        const tx = Transaction.fromFields(given);
        const packed = new PackedTransaction(tx);
        assert.deepEqual(packed.raw, tx.raw);
        assert.deepEqual(packed.tx.raw, tx.raw);
        assert.deepEqual([packed.size, packed.wtxid, packed.tx.txid], [tx.size, tx.wtxid, tx.txid]);
        assert.ok(equalBytes(packed.wtxidBytes, tx.wtxidBytes));
        assert.ok(equalBytes(packed.txidBytes, tx.txidBytes));
      }),
    );
  });

  it('shares no bytes with what it was made of, or gives', () => {
    const raw = fromHex(BIP143_TX);
    const packed = new PackedTransaction(Transaction.fromBytes(raw));
    const given = [packed.raw, packed.tx.raw, packed.wtxidBytes];
    const before = given.map(toHex);
    raw.fill(0);
    for (const bytes of given) bytes.fill(0);
    assert.deepEqual([packed.raw, packed.tx.raw, packed.wtxidBytes].map(toHex), before);
  });
});

describe('Block', () => {
  it('decodes the header at once and the rest when asked', () => {
    const header =
      '01000000' +
      '00'.repeat(32) +
      '3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c';
    const raw = fromHex(`${header}01${GENESIS_TX}`);
    const block = new Block(raw);
    assert.equal(block.hash, '000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f');
    assert.equal(block.transactions.length, 1);
    assert.equal(block.size, 285);
    assert.equal(block.weight, 1140);
    assert.ok(equalBytes(Block.fromParts(block.header, block.transactions).raw, raw));
    const cut = new Block(raw.subarray(0, 100));
    assert.throws(() => cut.transactions, DecodeError);
    assert.throws(() => new Block(raw.subarray(0, 79)), DecodeError);
    assert.throws(() => Block.fromBytes(concatBytes(raw, Uint8Array.of(0))), DecodeError);
  });
});
