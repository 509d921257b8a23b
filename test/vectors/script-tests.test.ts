/** Bitcoin Core's script_tests.json, witness rows included, with every secp256k1 engine that works here. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadSecp256k1, type Secp256k1, type Secp256k1Name, secp256k1Engine } from '#crypto';
import { ScriptFlag, TxSighash, TxSignatureChecker, verifyScript } from '#script';
import { fromHex, seededRandom } from '#util';
import {
  assemble,
  caseRows,
  coreVectors,
  creditAndSpend,
  list,
  parseFlags,
  reportCount,
  text,
  toSats,
} from '../support/core-vectors.ts';

type Case = {
  readonly row: string;
  readonly witness: readonly Uint8Array[];
  readonly amount: bigint;
  readonly scriptSig: Uint8Array;
  readonly scriptPubKey: Uint8Array;
  readonly flags: number;
  readonly expected: string;
};

function parseCase(row: readonly unknown[]): Case {
  const hasWitness = Array.isArray(row[0]);
  const witness = hasWitness ? list(row[0]) : [];
  const [scriptSig, scriptPubKey, flagNames, expected] = hasWitness ? row.slice(1) : row;
  let flags = parseFlags(text(flagNames));
  if ((flags & ScriptFlag.CLEANSTACK) !== 0) flags |= ScriptFlag.P2SH | ScriptFlag.WITNESS;
  return {
    row: JSON.stringify(row),
    witness: witness.slice(0, -1).map((item) => fromHex(text(item))),
    amount: hasWitness ? toSats(witness.at(-1)) : 0n,
    scriptSig: assemble(text(scriptSig)),
    scriptPubKey: assemble(text(scriptPubKey)),
    flags,
    expected: text(expected),
  };
}

function run(c: Case, flags: number, secp: Secp256k1): string {
  const { spend, output } = creditAndSpend(c.scriptSig, c.scriptPubKey, c.witness, c.amount);
  const checker = new TxSignatureChecker(new TxSighash(spend, [output]), 0, secp);
  return verifyScript(c.scriptSig, c.scriptPubKey, c.witness, flags, checker) ?? 'OK';
}

const rows = coreVectors('script_tests.json');
const skip = rows === undefined && 'no vectors';
const cases = caseRows(rows ?? []).map(parseCase);

for (const name of ['bcrypto', 'tiny', 'noble'] satisfies Secp256k1Name[]) {
  const secp = secp256k1Engine(name);
  test(`script_tests.json with ${name}`, { skip: skip || (secp === undefined && 'not installed') }, (t) => {
    if (secp === undefined) return;
    let count = 0;
    for (const c of cases) {
      assert.equal(run(c, c.flags, secp), c.expected, c.row);
      count++;
    }
    reportCount(t, 'script_tests.json', count, cases.length, `with ${name}`);
  });
}

test('fewer flags keep a valid script valid, more flags keep an invalid one invalid', { skip }, (t) => {
  const random = seededRandom(27);
  const secp = loadSecp256k1();
  let combinations = 0;
  for (const c of cases) {
    const valid = c.expected === 'OK';
    for (let i = 0; i < 16; i++) {
      const extra = random.below(1 << 16);
      const flags = valid ? c.flags & ~extra : c.flags | extra;
      const hasPremises = ScriptFlag.P2SH | ScriptFlag.WITNESS;
      if ((flags & ScriptFlag.CLEANSTACK) !== 0 && (flags & hasPremises) !== hasPremises) continue;
      if ((flags & ScriptFlag.WITNESS) !== 0 && (flags & ScriptFlag.P2SH) === 0) continue;
      assert.equal(run(c, flags, secp) === 'OK', valid, `${c.row} with flags ${flags}`);
      combinations++;
    }
  }
  t.diagnostic(`script_tests.json: ${combinations} other combinations of flags`);
});
