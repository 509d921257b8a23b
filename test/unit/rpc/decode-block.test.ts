import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeHexBlock, decodeHexHeader } from '../../../src/rpc/core-io/decode-block.ts';

test('hex as long as the largest block is looked at to its end', () => {
  const text = '00'.repeat(4_000_000);
  assert.equal(decodeHexHeader(text)?.bits, 0);
  assert.equal(decodeHexBlock(text), undefined, 'no transactions');
  assert.equal(decodeHexHeader(`${text}zz`), undefined);
  assert.equal(decodeHexHeader(`${text}0`), undefined);
  assert.equal(decodeHexBlock(''), undefined);
});
