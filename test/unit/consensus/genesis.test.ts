/** Genesis blocks made from fields, byte by byte, and the search for a nonce. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromHex, toHex } from '#util';
import {
  createGenesis,
  type GenesisFields,
  MAX_GENESIS_MESSAGE_BYTES,
  mineGenesis,
} from '../../../src/consensus/genesis.ts';
import { merkleRoot } from '../../../src/consensus/merkle.ts';
import { paramsOf } from './fixtures.ts';

const fields: GenesisFields = {
  version: 3,
  time: 1_600_000_000,
  bits: 0x207fffff,
  nonce: 7,
  message: 'hello',
  rewardSats: 1234,
  outputScript: fromHex('51'),
};

const scriptOf = (message: string): string => {
  const [coinbase] = createGenesis({ ...fields, message }).transactions;
  return toHex(coinbase?.inputs[0]?.scriptSig ?? new Uint8Array());
};

test('mainnet’s genesis has Satoshi’s headline in this form', () => {
  const headline = 'The Times 03/Jan/2009 Chancellor on brink of second bailout for banks';
  const { genesis } = paramsOf('mainnet');
  assert.equal(toHex(genesis.transactions[0]?.inputs[0]?.scriptSig ?? new Uint8Array()), scriptOf(headline));
});

test('header and coinbase', () => {
  const { header, transactions } = createGenesis(fields);
  assert.deepEqual(
    [header.version, header.time, header.bits, header.nonce, header.prevHash],
    [3, 1_600_000_000, 0x207fffff, 7, '00'.repeat(32)],
  );
  const [coinbase] = transactions;
  assert.ok(coinbase !== undefined && transactions.length === 1);
  assert.deepEqual(header.merkleRoot, merkleRoot([coinbase.txidBytes]));
  const nullInput = `01${'00'.repeat(32)}ffffffff0d04ffff001d010405${toHex(Buffer.from('hello'))}ffffffff`;
  assert.equal(toHex(coinbase.raw), `01000000${nullInput}01d2040000000000000151${'00000000'}`);
});

test('messages are pushed in the short form up to 75 bytes', () => {
  assert.equal(MAX_GENESIS_MESSAGE_BYTES, 91);
  for (const [length, push] of [
    [0, '00'],
    [75, '4b'],
    [76, '4c4c'],
    [91, '4c5b'],
  ] as const) {
    assert.equal(scriptOf('a'.repeat(length)), `04ffff001d0104${push}${'61'.repeat(length)}`);
  }
});

test('the search starts at the nonce that is given and tries as many as it may', () => {
  const found = mineGenesis(fields);
  assert.ok(found !== undefined);
  const { nonce } = found.header;
  assert.equal(found.hash, createGenesis({ ...fields, nonce }).hash);
  for (let lower = fields.nonce; lower < nonce; lower++)
    assert.equal(mineGenesis({ ...fields, nonce: lower }, 1), undefined);
  assert.equal(mineGenesis({ ...fields, nonce }, 1)?.header.nonce, nonce);
  assert.equal(mineGenesis({ ...fields, nonce }, 0), undefined);
  assert.equal(mineGenesis(fields, nonce - fields.nonce), undefined);
});

test('the search ends with the last nonce there is', () => {
  // Times are tried until the very last nonce is good, and one at which it is not.
  const last = (time: number) => mineGenesis({ ...fields, time, nonce: 0xffffffff });
  const times = Array.from({ length: 20 }, (_, i) => fields.time + i);
  assert.ok(times.some((time) => last(time)?.header.nonce === 0xffffffff));
  assert.ok(times.some((time) => last(time) === undefined));
  // Not on with zero, which some of these times would take.
  for (const time of times) assert.equal(last(time)?.header.nonce ?? 0xffffffff, 0xffffffff);
});

test('bits that no hash can meet are not searched for', () => {
  for (const bits of [0, 0x1d80ffff, 0xff123456]) assert.equal(mineGenesis({ ...fields, bits }), undefined);
});
