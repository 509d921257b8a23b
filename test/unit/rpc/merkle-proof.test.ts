import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { txidFromBytes } from '#primitives';
import { buildProof, decodeProof, encodeProof, provenTxids } from '../../../src/rpc/core-io/merkle-proof.ts';
import { createChainBuilder, regtest } from '../../support/chain-builder.ts';
import { numberedTx } from '../../support/numbered-tx.ts';

const builder = createChainBuilder(regtest());
const block = (transactions: number) =>
  builder.build({ transactions: Array.from({ length: transactions - 1 }, (_, at) => numberedTx(at)), work: 'none' });

test('a proof gives back exactly what it was made of, for trees of every form', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.bigInt(0n, 2n ** 40n - 1n), (count, mask) => {
      const made = block(count);
      const wanted = new Set(
        made.transactions.filter((_, at) => ((mask >> BigInt(at)) & 1n) === 1n).map((tx) => tx.txid),
      );
      const bytes = encodeProof(buildProof(made, (txid) => wanted.has(txid as never)));
      const proof = decodeProof(bytes);
      assert.ok(proof);
      assert.equal(proof.header.hash, made.hash);
      assert.deepEqual(provenTxids(proof)?.map(txidFromBytes), [...wanted]);
    }),
    { numRuns: 150, seed: 4 },
  );
});

test('what was changed proves nothing', () => {
  const made = block(11);
  const [, , third] = made.transactions;
  const proof = buildProof(made, (txid) => txid === third?.txid);
  assert.ok(provenTxids(proof));
  assert.equal(provenTxids({ ...proof, transactions: 0 }), undefined);
  assert.equal(provenTxids({ ...proof, transactions: 24 }), undefined);
  assert.equal(provenTxids({ ...proof, transactions: 20_000 }), undefined);
  assert.equal(provenTxids({ ...proof, hashes: proof.hashes.slice(1) }), undefined);
  assert.equal(provenTxids({ ...proof, hashes: [...proof.hashes, new Uint8Array(32)] }), undefined);
  assert.equal(provenTxids({ ...proof, bits: proof.bits.slice(0, -1) }), undefined);
  assert.equal(provenTxids({ ...proof, bits: [...proof.bits, ...Array(16).fill(false)] }), undefined);
  assert.equal(provenTxids({ ...proof, header: block(3).header }), undefined);
});

test('a tree whose last leaves are doubled is refused (CVE-2012-2459)', () => {
  const made = block(3);
  const [first, second, last] = made.transactions;
  assert.ok(first && second && last);
  // Four leaves of which the last two are one: the same root as of the three.
  const hashes = [first, second, last, last].map(({ txidBytes }) => txidBytes);
  const bits = [true, true, true, true, true, true, true];
  assert.equal(provenTxids({ header: made.header, transactions: 4, hashes, bits }), undefined);
});

test('bytes at random are no proof, and take no memory', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const proof = decodeProof(bytes);
      if (proof !== undefined) provenTxids(proof);
    }),
    { numRuns: 300, seed: 5 },
  );
  const head = new Uint8Array(80 + 4 + 1);
  const many = new Uint8Array(1 << 20).fill(0xff);
  const length = Uint8Array.of(0xfe, 0, 0, 0x10, 0);
  const proof = decodeProof(Buffer.concat([head, length, many]));
  assert.deepEqual(proof?.bits, []);
});
