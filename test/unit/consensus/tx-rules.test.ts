/** CheckTransaction and CheckTxInputs: each reason, and the last value on either side of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkTransaction, checkTxInputs } from '#consensus';
import { MAX_MONEY, Transaction } from '#primitives';
import { fromHex } from '#util';
import { coinbase, input, output, transaction } from './fixtures.ts';

const codeOf = (tx: Transaction): string | undefined => checkTransaction(tx)?.code;

test('a good transaction and a good coinbase', () => {
  assert.equal(checkTransaction(transaction()), undefined);
  assert.equal(checkTransaction(coinbase(Uint8Array.of(1, 2))), undefined);
});

test('inputs and outputs', () => {
  // No input at all can only be written in the witness form, which then ends at once: version, two counts, lock time.
  assert.equal(codeOf(Transaction.fromBytes(fromHex('01000000000000000000'))), 'bad-txns-vin-empty');
  assert.equal(codeOf(transaction({ outputs: [] })), 'bad-txns-vout-empty');
});

test('size without witness, four times, is at most a block', () => {
  const base = transaction({ outputs: [output(0, new Uint8Array(100_000))] }).strippedSize - 100_000;
  const sized = (bytes: number) => transaction({ outputs: [output(0, new Uint8Array(bytes - base))] });
  assert.equal(sized(1_000_000).strippedSize, 1_000_000);
  assert.equal(codeOf(sized(1_000_000)), undefined);
  assert.equal(codeOf(sized(1_000_001)), 'bad-txns-oversize');
  const witness = [new Uint8Array(500_000), new Uint8Array(600_000)];
  assert.equal(codeOf(transaction({ inputs: [input(0, { witness })] })), undefined);
});

test('values', () => {
  const withValues = (...values: bigint[]) => codeOf(transaction({ outputs: values.map((value) => output(value)) }));
  assert.equal(withValues(0n), undefined);
  assert.equal(withValues(MAX_MONEY), undefined);
  assert.equal(withValues(-1n), 'bad-txns-vout-negative');
  assert.equal(withValues(MAX_MONEY + 1n), 'bad-txns-vout-toolarge');
  assert.equal(withValues(MAX_MONEY, 0n), undefined);
  assert.equal(withValues(MAX_MONEY - 1n, 1n), undefined);
  assert.equal(withValues(MAX_MONEY, 1n), 'bad-txns-txouttotal-toolarge');
  assert.equal(withValues(-(2n ** 63n)), 'bad-txns-vout-negative');
  assert.equal(withValues(2n ** 63n - 1n), 'bad-txns-vout-toolarge');
});

test('no outpoint twice (CVE-2018-17144)', () => {
  assert.equal(codeOf(transaction({ inputs: [input(0), input(1)] })), undefined);
  assert.equal(
    codeOf(transaction({ inputs: [input(0), input(1), input(0, { sequence: 1 })] })),
    'bad-txns-inputs-duplicate',
  );
  assert.equal(codeOf(transaction({ inputs: [input(3), input(3)] })), 'bad-txns-inputs-duplicate');
  // Index 1 and index 11 of different ids do not run together.
  const other = input(1, { prevTxid: new Uint8Array(32).fill(8) });
  assert.equal(codeOf(transaction({ inputs: [input(11), other] })), undefined);
});

test('duplicates are found wherever they stand', () => {
  const indexes = fc.uniqueArray(fc.nat(100_000), { minLength: 2, maxLength: 40 });
  fc.assert(
    fc.property(indexes, fc.nat(), fc.nat(), (unique, from, to) => {
      const repeated = [...unique];
      repeated.splice(to % (unique.length + 1), 0, unique[from % unique.length] ?? 0);
      assert.equal(codeOf(transaction({ inputs: unique.map((index) => input(index)) })), undefined);
      assert.equal(codeOf(transaction({ inputs: repeated.map((index) => input(index)) })), 'bad-txns-inputs-duplicate');
    }),
    { numRuns: 50 },
  );
});

test('coinbase script length, and null outpoints elsewhere', () => {
  const sized = (length: number) => codeOf(coinbase(new Uint8Array(length)));
  assert.deepEqual([1, 2, 100, 101].map(sized), ['bad-cb-length', undefined, undefined, 'bad-cb-length']);
  const nullInput = input(0xffffffff, { prevTxid: new Uint8Array(32) });
  assert.equal(codeOf(transaction({ inputs: [input(), nullInput] })), 'bad-txns-prevout-null');
  assert.equal(
    codeOf(transaction({ inputs: [input(), input(0xfffffffe, { prevTxid: new Uint8Array(32) })] })),
    undefined,
  );
});

const coin = (value: bigint, height = 1, isCoinbase = false) => ({ output: output(value), height, isCoinbase });

function spend(coins: readonly (ReturnType<typeof coin> | undefined)[], outputs: readonly bigint[], spendHeight = 200) {
  const tx = transaction({ inputs: coins.map((_, i) => input(i)), outputs: outputs.map((value) => output(value)) });
  const verdict = checkTxInputs(tx, coins, spendHeight);
  return 'failure' in verdict ? verdict.failure : verdict.fee;
}

const reasonOf = (result: ReturnType<typeof spend>) => (typeof result === 'bigint' ? undefined : result.code);

test('fees', () => {
  assert.equal(spend([coin(5n), coin(6n)], [4n, 3n]), 4n);
  assert.equal(spend([coin(5n)], [5n]), 0n);
  assert.deepEqual(spend([coin(5n)], [6n]), {
    kind: 'consensus',
    code: 'bad-txns-in-belowout',
    debug: 'value in (0.00000005) < value out (0.00000006)',
  });
  const found = spend([coin(1_230_000_000n)], [10_000_000_000n]);
  assert.equal(typeof found === 'bigint' ? '' : found.debug, 'value in (12.30) < value out (100.00)');
});

test('a missing coin is reported before anything else', () => {
  assert.deepEqual(spend([coin(5n, 199, true), undefined], [6n]), {
    kind: 'consensus',
    code: 'bad-txns-inputs-missingorspent',
    debug: 'CheckTxInputs: inputs missing/spent',
  });
});

test('coinbase outputs need 100 blocks', () => {
  assert.equal(spend([coin(5n, 100, true)], [5n], 200), 0n);
  assert.deepEqual(spend([coin(5n, 101, true)], [5n], 200), {
    kind: 'consensus',
    code: 'bad-txns-premature-spend-of-coinbase',
    debug: 'tried to spend coinbase at depth 99',
  });
  assert.equal(spend([coin(5n, 200, false)], [5n], 200), 0n);
});

test('values of inputs stay in range, one by one and summed', () => {
  assert.equal(spend([coin(MAX_MONEY)], [MAX_MONEY]), 0n);
  assert.equal(reasonOf(spend([coin(MAX_MONEY + 1n)], [1n])), 'bad-txns-inputvalues-outofrange');
  assert.equal(reasonOf(spend([coin(-1n)], [0n])), 'bad-txns-inputvalues-outofrange');
  assert.equal(reasonOf(spend([coin(MAX_MONEY), coin(1n)], [1n])), 'bad-txns-inputvalues-outofrange');
  assert.equal(reasonOf(spend([coin(2n), coin(-1n)], [1n])), 'bad-txns-inputvalues-outofrange');
  // Not with a transaction that passed checkTransaction.
  assert.equal(reasonOf(spend([coin(MAX_MONEY)], [-1n])), 'bad-txns-fee-outofrange');
});

test('two inputs with one outpoint, anywhere among few inputs or many; half an outpoint is none', () => {
  const code = (inputs: readonly ReturnType<typeof input>[]) => checkTransaction(transaction({ inputs }))?.code;
  for (const count of [2, 3, 8, 9, 20]) {
    const different = Array.from({ length: count }, (_, i) => input(i));
    assert.equal(code(different), undefined, `${count} inputs`);
    assert.equal(
      code(different.map(({ prevTxid, ...rest }, i) => ({ ...rest, prevIndex: 5, prevTxid: prevTxid.with(0, i) }))),
      undefined,
    );
    for (const repeated of [0, count - 2]) {
      assert.equal(code([...different.slice(0, -1), input(repeated)]), 'bad-txns-inputs-duplicate', `${count} inputs`);
    }
  }
});
