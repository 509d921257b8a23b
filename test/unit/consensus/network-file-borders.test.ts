/** Network files: both sides of each number's borders, what merging takes over, what is optional. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BUILT_IN_NETWORKS, parseNetworkParams } from '#consensus';
import { ScriptFlag } from '#script';
import { toHex } from '#util';
import { networkFiles, numberedHash, problemOf } from './fixtures.ts';

type Json = Readonly<Record<string, unknown>>;

const GENESIS: Json = {
  time: 1_700_000_000,
  bits: '207fffff',
  nonce: 0,
  message: 'a private chain',
  rewardSats: 5_000_000_000,
  outputScript: '51',
  skipProofOfWork: true,
};
const PRIVATE: Json = { base: 'regtest', name: 'private', magic: '01020304', genesis: GENESIS };

test('numbers', () => {
  const rows: readonly (readonly [section: string, field: string, min: number, max: number])[] = [
    ['genesis', 'version', -(2 ** 31), 2 ** 31 - 1],
    ['genesis', 'time', 0, 2 ** 32 - 1],
    ['genesis', 'nonce', 0, 2 ** 32 - 1],
    ['genesis', 'rewardSats', 0, 2_100_000_000_000_000],
    ['pow', 'targetTimespanSeconds', 1, 2 ** 32 - 1],
    ['pow', 'targetSpacingSeconds', 1, 2 ** 32 - 1],
    ['', 'subsidyHalvingInterval', 1, 2 ** 31 - 1],
    ...['bip34', 'bip65', 'bip66', 'csv', 'segwit', 'taproot'].map(
      (fork) => ['activation', fork, 0, 2 ** 31 - 1] as const,
    ),
    ...['pubKeyHash', 'scriptHash', 'secretKey'].map((prefix) => ['address', prefix, 0, 255] as const),
  ];
  for (const [section, field, min, max] of rows) {
    const problem = (value: number): string => {
      const fields = { ...(section === 'genesis' ? GENESIS : {}), [field]: value };
      // The timespan must not be shorter than the spacing: leave room for either.
      if (field === 'targetTimespanSeconds') Object.assign(fields, { targetSpacingSeconds: 1 });
      if (field === 'targetSpacingSeconds') Object.assign(fields, { targetTimespanSeconds: 2 ** 32 - 1 });
      return problemOf({ ...PRIVATE, ...(section === '' ? fields : { [section]: fields }) });
    };
    const name = section === '' ? field : `${section}.${field}`;
    for (const good of [min, max]) assert.equal(problem(good), 'none', `${name} ${good}`);
    for (const bad of [min - 1, max + 1])
      assert.ok(problem(bad).startsWith(`${name}: `), `${name} ${bad}: ${problem(bad)}`);
  }
});

test('a timespan of nothing is no number for one, not only too short for a spacing', () => {
  const pow = { targetTimespanSeconds: 0 };
  assert.doesNotMatch(problemOf({ ...PRIVATE, pow }), /targetSpacingSeconds/);
});

test('magic has four bytes, the proof-of-work limit is above zero, the timespan holds one spacing', () => {
  for (const magic of ['010203', '0102030405'])
    assert.match(problemOf({ ...PRIVATE, magic }), /^magic: must be 4 bytes/);
  assert.equal(problemOf({ ...PRIVATE, pow: { limit: '1' } }), 'none');
  assert.match(problemOf({ ...PRIVATE, pow: { limit: '0' } }), /^pow.limit: must not be 0/);
  const pow = { targetSpacingSeconds: 5, targetTimespanSeconds: 5 };
  assert.equal(problemOf({ ...PRIVATE, pow }), 'none');
  assert.match(problemOf({ ...PRIVATE, pow: { ...pow, targetTimespanSeconds: 4 } }), /^pow.targetTimespanSeconds: /);
});

test('the message fills the coinbase script at most', () => {
  assert.equal(problemOf({ ...PRIVATE, genesis: { ...GENESIS, message: `x${'é'.repeat(45)}` } }), 'none');
  assert.match(problemOf({ ...PRIVATE, genesis: { ...GENESIS, message: 'é'.repeat(46) } }), /^genesis.message: /);
});

test('what a genesis of fields leaves out: version 1, and a proof of work that is checked', () => {
  const params = parseNetworkParams(PRIVATE, networkFiles);
  assert.equal(params.genesis.header.version, 1);
  const { skipProofOfWork: _, ...checked } = GENESIS;
  assert.match(problemOf({ ...PRIVATE, genesis: { ...checked, bits: '1d00ffff' } }), /^genesis: the hash /);
  assert.equal(problemOf({ ...PRIVATE, genesis: { ...GENESIS, bits: '1d00ffff' } }), 'none');
  const raw = toHex(
    parseNetworkParams({ ...PRIVATE, genesis: { ...GENESIS, bits: '1d00ffff' } }, networkFiles).genesis.raw,
  );
  assert.match(problemOf({ ...PRIVATE, genesis: { raw } }), /^genesis: the hash /);
  assert.equal(problemOf({ ...PRIVATE, genesis: { raw, skipProofOfWork: true } }), 'none');
});

test('exceptions to script flags: each name is its bit, none is no flags', () => {
  const hash = (i: number): string => numberedHash(i);
  const { scriptFlagExceptions } = parseNetworkParams(
    {
      ...PRIVATE,
      scriptFlagExceptions: {
        [hash(1)]: [],
        [hash(2)]: ['P2SH'],
        [hash(3)]: ['P2SH', 'WITNESS'],
        [hash(4)]: ['TAPROOT'],
      },
    },
    networkFiles,
  );
  const { P2SH, WITNESS, TAPROOT } = ScriptFlag;
  assert.deepEqual([...scriptFlagExceptions.values()], [0, P2SH, P2SH | WITNESS, TAPROOT]);
  assert.deepEqual([...scriptFlagExceptions.keys()], [1, 2, 3, 4].map(hash));
  const unknown = { ...PRIVATE, scriptFlagExceptions: { [hash(1)]: ['DERSIG'] } };
  assert.match(problemOf(unknown), /^scriptFlagExceptions/);
});

test('blocks by height', () => {
  const { bip30Exceptions, checkpoints } = parseNetworkParams(
    { ...PRIVATE, bip30Exceptions: { 5: numberedHash(5) }, checkpoints: { 0: numberedHash(0), 70: numberedHash(7) } },
    networkFiles,
  );
  assert.deepEqual([...bip30Exceptions], [[5, numberedHash(5)]]);
  assert.deepEqual(
    [...checkpoints],
    [
      [0, numberedHash(0)],
      [70, numberedHash(7)],
    ],
  );
});

/** A base with something in every field that belongs to its own chain. */
const RICH: Json = {
  ...networkFiles.mainnet,
  chainName: 'rich',
  dataDirName: 'rich',
  bip34Hash: numberedHash(1),
  bip30Exceptions: { 1: numberedHash(1) },
  bip30Unspendable: { 1: numberedHash(1) },
  scriptFlagExceptions: { [numberedHash(1)]: [] },
  minimumChainWork: '05',
  assumeValid: numberedHash(1),
  checkpoints: { 1: numberedHash(1) },
  chainTxData: { time: 1, txCount: 2, txRate: 0.5 },
  seeds: ['/dns4/a/tcp/1'],
};

const CHAIN_FIELDS = [
  'bip34Hash',
  'bip30Exceptions',
  'bip30Unspendable',
  'scriptFlagExceptions',
  'minimumChainWork',
  'assumeValid',
  'checkpoints',
  'chainTxData',
  'seeds',
] as const;

test('a genesis or a challenge of one’s own: nothing of the base’s chain is taken over', () => {
  const fresh = parseNetworkParams({ ...PRIVATE, base: 'rich' }, { rich: RICH });
  const bare = parseNetworkParams(PRIVATE, networkFiles);
  for (const field of CHAIN_FIELDS) assert.deepEqual(fresh[field], bare[field], field);
  const signet = parseNetworkParams({ base: 'rich', name: 'mine', signetChallenge: '51' }, { rich: RICH });
  for (const field of CHAIN_FIELDS) assert.deepEqual(signet[field], bare[field], field);
  assert.equal(toHex(signet.magic), '54d26fbd');
  const both = { ...PRIVATE, base: 'rich', magic: undefined, signetChallenge: '51' };
  assert.equal(toHex(parseNetworkParams(JSON.parse(JSON.stringify(both)), { rich: RICH }).magic), '54d26fbd');
});

test('the same chain with other rules: all of the base’s chain, under a name of its own', () => {
  const whole = parseNetworkParams(RICH);
  const { name, chainName, dataDirName, ...same } = parseNetworkParams({ base: 'rich', name: 'other' }, { rich: RICH });
  assert.deepEqual([name, chainName, dataDirName], ['other', 'other', 'other']);
  for (const field of CHAIN_FIELDS) assert.deepEqual(same[field], whole[field], field);
  assert.deepEqual(same.magic, whole.magic);
  assert.deepEqual([whole.chainName, whole.dataDirName], ['rich', 'rich']);
});

test('sections are merged field by field, others replaced', () => {
  const params = parseNetworkParams(
    {
      base: 'rich',
      name: 'other',
      pow: { noRetargeting: true },
      activation: { csv: 7 },
      address: { bech32Hrp: 'zz' },
      checkpoints: { 9: numberedHash(9) },
    },
    { rich: RICH },
  );
  const whole = parseNetworkParams(RICH);
  assert.deepEqual(params.pow, { ...whole.pow, noRetargeting: true });
  assert.deepEqual(params.activation, { ...whole.activation, csv: 7 });
  assert.deepEqual(params.address, { ...whole.address, bech32Hrp: 'zz' });
  assert.deepEqual([...params.checkpoints.keys()], [9]);
  assert.match(problemOf({ base: 'regtest', name: 'x', pow: 5 }), /^pow: /);
  assert.match(problemOf({ base: 'regtest', name: 'x', pow: [] }), /^pow: /);
  assert.match(problemOf({ base: 'regtest', name: 'x', pow: null }), /^pow: /);
  for (const genesis of [5, null, 'raw', []]) assert.match(problemOf({ ...PRIVATE, genesis }), /^genesis: /);
  const odd = { base: 'odd', name: 'x', pow: networkFiles.regtest.pow };
  const { pow } = parseNetworkParams(odd, { odd: { ...networkFiles.regtest, pow: 'abc' } });
  assert.equal(pow.noRetargeting, true, 'what is no section is replaced');
});

test('a base is the name of a built-in network, and not the file’s own', () => {
  assert.deepEqual(BUILT_IN_NETWORKS, ['mainnet', 'testnet3', 'testnet4', 'signet', 'regtest']);
  for (const base of [5, null, 'toString', '__proto__', ['regtest'], '', 'private'])
    assert.match(problemOf({ ...PRIVATE, base }), /^base: must be one of/);
  for (const name of BUILT_IN_NETWORKS)
    assert.match(problemOf({ base: 'regtest', name }), /^name: .* is a built-in network/);
});

test('at most three problems are named, and a field inside a section by its path', () => {
  assert.equal(problemOf({ ...PRIVATE, a: 1, b: 2 }), 'a, b: unknown field (misspelt?)');
  assert.equal(problemOf({ ...PRIVATE, pow: { a: 1, b: 2 } }), 'pow.a, pow.b: unknown field (misspelt?)');
  const many = { ...PRIVATE, activation: { bip34: -1, bip65: -1, bip66: -1, csv: -1 } };
  assert.equal(problemOf(many).split('; ').length, 3);
  assert.match(problemOf(null), /^the file: /);
});
