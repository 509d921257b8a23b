/** Every reject code of the sources has a test here, and every code tested is one that the sources give. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readSources } from '../../../../scripts/source-scan.ts';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));

/** Core's codes (validation.cpp, consensus/tx_check.cpp, consensus/tx_verify.cpp) by the file that tests both sides. */
const CODES: Readonly<Record<string, readonly string[]>> = {
  headers: [
    ...['high-hash', 'bad-diffbits', 'time-too-old', 'time-too-new', 'bad-version'],
    ...['prev-blk-not-found', 'bad-prevblk', 'duplicate'],
  ],
  'low-work': ['too-little-chainwork'],
  testnet4: ['time-timewarp-attack'],
  checkpoints: ['bad-fork-prior-to-checkpoint'],
  signet: ['bad-signet-blksig'],
  'block-structure': [
    ...['bad-txnmrklroot', 'bad-txns-duplicate', 'bad-blk-length', 'bad-blk-weight', 'bad-cb-missing'],
    ...['bad-cb-multiple', 'bad-cb-length', 'bad-cb-height'],
  ],
  transactions: [
    ...['bad-txns-vin-empty', 'bad-txns-vout-empty', 'bad-txns-oversize', 'bad-txns-vout-negative'],
    ...['bad-txns-vout-toolarge', 'bad-txns-txouttotal-toolarge', 'bad-txns-inputs-duplicate'],
    'bad-txns-prevout-null',
  ],
  coins: [
    ...['bad-txns-inputs-missingorspent', 'bad-txns-premature-spend-of-coinbase', 'bad-txns-inputvalues-outofrange'],
    ...['bad-txns-in-belowout', 'bad-txns-fee-outofrange', 'bad-txns-accumulated-fee-outofrange', 'bad-cb-amount'],
  ],
  bip30: ['bad-txns-BIP30'],
  sigops: ['bad-blk-sigops'],
  'lock-times': ['bad-txns-nonfinal'],
  'witness-commitment': ['unexpected-witness', 'bad-witness-nonce-size', 'bad-witness-merkle-match'],
};

/** Named by a function of the tests' support (`scriptFailure`), not by the tests themselves. */
const SCRIPT_CODE = 'mandatory-script-verify-flag-failed';
/** Not Core's: it never sees a block that it cannot decode. */
const OWN_CODES = ['bad-blk-decode'];
/** A kind of failure that looks like a code. */
const KINDS = ['time-future'];

/** What looks like a code at the beginning of a string. */
const CODE_PATTERN =
  /['`]((?:bad|block|high|mandatory|prev|time|too|unexpected)-[A-Za-z0-9-]+|duplicate)(?=['`(]| \()/g;

function codesIn(text: string): string[] {
  return [...text.matchAll(CODE_PATTERN)].flatMap(([, code]) => (code === undefined ? [] : [code]));
}

test('the sources give exactly the codes that are tested', () => {
  const sources = readSources(ROOT, ['src/consensus', 'src/chain']);
  const given = new Set(sources.flatMap(({ code }) => codesIn(code)).filter((code) => !KINDS.includes(code)));
  const tested = [...Object.values(CODES).flat(), SCRIPT_CODE, ...OWN_CODES];
  assert.deepEqual([...given].sort(), tested.sort());
});

test('each code is named in its file', () => {
  for (const [name, codes] of Object.entries(CODES)) {
    const text = readFileSync(new URL(`${name}.test.ts`, import.meta.url), 'utf8');
    const named = codesIn(text.replaceAll('bad-version(', 'bad-version ('));
    for (const code of codes) assert.ok(named.includes(code), `${name}.test.ts tests ${code}`);
  }
});
