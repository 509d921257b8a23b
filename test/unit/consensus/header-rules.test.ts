/** Header rules: each reason, and the last value on either side of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkBlockHeader, contextualCheckBlockHeader, lastCheckpointHeight, type NetworkParams } from '#consensus';
import { BlockHeader, type BlockHeaderFields } from '#primitives';
import { medianTimePast } from '../../../src/consensus/header-rules.ts';
import { coinbase, mineBlock, numberedHash, paramsOf, tipOf, viewAt, viewChain } from './fixtures.ts';

const regtest = paramsOf('regtest');
const START = 1_600_000_000;
const NOW = START + 1_000_000;

/** Eleven headers, ten minutes apart: the median of the last is START + 5 * 600. */
const eleven = viewChain(Array.from({ length: 11 }, (_, i) => ({ time: START + i * 600 })));

function header(changes: Partial<BlockHeaderFields> = {}): BlockHeader {
  return BlockHeader.fromFields({
    version: 4,
    prevHash: numberedHash(10),
    merkleRoot: new Uint8Array(32),
    time: START + 11 * 600,
    bits: 0x207fffff,
    nonce: 0,
    ...changes,
  });
}

function check(changes: Partial<BlockHeaderFields>, params: NetworkParams = regtest, lastCheckpoint?: number) {
  return contextualCheckBlockHeader(header(changes), tipOf(eleven), params, NOW, lastCheckpoint);
}

test('proof of work', () => {
  const { header: good } = mineBlock([coinbase(Uint8Array.of(1, 2))]);
  assert.equal(checkBlockHeader(good, regtest), undefined);
  assert.deepEqual(checkBlockHeader(good, paramsOf('mainnet')), {
    kind: 'invalid-header',
    code: 'high-hash',
    debug: 'proof of work failed',
  });
});

test('a good header', () => {
  assert.equal(check({}), undefined);
});

test('bits must be the required ones, and are checked first', () => {
  const found = check({ bits: 0x207ffffe, time: 0, version: 0 }, regtest, 100);
  assert.equal(found?.code, 'bad-diffbits');
  assert.equal(found?.kind, 'invalid-header');
});

test('time is above the median of the last eleven', () => {
  const median = medianTimePast(tipOf(eleven));
  assert.equal(median, START + 5 * 600);
  assert.equal(check({ time: median + 1 }), undefined);
  assert.deepEqual(check({ time: median }), {
    kind: 'invalid-header',
    code: 'time-too-old',
    debug: "block's timestamp is too early",
  });
});

test('median time past near genesis, and of unordered times', () => {
  assert.equal(medianTimePast(viewAt(eleven, 0)), START);
  // An even number: the upper of the two in the middle.
  assert.equal(medianTimePast(viewAt(eleven, 1)), START + 600);
  assert.equal(medianTimePast(viewAt(eleven, 2)), START + 600);
  const shuffled = viewChain([9, 2, 7, 4, 10, 1, 8, 3, 6, 5, 11, 100].map((time) => ({ time })));
  assert.equal(medianTimePast(viewAt(shuffled, 10)), 6);
  assert.equal(medianTimePast(viewAt(shuffled, 11)), 6);
});

test('time is at most two hours ahead of the clock', () => {
  assert.equal(check({ time: NOW + 7200 }), undefined);
  assert.deepEqual(check({ time: NOW + 7201 }), {
    kind: 'time-future',
    code: 'time-too-new',
    debug: 'block timestamp too far in the future',
  });
});

test('BIP94: the first block of a period is at most 600 s before its parent', () => {
  const testnet4 = paramsOf('testnet4');
  const pow = { ...testnet4.pow, limit: regtest.pow.limit, noRetargeting: true, allowMinDifficultyBlocks: false };
  // Old headers and one young parent, so that the median does not interfere.
  const times = Array.from({ length: 12 }, (_, i) => ({ time: i === 11 ? START + 5000 : START }));
  const at = (time: number, parentHeight: number, enforceBip94: boolean) => {
    const params: NetworkParams = { ...testnet4, pow: { ...pow, enforceBip94 } };
    const parent = tipOf(viewChain(times, parentHeight - 11));
    const found = contextualCheckBlockHeader(header({ time }), parent, params, NOW);
    assert(found === undefined || found.kind === 'invalid-header');
    return found?.code;
  };
  assert.equal(at(START + 5000 - 600, 2015, true), undefined);
  assert.equal(at(START + 5000 - 601, 2015, true), 'time-timewarp-attack');
  assert.equal(at(START + 5000 - 601, 2015, false), undefined);
  assert.equal(at(START + 5000 - 601, 2016, true), undefined);
});

test('each soft fork ends a version at its height', () => {
  const at = (version: number, heights: Partial<NetworkParams['activation']>) => {
    const never = { bip34: 1000, bip65: 1000, bip66: 1000, csv: 1000, segwit: 1000, taproot: 1000 };
    return check({ version }, { ...regtest, activation: { ...never, ...heights } })?.code;
  };
  assert.equal(at(1, {}), undefined);
  assert.equal(at(1, { bip34: 12 }), undefined);
  assert.equal(at(1, { bip34: 11 }), 'bad-version(0x00000001)');
  assert.equal(at(2, { bip34: 11 }), undefined);
  assert.equal(at(2, { bip66: 11 }), 'bad-version(0x00000002)');
  assert.equal(at(2, { bip66: 12 }), undefined);
  assert.equal(at(3, { bip66: 11 }), undefined);
  assert.equal(at(3, { bip65: 11 }), 'bad-version(0x00000003)');
  assert.equal(at(4, { bip34: 0, bip65: 0, bip66: 0 }), undefined);
  assert.equal(at(-1, { bip34: 11 }), 'bad-version(0xffffffff)');
  assert.equal(at(0x7fffffff, { bip65: 11 }), undefined);
});

test('an outdated version is said with its number, as the header’s fault', () => {
  assert.deepEqual(check({ version: 1 }, { ...regtest, activation: { ...regtest.activation, bip34: 1 } }), {
    kind: 'invalid-header',
    code: 'bad-version(0x00000001)',
    debug: 'rejected nVersion=0x00000001 block',
  });
});

test('a fork below the last known checkpoint is refused, before its time is looked at', () => {
  assert.deepEqual(check({ time: 0 }, regtest, 12), { kind: 'checkpoint', code: 'bad-fork-prior-to-checkpoint' });
  assert.equal(check({}, regtest, 11), undefined);
  assert.equal(check({}, regtest, undefined), undefined);
});

test('the last checkpoint is the highest whose header is known', () => {
  const mainnet = paramsOf('mainnet');
  const known = new Set([mainnet.checkpoints.get(11111), mainnet.checkpoints.get(74000)]);
  assert.equal(
    lastCheckpointHeight(mainnet, (hash) => known.has(hash)),
    74000,
  );
  assert.equal(
    lastCheckpointHeight(mainnet, () => true),
    295000,
  );
  assert.equal(
    lastCheckpointHeight(mainnet, () => false),
    undefined,
  );
  const backwards = { ...mainnet, checkpoints: new Map([...mainnet.checkpoints].reverse()) };
  assert.equal(
    lastCheckpointHeight(backwards, () => true),
    295000,
  );
});
