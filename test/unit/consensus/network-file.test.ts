/** Network files: the built-in ones hold Core's values; mistakes are named; private networks need little. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkBlock, parseNetworkParams } from '#consensus';
import { MAX_MONEY } from '#primitives';
import { toHex } from '#util';
import example from '../../../config/networks/example-private.json' with { type: 'json' };
import { mineGenesis } from '../../../src/consensus/genesis.ts';
import { networkFiles, paramsOf, problemOf } from './fixtures.ts';

const GENESIS_HASHES = {
  mainnet: '000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f',
  testnet3: '000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943',
  testnet4: '00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043',
  signet: '00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6',
  regtest: '0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206',
} as const;
const SATOSHIS_ROOT = '4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b';
const TESTNET4_ROOT = '7aa0a7ae1e223414cb807e40cd57e667b718e42aaf9306db9102fe28912b7b4e';

for (const name of Object.keys(GENESIS_HASHES) as (keyof typeof GENESIS_HASHES)[]) {
  test(`${name}: the genesis block is made from the file and passes the rules of a block`, () => {
    const params = paramsOf(name);
    assert.equal(params.genesis.hash, GENESIS_HASHES[name]);
    const root = toHex(params.genesis.header.merkleRoot.toReversed());
    assert.equal(root, name === 'testnet4' ? TESTNET4_ROOT : SATOSHIS_ROOT);
    assert.equal(checkBlock(params.genesis, params), undefined);
    assert.equal(params.name, name);
  });
}

test('names and folders are Core’s', () => {
  const rows = Object.keys(GENESIS_HASHES).map((name) => {
    const { chainName, dataDirName, magic } = paramsOf(name as keyof typeof GENESIS_HASHES);
    return [chainName, dataDirName, toHex(magic)];
  });
  assert.deepEqual(rows, [
    ['main', '', 'f9beb4d9'],
    ['test', 'testnet3', '0b110907'],
    ['testnet4', 'testnet4', '1c163f28'],
    ['signet', 'signet', '0a03cf40'],
    ['regtest', 'regtest', 'fabfb5da'],
  ]);
});

const { regtest } = networkFiles;
const GENESIS = {
  time: 1_700_000_000,
  bits: '207fffff',
  nonce: 0,
  message: 'a private chain',
  rewardSats: 5_000_000_000,
  outputScript: '51',
};
const PRIVATE = { base: 'regtest', name: 'private', magic: '01020304', genesis: GENESIS };

test('the example of a private network works', () => {
  const params = parseNetworkParams(example, networkFiles);
  assert.equal(params.name, 'example-private');
  assert.equal(checkBlock(params.genesis, params), undefined);
});

test('a private network takes rules from its base, but nothing of the base’s own chain', () => {
  const params = parseNetworkParams(
    { ...PRIVATE, base: 'mainnet', genesis: { ...GENESIS, skipProofOfWork: true } },
    networkFiles,
  );
  const { activation, pow, address, subsidyHalvingInterval } = paramsOf('mainnet');
  assert.deepEqual([params.activation, params.pow, params.address], [activation, pow, address]);
  assert.equal(params.subsidyHalvingInterval, subsidyHalvingInterval);
  assert.equal(params.chainName, 'private');
  assert.equal(params.dataDirName, 'private');
  assert.equal(params.minimumChainWork, 0n);
  assert.equal(params.assumeValid, undefined);
  assert.equal(params.bip34Hash, undefined);
  const { bip30Exceptions, scriptFlagExceptions, checkpoints, seeds } = params;
  assert.deepEqual([bip30Exceptions.size, scriptFlagExceptions.size, checkpoints.size, seeds.length], [0, 0, 0, 0]);
});

test('other activation heights on the same chain (Core’s -testactivationheight)', () => {
  const params = parseNetworkParams({ base: 'regtest', name: 'late', activation: { segwit: 300 } }, networkFiles);
  assert.deepEqual(params.activation, { bip34: 1, bip65: 1, bip66: 1, csv: 1, segwit: 300, taproot: 0 });
  assert.equal(params.genesis.hash, GENESIS_HASHES.regtest);
  assert.equal(toHex(params.magic), 'fabfb5da');
  assert.equal(params.checkpoints.size, 1);
});

test('a signet of one’s own keeps the genesis and gets its magic from the challenge', () => {
  const params = parseNetworkParams({ base: 'signet', name: 'mine', signetChallenge: '51' }, networkFiles);
  assert.equal(params.genesis.hash, GENESIS_HASHES.signet);
  assert.equal(params.minimumChainWork, 0n);
  assert.equal(toHex(params.magic), '54d26fbd');
  assert.match(
    problemOf({ base: 'signet', name: 'mine', signetChallenge: '51', magic: '01020304' }),
    /^magic: must be 54d26fbd/,
  );
});

test('genesis as raw bytes', () => {
  const raw = toHex(paramsOf('regtest').genesis.raw);
  const params = parseNetworkParams({ ...PRIVATE, genesis: { raw } }, networkFiles);
  assert.equal(params.genesis.hash, GENESIS_HASHES.regtest);
  assert.match(problemOf({ ...PRIVATE, genesis: { raw: raw.slice(2) } }), /^genesis\.raw: not a block/);
  const otherCoinbase = raw.replace('5468652054696d6573', '5468652054696d6574');
  assert.match(problemOf({ ...PRIVATE, genesis: { raw: otherCoinbase } }), /^genesis\.raw: the header's merkle root/);
  const withParent = `${raw.slice(0, 8)}01${raw.slice(10)}`;
  assert.match(problemOf({ ...PRIVATE, genesis: { raw: withParent } }), /^genesis\.raw: the header names a parent/);
});

test('mistakes are named by field', () => {
  const rows: readonly [json: unknown, problem: RegExp][] = [
    [[], /^the file: /],
    ['regtest', /^the file: /],
    [{ ...regtest, extra: 1 }, /^extra: unknown field/],
    [{ ...regtest, pow: { ...regtest.pow, limt: '00' } }, /^pow\.limt: unknown field/],
    [{ ...PRIVATE, activation: { segwitt: 5 } }, /^activation\.segwitt: unknown field/],
    [{ ...regtest, magic: 'fabfb5' }, /^magic: must be 4 bytes/],
    [{ ...regtest, magic: undefined }, /^magic: is missing/],
    [{ ...regtest, activation: { ...regtest.activation, csv: -1 } }, /^activation\.csv: /],
    [{ ...regtest, pow: { ...regtest.pow, targetSpacingSeconds: 0.5 } }, /^pow\.targetSpacingSeconds: /],
    [
      { ...regtest, pow: { ...regtest.pow, targetTimespanSeconds: 599 } },
      /^pow\.targetTimespanSeconds: must be at least/,
    ],
    [{ ...regtest, pow: { ...regtest.pow, limit: '0' } }, /^pow\.limit: must not be 0/],
    [{ ...regtest, checkpoints: { '-1': GENESIS_HASHES.regtest } }, /^checkpoints/],
    [{ ...regtest, assumeValid: 'abc' }, /^assumeValid: must be 64 hex digits/],
    [{ ...regtest, chainTxData: { time: 1, txCount: 2 } }, /^chainTxData\.txRate: .*expected number/],
    [{ ...regtest, seeds: ['127.0.0.1'] }, /^seeds\.0: must be a multiaddr/],
    [
      { ...regtest, scriptFlagExceptions: { [GENESIS_HASHES.regtest]: ['WITNESS'] } },
      /^scriptFlagExceptions\.\w+: WITNESS needs P2SH/,
    ],
    [
      { ...regtest, genesis: { ...regtest.genesis, nonce: 3 } },
      /^genesis\.hash: the block's hash is [0-9a-f]{64}, not /,
    ],
    [{ ...regtest, genesis: { ...GENESIS, bits: '1d00ffff' } }, /^genesis: the hash .* does not meet bits/],
    [{ ...regtest, genesis: { ...GENESIS, bits: '11008000', skipProofOfWork: true } }, /^genesis\.bits: more work/],
    [{ ...regtest, genesis: { ...GENESIS, message: 'x'.repeat(92) } }, /^genesis\.message: must have at most 91 bytes/],
    [{ ...regtest, genesis: { ...GENESIS, rewardSats: Number(MAX_MONEY) + 1 } }, /^genesis\.rewardSats: /],
    [{ base: 'nope', name: 'x' }, /^base: must be one of mainnet, /],
    [{ base: 'regtest' }, /^name: /],
    [{ base: 'regtest', name: 'mainnet' }, /^name: "mainnet" is a built-in network/],
    [{ base: 'regtest', name: 'A b' }, /^name: must be 1 to 32 of/],
    [{ base: 'regtest', name: 'x', genesis: GENESIS }, /^magic: a network with its own genesis needs its own magic/],
  ];
  for (const [json, problem] of rows) assert.match(problemOf(json), problem, JSON.stringify(json).slice(0, 200));
});

test('a genesis can be mined, and its fields make it again', () => {
  const fields = { ...GENESIS, version: 1, bits: 0x2000ffff, outputScript: Uint8Array.of(0x51) };
  const block = mineGenesis(fields);
  assert(block !== undefined);
  const { nonce } = block.header;
  assert(nonce > 0);
  const file = { ...PRIVATE, genesis: { ...GENESIS, bits: '2000ffff', nonce, hash: block.hash } };
  assert.deepEqual(parseNetworkParams(file, networkFiles).genesis.raw, block.raw);
  assert.equal(mineGenesis(fields, nonce), undefined, 'the search is bounded');
  assert.equal(mineGenesis({ ...fields, nonce: 0xffffffff, bits: 0x03000001 }), undefined, 'and ends with the nonces');
  assert.equal(mineGenesis({ ...fields, bits: 0 }), undefined, 'no hash can meet impossible bits');
});
