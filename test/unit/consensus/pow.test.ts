/** Compact targets, proof of work, retargeting. Figures are those of Bitcoin Core's arith_uint256 and pow tests. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  blockProof,
  compactToTarget,
  type NetworkParams,
  nextWorkRequired,
  permittedDifficultyTransition,
} from '#consensus';
import { idToBytes, parseBlockHash } from '#primitives';
import { checkProofOfWork, MAX_TARGET, retarget, targetToCompact } from '../../../src/consensus/pow.ts';
import { paramsOf, tipOf, type ViewFields, viewAt, viewChain } from './fixtures.ts';

const mainnet = paramsOf('mainnet');
const testnet3 = paramsOf('testnet3');
const testnet4 = paramsOf('testnet4');
const regtest = paramsOf('regtest');
const INTERVAL = 2016;

test('compact targets decode as in Core, flags included', () => {
  const rows: readonly [bits: number, target: bigint, negative: boolean, overflow: boolean][] = [
    [0x00000000, 0n, false, false],
    [0x00123456, 0n, false, false],
    [0x01003456, 0n, false, false],
    [0x02000056, 0n, false, false],
    [0x03000000, 0n, false, false],
    [0x04000000, 0n, false, false],
    [0x00923456, 0n, false, false],
    [0x01803456, 0n, false, false],
    [0x02800056, 0n, false, false],
    [0x03800000, 0n, false, false],
    [0x04800000, 0n, false, false],
    [0x01123456, 0x12n, false, false],
    [0x01fedcba, 0x7en, true, false],
    [0x02123456, 0x1234n, false, false],
    [0x03123456, 0x123456n, false, false],
    [0x04123456, 0x12345600n, false, false],
    [0x04923456, 0x12345600n, true, false],
    [0x05009234, 0x92340000n, false, false],
    [0x20123456, 0x123456n << 232n, false, false],
    [0xff123456, 0n, false, true],
    [0x21010000, 0n, false, true],
    [0x2100ffff, 0xffffn << 240n, false, false],
    [0x220000ff, 0xffn << 248n, false, false],
    [0x22000100, 0n, false, true],
    [0x2200ffff, 0xffn << 248n, false, true],
    [0xff000000, 0n, false, false],
    [0x23000001, 0n, false, true],
  ];
  for (const [bits, target, negative, overflow] of rows) {
    const decoded = compactToTarget(bits);
    assert.deepEqual(
      { negative: decoded.negative, overflow: decoded.overflow },
      { negative, overflow },
      bits.toString(16),
    );
    assert.equal(decoded.target, target, bits.toString(16));
  }
});

test('targets encode as in Core', () => {
  const rows: readonly [target: bigint, bits: number][] = [
    [0n, 0],
    [0x12n, 0x01120000],
    [0x80n, 0x02008000],
    [0x1234n, 0x02123400],
    [0x123456n, 0x03123456],
    [0x12345600n, 0x04123456],
    [0x92340000n, 0x05009234],
    [0x1234560000n, 0x05123456],
    [2n ** 256n - 1n, 0x2100ffff],
    [mainnet.pow.limit, 0x1d00ffff],
    [regtest.pow.limit, 0x207fffff],
    [paramsOf('signet').pow.limit, 0x1e0377ae],
  ];
  for (const [target, bits] of rows) assert.equal(targetToCompact(target), bits, target.toString(16));
});

test('a target loses at most its lower digits when it is encoded, and nothing more the second time', () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 2n ** 256n - 1n), (target) => {
      const bits = targetToCompact(target);
      const rounded = compactToTarget(bits);
      assert(!rounded.negative && !rounded.overflow);
      assert(rounded.target <= target && target - rounded.target <= target >> 15n);
      assert.equal(targetToCompact(rounded.target), bits);
    }),
  );
});

test('proof of work: the hash may equal the target; impossible bits never pass', () => {
  const hash = (target: bigint) => idToBytes(parseBlockHash(target.toString(16).padStart(64, '0')));
  const limit = mainnet.pow.limit;
  const target = 0xffffn << 208n;
  assert.equal(checkProofOfWork(hash(target), 0x1d00ffff, limit), true);
  assert.equal(checkProofOfWork(hash(target + 1n), 0x1d00ffff, limit), false);
  // Negative, overflowing, zero, above the limit (by one in the last digit of the mantissa).
  for (const bits of [0x1d80ffff, 0x01fedcba, 0xff00ffff, 0x1d000000, 0, 0x1d010000, 0x207fffff]) {
    assert.equal(checkProofOfWork(hash(1n), bits, limit), false, bits.toString(16));
  }
});

test('proof of work compares all 256 bits, for targets of every size', () => {
  const bytes = (hash: bigint) => idToBytes(parseBlockHash(hash.toString(16).padStart(64, '0')));
  const bits = fc.tuple(fc.integer({ min: 1, max: 34 }), fc.integer({ min: 1, max: 0x7fffff }));
  fc.assert(
    fc.property(bits, fc.bigInt({ min: 0n, max: MAX_TARGET }), ([size, word], any) => {
      const compact = size * 2 ** 24 + word;
      const { target, overflow } = compactToTarget(compact);
      for (const hash of [target, target + 1n, target - 1n, any % (target * 2n + 1n), any]) {
        if (hash < 0n || hash > MAX_TARGET) continue;
        const expected = !overflow && target !== 0n && hash <= target;
        assert.equal(checkProofOfWork(bytes(hash), compact, MAX_TARGET), expected, `${compact.toString(16)} ${hash}`);
      }
    }),
  );
});

test('work of a header', () => {
  assert.equal(MAX_TARGET, 2n ** 256n - 1n);
  assert.equal(blockProof(0x1d00ffff), 0x100010001n);
  assert.equal(blockProof(0x207fffff), 2n);
  assert.equal(blockProof(0x2100ffff), 1n);
  assert.equal(blockProof(0x03000001), 2n ** 255n);
  assert.equal(blockProof(0x01120000), 2n ** 256n / 0x13n);
  for (const bits of [0, 0x1d80ffff, 0xff123456, 0x2200ffff]) assert.equal(blockProof(bits), 0n);
});

test('retargets of Core’s pow_tests', () => {
  const rows = [
    { name: 'no limit applies', bits: 0x1d00ffff, first: 1261130161, last: 1262152739, expected: 0x1d00d86a },
    { name: 'pow limit', bits: 0x1d00ffff, first: 1231006505, last: 1233061996, expected: 0x1d00ffff },
    { name: 'a quarter at least', bits: 0x1c05a3f4, first: 1279008237, last: 1279297671, expected: 0x1c0168fd },
    { name: 'four times at most', bits: 0x1c387f6f, first: 1263163443, last: 1269211443, expected: 0x1d00e1fd },
  ];
  for (const { name, bits, first, last, expected } of rows) {
    assert.equal(retarget(bits, last - first, mainnet.pow), expected, name);
    assert(permittedDifficultyTransition(mainnet, INTERVAL, bits, expected), name);
  }
});

test('a quarter of a timespan that four does not divide is rounded down', () => {
  const pow = { ...mainnet.pow, targetTimespanSeconds: 10, targetSpacingSeconds: 5 };
  const target = compactToTarget(0x1c05a3f4).target;
  assert.equal(retarget(0x1c05a3f4, 0, pow), targetToCompact((target * 2n) / 10n));
  const params = { ...mainnet, pow };
  assert.equal(permittedDifficultyTransition(params, 2, 0x1c05a3f4, targetToCompact((target * 2n) / 10n)), true);
});

test('permitted transitions end at a factor of four, and within a period nothing may change', () => {
  // The ends of the third and fourth rows above.
  assert.equal(permittedDifficultyTransition(mainnet, 68544, 0x1c05a3f4, 0x1c0168fd), true);
  assert.equal(permittedDifficultyTransition(mainnet, 68544, 0x1c05a3f4, 0x1c0168fd - 1), false);
  assert.equal(permittedDifficultyTransition(mainnet, 46368, 0x1c387f6f, 0x1d00e1fd), true);
  assert.equal(permittedDifficultyTransition(mainnet, 46368, 0x1c387f6f, 0x1d00e1fd + 1), false);
  assert.equal(permittedDifficultyTransition(mainnet, 68545, 0x1c05a3f4, 0x1c0168fd), false);
  assert.equal(permittedDifficultyTransition(mainnet, 68545, 0x1c05a3f4, 0x1c05a3f4), true);
  // Networks with minimum-difficulty blocks allow everything.
  assert.equal(permittedDifficultyTransition(testnet3, 5, 0x1c05a3f4, 0x1d00ffff), true);
});

test('a permitted transition ends at the network’s limit, and does not know of networks that never retarget', () => {
  const limitBits = targetToCompact(mainnet.pow.limit);
  assert.equal(permittedDifficultyTransition(mainnet, INTERVAL, limitBits, limitBits), true);
  assert.equal(permittedDifficultyTransition(mainnet, INTERVAL, limitBits - 1, limitBits), true);
  assert.equal(permittedDifficultyTransition(mainnet, INTERVAL, limitBits, limitBits + 1), false);
  // As Core: with noRetargeting a change is still permitted here; nextWorkRequired refuses it later.
  const still = { ...mainnet, pow: { ...mainnet.pow, noRetargeting: true } };
  assert.equal(permittedDifficultyTransition(still, INTERVAL, 0x1c05a3f4, 0x1c0168fd), true);
  assert.equal(permittedDifficultyTransition(still, INTERVAL, 0x1c05a3f4, 0x1c0168fd - 1), false);
  assert.equal(permittedDifficultyTransition(still, INTERVAL + 1, 0x1c05a3f4, 0x1c0168fd), false);
});

/** Headers of heights 0 .. 2015, ten minutes apart unless said otherwise. */
function period(change: (height: number) => Partial<ViewFields>, start = 1_600_000_000) {
  return viewChain(
    Array.from({ length: INTERVAL }, (_, height) => ({
      time: start + height * 600,
      bits: 0x1c7fffff,
      ...change(height),
    })),
  );
}

test('only the first block of a period changes the difficulty, measured one spacing short', () => {
  const views = period(() => ({}));
  assert.equal(nextWorkRequired(viewAt(views, 2014), 0, mainnet), 0x1c7fffff);
  // 2015 spacings, not 2016: a little harder although every block came on time.
  const expected = targetToCompact((compactToTarget(0x1c7fffff).target * 2015n) / 2016n);
  assert.equal(nextWorkRequired(tipOf(views), 0, mainnet), expected);
});

test('a network without retargeting keeps its bits', () => {
  assert.equal(nextWorkRequired(tipOf(period(() => ({ bits: 0x207fffff }))), 0, regtest), 0x207fffff);
});

test('testnet: minimum difficulty more than 20 minutes after the parent', () => {
  const views = viewChain([
    { time: 0, bits: 0x1d00ffff },
    { time: 600, bits: 0x1c7fffff },
  ]);
  assert.equal(nextWorkRequired(tipOf(views), 600 + 1200, testnet3), 0x1c7fffff);
  assert.equal(nextWorkRequired(tipOf(views), 600 + 1201, testnet3), 0x1d00ffff);
  assert.equal(nextWorkRequired(tipOf(views), 600 + 1201, mainnet), 0x1c7fffff);
});

test('testnet: after exceptions the difficulty is that of the last block which is none', () => {
  for (const exceptions of [1, 2, 3]) {
    const bits = [0x1d00ffff, 0x1c7ffffe, 0x1c7fffff, ...Array.from({ length: exceptions }, () => 0x1d00ffff)];
    const views = viewChain(bits.map((b, i) => ({ time: i * 600, bits: b })));
    assert.equal(nextWorkRequired(tipOf(views), (exceptions + 3) * 600, testnet3), 0x1c7fffff, `${exceptions}`);
  }
  const fromGenesis = viewChain([
    { time: 0, bits: 0x1d00ffff },
    { time: 600, bits: 0x1d00ffff },
  ]);
  assert.equal(nextWorkRequired(tipOf(fromGenesis), 1200, testnet3), 0x1d00ffff);
});

test('testnet: the walk back ends at the first block of the period', () => {
  const first = viewChain(
    [{ time: 0, bits: 0x1c7fffff }, ...[1, 2, 3].map((i) => ({ time: i * 600, bits: 0x1d00ffff }))],
    INTERVAL,
  );
  assert.equal(nextWorkRequired(tipOf(first), 4 * 600, testnet3), 0x1c7fffff);
  const fields = Array.from({ length: 5 }, (_, i) => ({ time: i * 600, bits: 0x1d00ffff }));
  const views = viewChain([{ time: 0, bits: 0x1b7fffff }, ...fields], INTERVAL - 1);
  assert.equal(nextWorkRequired(tipOf(views), 5 * 600, testnet3), 0x1d00ffff);
});

test('BIP94 retargets from the first block of the period, others from the last', () => {
  const exceptionAtEnd = period((height) => (height === INTERVAL - 1 ? { bits: 0x1d00ffff } : {}));
  const scaled = (bits: number) => targetToCompact((compactToTarget(bits).target * 2015n) / 2016n);
  assert.equal(nextWorkRequired(tipOf(exceptionAtEnd), 0, testnet4), scaled(0x1c7fffff));
  assert.equal(nextWorkRequired(tipOf(exceptionAtEnd), 0, testnet3), scaled(0x1d00ffff));
});

test('a private network may retarget from the largest target there is', () => {
  const params: NetworkParams = { ...regtest, pow: { ...regtest.pow, noRetargeting: false } };
  assert.equal(nextWorkRequired(tipOf(period(() => ({ bits: 0x207fffff }))), 0, params), 0x207fefbd);
});
