/** Lock times against the transaction, and the signature hashes that a checker remembers. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hash256, loadSecp256k1 } from '#crypto';
import { Transaction } from '#primitives';
import { signatureHash, TxSighash, TxSignatureChecker } from '#script';
import { concatBytes, toHex } from '#util';
import { SigVersion } from '../../../src/script/sig-version.ts';
import { signedTx } from '../../support/signed-tx.ts';

type Times = { readonly version?: number; readonly lockTime?: number; readonly sequence?: number };

function checkerFor({ version = 2, lockTime = 0, sequence = 0 }: Times): TxSignatureChecker {
  const input = { prevTxid: new Uint8Array(32), prevIndex: 0, scriptSig: new Uint8Array(0), sequence, witness: [] };
  const output = { value: 0n, scriptPubKey: new Uint8Array(0) };
  const tx = Transaction.fromFields({ version, inputs: [input], outputs: [output], lockTime });
  return new TxSignatureChecker(new TxSighash(tx, [output]), 0, loadSecp256k1());
}

test('BIP65: same kind, not later than the transaction, and a sequence that is not final', () => {
  const check = (lockTime: number, wanted: number, sequence = 0): boolean =>
    checkerFor({ lockTime, sequence }).checkLockTime(wanted);
  assert.equal(check(100, 100), true);
  assert.equal(check(100, 0), true);
  assert.equal(check(100, 101), false);
  assert.equal(check(499_999_999, 500_000_000), false, 'a height cannot satisfy a time');
  assert.equal(check(500_000_000, 499_999_999), false, 'a time cannot satisfy a height');
  assert.equal(check(500_000_000, 500_000_000), true);
  assert.equal(check(0xffffffff, 0xffffffff), true);
  assert.equal(check(0xffffffff, 0x100000000), false, 'more than a lock time can hold');
  assert.equal(check(100, 100, 0xffffffff), false);
  assert.equal(check(100, 100, 0xfffffffe), true);
});

test('BIP112: version 2, not disabled, same kind, not longer than the sequence', () => {
  const TIME = 1 << 22;
  const check = (sequence: number, wanted: number, version = 2): boolean =>
    checkerFor({ sequence, version }).checkSequence(wanted);
  assert.equal(check(10, 10), true);
  assert.equal(check(10, 11), false);
  assert.equal(check(10, 10, 1), false);
  assert.equal(check(10, 10, -1), true, 'Core compares the version as unsigned');
  assert.equal(check(10, 10, 0), false);
  assert.equal(check(11, 11), true);
  assert.equal(check(TIME + 10, TIME + 10), true);
  assert.equal(check(TIME, TIME), true, 'no units of time');
  assert.equal(check(TIME + 1, TIME), true);
  assert.equal(check(TIME, TIME + 1), false);
  assert.equal(check(TIME, 0), false);
  assert.equal(check(TIME + 10, 10), false);
  assert.equal(check(10, TIME + 10), false);
  assert.equal(check(0x80000000 + 10, 10), false, 'the sequence has no relative lock');
  assert.equal(check(10, 0x10000 + 10), true, 'other bits do not count');
  assert.equal(check(0x10000 + 10, 10), true);
  assert.equal(check(10, 2 ** 32 + 11), false, 'nor do bits above 32');
});

describe('signature hashes', () => {
  const { tx, spent } = signedTx(['p2pkh', 'p2wpkh', 'p2tr key']);

  test('a checker asked again with other bytes, another type or version gives another hash', () => {
    const asked: string[] = [];
    const secp = loadSecp256k1();
    const spy = { ...secp, verifyEcdsa: (hash: Uint8Array) => asked.push(toHex(hash)) > 0 };
    const checker = new TxSignatureChecker(new TxSighash(tx, spent), 0, spy);
    const key = new Uint8Array(33).fill(2);
    const codes = [Uint8Array.of(0xac), Uint8Array.of(0x51, 0xac)];
    for (const version of [SigVersion.BASE, SigVersion.WITNESS_V0]) {
      for (const code of codes) {
        for (const hashType of [1, 2, 3, 0x81, 0x82, 0x83, 0]) {
          const signature = Uint8Array.of(0x30, hashType);
          checker.checkEcdsa(signature, key, code, version);
          checker.checkEcdsa(signature, key, code, version);
        }
      }
    }
    assert.equal(asked.length, 56);
    assert.equal(new Set(asked).size, 28);
    for (let i = 0; i < asked.length; i += 2) assert.equal(asked[i], asked[i + 1]);
  });

  test('a checker asked for the same again does not hash again', () => {
    const hashes: Uint8Array[] = [];
    const spy = { ...loadSecp256k1(), verifyEcdsa: (hash: Uint8Array) => hashes.push(hash) > 0 };
    const checker = new TxSignatureChecker(new TxSighash(tx, spent), 0, spy);
    const key = new Uint8Array(33).fill(2);
    const code = Uint8Array.of(0xac);
    for (const version of [SigVersion.BASE, SigVersion.WITNESS_V0]) {
      for (const hashType of [1, 1, 2, 2]) checker.checkEcdsa(Uint8Array.of(0x30, hashType), key, code, version);
      checker.checkEcdsa(Uint8Array.of(0x30, 2), key, Uint8Array.from(code), version);
    }
    checker.checkEcdsa(Uint8Array.of(0x30, 2), key, code, SigVersion.BASE);
    checker.checkEcdsa(Uint8Array.of(0x30, 2), key, code, SigVersion.WITNESS_V0);
    const same = hashes.map((hash, i) => hash === hashes[i - 1]);
    assert.deepEqual(same, [false, true, false, true, false, false, true, false, true, false, false, false]);
  });

  test('what the curve is given: the hash, the key, the signature without its type; nothing for bad shapes', () => {
    const asked: string[] = [];
    const secp = loadSecp256k1();
    const spy = {
      ...secp,
      verifyEcdsa: (...args: readonly Uint8Array[]) => asked.push(args.map(toHex).join(' ')) > 0,
      verifySchnorr: (...args: readonly Uint8Array[]) => asked.push(args.map(toHex).join(' ')) > 1,
    };
    const sighash = new TxSighash(tx, spent);
    const checker = new TxSignatureChecker(sighash, 1, spy);
    const key = new Uint8Array(33).fill(2);
    const code = Uint8Array.of(0xac);
    assert.equal(checker.checkEcdsa(new Uint8Array(0), key, code, SigVersion.BASE), false);
    assert.equal(checker.checkEcdsa(Uint8Array.of(9, 1), key.subarray(1), code, SigVersion.BASE), false);
    assert.equal(checker.checkEcdsa(Uint8Array.of(8, 9, 1), key, code, SigVersion.BASE), true);
    assert.deepEqual(asked, [`${toHex(sighash.legacy(code, 1, 1))} ${toHex(key)} 0809`]);

    const context = { annexHash: undefined, leafHash: undefined, codeSeparatorPosition: 0xffffffff, weightLeft: 0 };
    const xOnly = new Uint8Array(32).fill(3);
    const schnorr = (length: number, type?: number): string | undefined => {
      const signature = new Uint8Array(length).fill(7);
      if (type !== undefined) signature[64] = type;
      return checker.checkSchnorr(signature, xOnly, SigVersion.TAPROOT, context);
    };
    for (const length of [0, 63, 66]) assert.equal(schnorr(length), 'SCHNORR_SIG_SIZE');
    assert.equal(schnorr(65, 0), 'SCHNORR_SIG_HASHTYPE');
    assert.equal(schnorr(65, 4), 'SCHNORR_SIG_HASHTYPE');
    for (const [length, type] of [
      [64, 0],
      [65, 1],
      [65, 0x81],
    ] as const) {
      asked.length = length === 64 ? 0 : 1;
      assert.equal(schnorr(length, length === 64 ? undefined : type), length === 64 ? 'SCHNORR_SIG' : undefined);
      const hash = sighash.taproot(1, type, SigVersion.TAPROOT, context);
      assert.equal(asked.at(-1), `${hash && toHex(hash)} ${toHex(xOnly)} ${'07'.repeat(64)}`);
    }
  });

  test('before segwit the whole hash and the general one agree where they should', () => {
    const code = Uint8Array.of(0x51, 0xab, 0xac);
    const plain = Uint8Array.of(0x51, 0xac);
    for (const hashType of [1, 2, 3, 0x81, 0x82, 0x83, 0, 4, 0x1f, 0x40, 0xff]) {
      const hash = toHex(signatureHash(code, tx, 1, hashType));
      assert.equal(hash, toHex(signatureHash(plain, tx, 1, hashType)), 'OP_CODESEPARATOR is not hashed');
    }
    assert.equal(
      toHex(signatureHash(code, tx, 2, 3)),
      `01${'00'.repeat(31)}`,
      'SIGHASH_SINGLE without its output is the number one',
    );
  });

  test('SIGHASH_ALL is the hash of the transaction with the script in place, of any length', () => {
    for (const length of [0, 1, 252, 253, 10_000, 65_535, 65_536]) {
      const code = new Uint8Array(length).fill(0x51);
      const inputs = tx.inputs.map((input, at) => ({
        ...input,
        witness: [],
        scriptSig: at === 1 ? code : new Uint8Array(0),
      }));
      const { version, outputs, lockTime } = tx;
      const filled = Transaction.fromFields({ version, inputs, outputs, lockTime }).raw;
      const expected = hash256(concatBytes(filled, Uint8Array.of(1, 0, 0, 0)));
      assert.equal(toHex(signatureHash(code, tx, 1, 1)), toHex(expected), `script of ${length} bytes`);
    }
  });

  test('taproot refuses unknown hash types, and SIGHASH_SINGLE without its output', () => {
    const sighash = new TxSighash(tx, spent);
    const context = { annexHash: undefined, leafHash: undefined, codeSeparatorPosition: 0xffffffff, weightLeft: 0 };
    const known = Array.from({ length: 256 }, (_, hashType) => hashType).filter(
      (hashType) => sighash.taproot(0, hashType, SigVersion.TAPROOT, context) !== undefined,
    );
    assert.deepEqual(known, [0, 1, 2, 3, 0x81, 0x82, 0x83]);
    assert.equal(sighash.taproot(2, 3, SigVersion.TAPROOT, context), undefined);
    assert.equal(sighash.taproot(2, 0x83, SigVersion.TAPROOT, context), undefined);
    assert.notEqual(sighash.taproot(2, 0x82, SigVersion.TAPROOT, context), undefined);
  });
});
