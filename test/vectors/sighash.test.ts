/** Bitcoin Core's sighash.json: the signature hash before segwit over random transactions, scripts and hash types. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTransaction } from '#consensus';
import { Transaction } from '#primitives';
import { signatureHash } from '#script';
import { fromHex, toReversedHex } from '#util';
import { caseRows, coreVectors, reportCount, text } from '../support/core-vectors.ts';

const rows = coreVectors('sighash.json');

test('sighash.json', { skip: rows === undefined && 'no vectors' }, (t) => {
  const cases = caseRows(rows ?? []);
  let passed = 0;
  for (const [rawTx, script, inputIndex, hashType, expected] of cases) {
    const tx = Transaction.fromBytes(fromHex(text(rawTx)));
    assert.equal(checkTransaction(tx), undefined, `case ${passed}`);
    const hash = signatureHash(fromHex(text(script)), tx, Number(inputIndex), Number(hashType));
    assert.equal(toReversedHex(hash), expected, `case ${passed}`);
    passed++;
  }
  reportCount(t, 'sighash.json', passed, cases.length);
});
