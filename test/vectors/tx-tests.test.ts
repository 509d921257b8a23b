/**
 * Bitcoin Core's tx_valid.json and tx_invalid.json with the logic of its transaction_tests.cpp: besides the listed
 * flags, each flag is taken away or added alone and in random combinations, and the lists must be minimal.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTransaction } from '#consensus';
import { loadSecp256k1 } from '#crypto';
import { parseTxid, Transaction, type TxOutput, txidFromBytes } from '#primitives';
import { TxSighash, TxSignatureChecker, verifyScript } from '#script';
import { fromHex, seededRandom } from '#util';
import {
  ALL_FLAG_BITS,
  assemble,
  caseRows,
  coreVectors,
  fillFlags,
  list,
  parseFlags,
  reportCount,
  text,
  trimFlags,
} from '../support/core-vectors.ts';

const FLAG_COUNT = ALL_FLAG_BITS.length;
const secp = loadSecp256k1();

type Case = {
  readonly row: string;
  readonly tx: Transaction;
  readonly spent: readonly TxOutput[];
  readonly flagText: string;
};

function parseCase(row: readonly unknown[]): Case {
  const outputs = new Map<string, TxOutput>();
  for (const entry of list(row[0])) {
    const [txid, index, script, value] = list(entry);
    // Core's vectors write the null outpoint's index as -1.
    const outpoint = `${parseTxid(text(txid))}:${Number(index) >>> 0}`;
    outputs.set(outpoint, { scriptPubKey: assemble(text(script)), value: BigInt(Number(value ?? 0)) });
  }
  const tx = Transaction.fromBytes(fromHex(text(row[1])));
  const spent = tx.inputs.map((input) => {
    const output = outputs.get(`${txidFromBytes(input.prevTxid)}:${input.prevIndex}`);
    assert.ok(output, 'the vector lists every spent output');
    return output;
  });
  return { row: JSON.stringify(row), tx, spent, flagText: text(row[2]) };
}

function scriptsValid({ tx, spent }: Case, flags: number): boolean {
  const sighash = new TxSighash(tx, spent);
  return tx.inputs.every((input, at) => {
    const checker = new TxSignatureChecker(sighash, at, secp);
    const scriptPubKey = spent[at]?.scriptPubKey ?? new Uint8Array(0);
    return verifyScript(input.scriptSig, scriptPubKey, input.witness, flags, checker) === undefined;
  });
}

/** Core's ExcludeIndividualFlags: valid combinations that lack one of the flags. */
function withoutOne(flags: number): Set<number> {
  const combinations = new Set(ALL_FLAG_BITS.map((bit) => trimFlags(flags & ~bit)));
  combinations.delete(flags);
  return combinations;
}

const valid = coreVectors('tx_valid.json');

test('tx_valid.json', { skip: valid === undefined && 'no vectors' }, (t) => {
  const random = seededRandom(1);
  const cases = caseRows(valid ?? []).map(parseCase);
  let count = 0;
  let checks = 0;
  const expectValidity = (c: Case, flags: number, expected: boolean): void => {
    assert.equal(scriptsValid(c, flags), expected, `${c.row} under flags ${flags}`);
    checks++;
  };
  for (const c of cases) {
    assert.equal(checkTransaction(c.tx), undefined, c.row);
    const excluded = parseFlags(c.flagText);
    assert.equal(~excluded, fillFlags(~excluded), `${c.row}: flags that exclude each other`);
    expectValidity(c, ~excluded, true);
    for (const bit of ALL_FLAG_BITS) {
      expectValidity(c, trimFlags(~(excluded | bit)), true);
      expectValidity(c, trimFlags(~(excluded | random.below(2 ** FLAG_COUNT))), true);
    }
    for (const fewer of withoutOne(excluded)) expectValidity(c, ~fewer, false);
    count++;
  }
  reportCount(t, 'tx_valid.json', count, cases.length, `${checks} combinations of flags`);
});

const invalid = coreVectors('tx_invalid.json');

test('tx_invalid.json', { skip: invalid === undefined && 'no vectors' }, (t) => {
  const random = seededRandom(2);
  const rows = caseRows(invalid ?? []);
  let count = 0;
  let checks = 0;
  let badTransactions = 0;
  for (const row of rows) {
    count++;
    if (text(row[2]) === 'BADTX') {
      assert.ok(checkTransaction(Transaction.fromBytes(fromHex(text(row[1])))), JSON.stringify(row));
      badTransactions++;
      continue;
    }
    const c = parseCase(row);
    assert.equal(checkTransaction(c.tx), undefined, c.row);
    const flags = parseFlags(c.flagText);
    assert.equal(flags, fillFlags(flags), `${c.row}: flags that exclude each other`);
    const expectValidity = (tried: number, expected: boolean): void => {
      assert.equal(scriptsValid(c, tried), expected, `${c.row} under flags ${tried}`);
      checks++;
    };
    expectValidity(flags, false);
    for (const bit of ALL_FLAG_BITS) {
      expectValidity(fillFlags(flags | bit), false);
      expectValidity(fillFlags(flags | random.below(2 ** FLAG_COUNT)), false);
    }
    for (const fewer of withoutOne(flags)) expectValidity(fewer, true);
  }
  const remark = `${badTransactions} of them bad by themselves, ${checks} combinations of flags`;
  reportCount(t, 'tx_invalid.json', count, rows.length, remark);
});
