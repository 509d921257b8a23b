/** Compact blocks against BIP152: short ids, building, rebuilding, structure; on a real block when it is there. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { Block, BlockHeader, DecodeError, Transaction } from '#primitives';
import { buildCompactBlock, type Decoded, fillMissing, topics } from '#protocol';
import { fromHex, toHex } from '#util';
import { matchShortIds, reconstruct, shortIdKey, shortIdOf } from '../../../src/protocol/compact-blocks.ts';
import { numberedTx } from '../../support/numbered-tx.ts';
import { sharedPath } from '../../support/shared.ts';
import { coinbase, GENESIS_HEADER } from './vectors.ts';

type CompactBlock = Decoded<typeof topics.block.codec>;

const codec = topics.block.codec;
const header = new BlockHeader(fromHex(GENESIS_HEADER));
const reread = (compact: CompactBlock): CompactBlock => codec.decode(codec.encode(compact));

/** Numbers of transactions with one short id under `header` and nonce 1, found by search among 26 million. */
const COLLIDING = [14_601_204, 45_424_644] as const;

function testBlock(count: number, first = coinbase): Block {
  return Block.fromParts(header, [first, ...Array.from({ length: count - 1 }, (_, n) => numberedTx(n))]);
}

/** SipHash-2-4 after the paper by Aumasson and Bernstein, with BigInt: an independent check of the fast one. */
function siphash(key: Uint8Array, data: Uint8Array): bigint {
  const word = (bytes: Uint8Array): bigint => Buffer.concat([bytes, Buffer.alloc(8)]).readBigUInt64LE(0);
  const add = (a: bigint, b: bigint): bigint => (a + b) & 0xffffffffffffffffn;
  const rotl = (a: bigint, by: bigint): bigint => ((a << by) | (a >> (64n - by))) & 0xffffffffffffffffn;
  const [k0, k1] = [word(key.subarray(0, 8)), word(key.subarray(8, 16))];
  let [a, b] = [k0 ^ 0x736f6d6570736575n, k1 ^ 0x646f72616e646f6dn];
  let [c, d] = [k0 ^ 0x6c7967656e657261n, k1 ^ 0x7465646279746573n];
  const rounds = (count: number): void => {
    for (let i = 0; i < count; i++) {
      a = add(a, b);
      b = rotl(b, 13n) ^ a;
      a = rotl(a, 32n);
      c = add(c, d);
      d = rotl(d, 16n) ^ c;
      a = add(a, d);
      d = rotl(d, 21n) ^ a;
      c = add(c, b);
      b = rotl(b, 17n) ^ c;
      c = rotl(c, 32n);
    }
  };
  const full = data.length - (data.length % 8);
  for (let at = 0; at <= full; at += 8) {
    let m = word(data.subarray(at, Math.min(at + 8, data.length)));
    if (at === full) m |= BigInt(data.length & 0xff) << 56n;
    d ^= m;
    rounds(2);
    a ^= m;
  }
  c ^= 0xffn;
  rounds(4);
  return a ^ b ^ c ^ d;
}

test('short ids are SipHash-2-4 of the wtxid under a key from header and nonce', () => {
  const counting = Uint8Array.from({ length: 32 }, (_, i) => i);
  // Core's hash_tests.cpp gives 0x7127512f72f27cce for this key and these 32 bytes.
  assert.equal(siphash(counting.subarray(0, 16), counting), 0x7127512f72f27ccen);
  assert.equal(shortIdOf(counting.subarray(0, 16), counting), 0x512f72f27cce);

  const nonce = 0x1122334455667788n;
  const preimage = fromHex(`${GENESIS_HEADER}8877665544332211`);
  const key = createHash('sha256').update(preimage).digest().subarray(0, 16);
  assert.equal(toHex(shortIdKey(header, nonce)), toHex(key));
  const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(
    fc.property(bytes32, (wtxid) => {
      assert.equal(BigInt(shortIdOf(key, wtxid)), siphash(key, wtxid) & 0xffffffffffffn);
    }),
  );
});

test('a block goes through its announcement and comes back the same', () => {
  const block = testBlock(30);
  const compact = reread(buildCompactBlock(block, 5n));
  assert.equal(compact.shortIds.length, 29 * 6);
  assert.deepEqual(
    compact.prefilled.map(({ index, tx }) => [index, tx.txid]),
    [[0, coinbase.txid]],
  );
  const strangers = Array.from({ length: 50 }, (_, n) => numberedTx(1000 + n));
  const result = reconstruct(compact, matchShortIds(compact, [...strangers, ...block.transactions]));
  assert.ok(result.kind === 'complete');
  assert.equal(toHex(result.block.raw), toHex(block.raw));
});

test('transactions that peers may lack go with the announcement, and the ids of the others stay the same', () => {
  const block = testBlock(30);
  const plain = buildCompactBlock(block, 5n);
  const compact = reread(buildCompactBlock(block, 5n, [7, 0, 3]));
  assert.deepEqual(
    compact.prefilled.map(({ index, tx }) => [index, tx.wtxid]),
    [0, 3, 7].map((index) => [index, block.transactions[index]?.wtxid]),
  );
  const idAt = (shortIds: Uint8Array, at: number) => toHex(shortIds.subarray(6 * at, 6 * at + 6));
  assert.equal(compact.shortIds.length, 27 * 6);
  assert.equal(idAt(compact.shortIds, 0), idAt(plain.shortIds, 0));
  assert.equal(idAt(compact.shortIds, 26), idAt(plain.shortIds, 28));
  const known = block.transactions.filter((_, index) => index !== 3 && index !== 7);
  const result = reconstruct(compact, matchShortIds(compact, known));
  assert.ok(result.kind === 'complete');
  assert.equal(toHex(result.block.raw), toHex(block.raw));
});

test('what nobody knows is named by its place in the block', () => {
  const block = testBlock(10);
  const compact = buildCompactBlock(block, 5n);
  const known = block.transactions.filter((_, index) => index !== 3 && index !== 9);
  const result = reconstruct(compact, matchShortIds(compact, known));
  assert.ok(result.kind === 'missing');
  assert.deepEqual(result.partial.missing, [3, 9]);
  assert.deepEqual(
    result.partial.transactions.map((tx) => tx?.wtxid),
    block.transactions.map((tx, index) => (index === 3 || index === 9 ? undefined : tx.wtxid)),
  );
});

test('any choice of prefilled places comes back in order', () => {
  const block = testBlock(12);
  const key = shortIdKey(header, 9n);
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(11), { maxLength: 12 }), (places) => {
      const isPrefilled = (index: number): boolean => places.includes(index);
      const shortIds = Buffer.alloc(6 * (12 - places.length));
      const others = block.transactions.filter((_, index) => !isPrefilled(index));
      others.forEach((tx, i) => {
        shortIds.writeUIntLE(shortIdOf(key, tx.wtxidBytes), i * 6, 6);
      });
      const prefilled = block.transactions
        .map((tx, index) => ({ index, tx }))
        .filter(({ index }) => isPrefilled(index));
      const compact = reread({ header, nonce: 9n, shortIds, prefilled });
      const result = reconstruct(compact, matchShortIds(compact, others));
      assert.ok(result.kind === 'complete');
      assert.equal(toHex(result.block.raw), toHex(block.raw));
    }),
  );
});

test('two known transactions with one short id count as unknown; twice the same one does not', () => {
  const block = testBlock(3);
  const compact = buildCompactBlock(block, 1n);
  const [, first, second] = block.transactions;
  assert.ok(first !== undefined && second !== undefined);
  const idOfFirst = shortIdOf(shortIdKey(header, 1n), first.wtxidBytes);
  const clash = reconstruct(compact, (id) => (id === idOfFirst ? 'collision' : second));
  assert.ok(clash.kind === 'missing');
  assert.deepEqual(clash.partial.missing, [1]);
  const again = Transaction.fromBytes(first.raw.slice());
  assert.equal(reconstruct(compact, matchShortIds(compact, [first, again, second])).kind, 'complete');
});

test('an answer fills the missing places; which are the right transactions their short ids tell', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 29 }), { minLength: 1 }), (places) => {
      const block = testBlock(30);
      const missing = places.toSorted((a, b) => a - b);
      const compact = buildCompactBlock(block, 5n);
      // Some are prefilled, so that the places of ids and transactions differ.
      const prefilled = [0, 4, 17].flatMap((index) => {
        const tx = missing.includes(index) ? undefined : block.transactions[index];
        return tx === undefined ? [] : [{ index, tx }];
      });
      const isPrefilled = (index: number) => prefilled.some((each) => each.index === index);
      const ids = [...compact.shortIds.keys()].filter((at) => !isPrefilled(Math.floor(at / 6) + 1));
      const partly = { ...compact, prefilled, shortIds: Uint8Array.from(ids, (at) => compact.shortIds[at] ?? 0) };
      const known = block.transactions.filter((_, index) => !missing.includes(index));
      const result = reconstruct(partly, matchShortIds(partly, known));
      assert.ok(result.kind === 'missing');
      assert.deepEqual(result.partial.missing, missing);
      const answer = block.transactions.filter((_, index) => missing.includes(index));
      const filled = fillMissing(result.partial, answer);
      assert.ok(filled.isAsAnnounced && filled.result.kind === 'complete');
      assert.equal(toHex(filled.result.block.raw), toHex(block.raw));
      const other = fillMissing(result.partial, answer.with(-1, numberedTx(999)));
      assert.ok(!other.isAsAnnounced && other.result.kind === 'complete');
      const short = fillMissing(result.partial, answer.slice(0, -1));
      assert.ok(!short.isAsAnnounced && short.result.kind === 'missing');
    }),
    { numRuns: 30 },
  );
});

test('ids that name the largest known transactions do not make us put together more than a block', () => {
  const large = Array.from({ length: 45 }, (_, n) => numberedTx(n, 90_000));
  const header45 = Block.fromParts(header, [coinbase, ...large]);
  const compact = buildCompactBlock(header45, 3n);
  assert.ok(header45.size > 4_000_000);
  const whole = { kind: 'whole-block', reason: 'too-large' };
  assert.deepEqual(reconstruct(compact, matchShortIds(compact, large)), whole);
  const partial = reconstruct(compact, matchShortIds(compact, large.slice(5)));
  assert.ok(partial.kind === 'missing');
  assert.deepEqual(fillMissing(partial.partial, large.slice(0, 5)).result, whole, 'nor does an answer');
});

test('a real collision in the mempool is asked for like what is missing, whichever of the two comes first', () => {
  const [one, two] = [numberedTx(COLLIDING[0]), numberedTx(COLLIDING[1])];
  const block = Block.fromParts(header, [coinbase, one, numberedTx(4)]);
  const compact = buildCompactBlock(block, 1n);
  const key = shortIdKey(header, 1n);
  assert.equal(shortIdOf(key, one.wtxidBytes), shortIdOf(key, two.wtxidBytes));
  for (const pair of [
    [one, two],
    [two, one],
  ]) {
    const result = reconstruct(compact, matchShortIds(compact, [...pair, numberedTx(4)]));
    assert.ok(result.kind === 'missing');
    assert.deepEqual(result.partial.missing, [1]);
    const filled = fillMissing(result.partial, [one]).result;
    assert.ok(filled.kind === 'complete');
    assert.equal(toHex(filled.block.raw), toHex(block.raw));
  }
});

test('a short id that stands twice, or no ids at all: the whole block is asked for', () => {
  const twice = { header, nonce: 1n, shortIds: new Uint8Array(12), prefilled: [{ index: 0, tx: coinbase }] };
  assert.deepEqual(
    reconstruct(reread(twice), () => undefined),
    { kind: 'whole-block', reason: 'short-id-collision' },
  );
  const bare = { header, nonce: 1n, shortIds: new Uint8Array(0), prefilled: [] };
  assert.equal(codec.encode(bare).length, 90);
  assert.deepEqual(
    reconstruct(reread(bare), () => undefined),
    { kind: 'whole-block', reason: 'header-only' },
  );
});

test('an announcement that would be too long carries the header only', () => {
  const fitting = testBlock(2, numberedTx(0, 250_000));
  assert.equal(buildCompactBlock(fitting, 1n).prefilled.length, 1);
  const long = buildCompactBlock(testBlock(2, numberedTx(0, 262_144)), 1n);
  assert.equal(long.prefilled.length + long.shortIds.length, 0);
  assert.equal(toHex(long.header.raw), GENESIS_HEADER);
});

test('malformed structures are refused by decode, and by reconstruct when handed over directly', () => {
  const head = `${GENESIS_HEADER}0000000000000000`;
  const tx = toHex(coinbase.raw);
  const emptyTx = '01000000000000000000';
  const id = '010203040506';
  const cases: Readonly<Record<string, string>> = {
    'a prefilled place behind the end': `${head}01${id}0102${tx}`,
    'a gap between prefilled ones': `${head}00020100${tx}01${tx}`,
    'an index of 32 bits': `${head}01${id}01fe00000001${tx}`,
    'an empty prefilled transaction': `${head}000100${emptyTx}`,
    'more prefilled than bytes': `${head}00fd2a41${tx}`,
    'more ids than bytes': `${head}fd2a41${id}00`,
  };
  for (const [what, hex] of Object.entries(cases)) assert.throws(() => codec.decode(fromHex(hex)), DecodeError, what);
  const behind: CompactBlock = {
    header,
    nonce: 0n,
    shortIds: fromHex(id),
    prefilled: [{ index: 2, tx: coinbase }],
  };
  assert.equal(reconstruct(behind, () => undefined).kind, 'invalid');
  const descending = [
    { index: 1, tx: coinbase },
    { index: 0, tx: coinbase },
  ];
  const noIds = new Uint8Array(0);
  assert.equal(reconstruct({ ...behind, shortIds: noIds, prefilled: descending }, () => undefined).kind, 'invalid');
});

test('no more transactions than a block can hold', () => {
  const ids = (count: number): Uint8Array =>
    Uint8Array.from(
      Buffer.from(
        Array.from({ length: count }, (_, i) => Buffer.of(i, i >> 8, i >> 16, 0, 0, 0)).flatMap((b) => [...b]),
      ),
    );
  const withIds = (count: number): CompactBlock => ({
    header,
    nonce: 0n,
    shortIds: ids(count),
    prefilled: [{ index: 0, tx: coinbase }],
  });
  assert.equal(reread(withIds(16_665)).shortIds.length, 16_665 * 6);
  assert.equal(reconstruct(withIds(16_666), () => undefined).kind, 'invalid');
  const wire = Buffer.concat([
    fromHex(`${GENESIS_HEADER}0000000000000000fd1a41`),
    ids(16_666),
    fromHex('0100'),
    coinbase.raw,
  ]);
  assert.throws(() => codec.decode(wire), DecodeError);
});

test('the id of an announcement covers all of it', () => {
  const block = testBlock(5);
  const id = (nonce: bigint): string => toHex(topics.block.messageId(codec.encode(buildCompactBlock(block, nonce))));
  assert.equal(id(1n).length, 64);
  assert.notEqual(id(1n), id(2n));
});

const realBlock = sharedPath('data/mainnet-413567.raw');

test(
  'mainnet block 413567 rebuilds from its announcement',
  { skip: realBlock === undefined && 'no shared data' },
  () => {
    const block = Block.fromBytes(new Uint8Array(readFileSync(realBlock ?? '')));
    const wire = codec.encode(buildCompactBlock(block, 0x0102030405060708n));
    assert.ok(wire.length < 200 + 6 * block.transactions.length + (block.transactions[0]?.size ?? 0));
    const compact = codec.decode(wire);
    const result = reconstruct(compact, matchShortIds(compact, block.transactions.toReversed()));
    assert.ok(result.kind === 'complete');
    assert.equal(result.block.hash, block.hash);
    assert.ok(Buffer.from(result.block.raw).equals(block.raw));
  },
);
