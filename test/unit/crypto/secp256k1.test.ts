/**
 * Every engine that works here gives the same verdicts; so do all of them on random good and bad signatures, of which
 * `npm run fuzz -- engines` tries many more.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { loadSecp256k1, parseDerLax, type Secp256k1, type Secp256k1Name, secp256k1Engine } from '#crypto';
import { secp256k1Compliance } from '../../compliance/secp256k1.ts';
import { derSignature, describeCase, signatureCase, verdictOf } from '../../support/signature-cases.ts';

const NAMES: readonly Secp256k1Name[] = ['bcrypto', 'tiny', 'noble'];
const engines: Secp256k1[] = [];
for (const name of NAMES) {
  const engine = secp256k1Engine(name);
  if (engine === undefined) test(`secp256k1: ${name}`, { skip: 'not installed' }, () => {});
  else {
    engines.push(engine);
    secp256k1Compliance(engine);
  }
}

test('the preferred engine is taken when it works, else another', () => {
  assert.equal(loadSecp256k1('noble').name, 'noble');
  assert.equal(loadSecp256k1('tiny').name, secp256k1Engine('tiny')?.name ?? loadSecp256k1().name);
  assert.equal(loadSecp256k1().name, engines[0]?.name, 'by default the fastest');
});

test('engines agree on signatures, keys and tweaks, good and bad', () => {
  const kinds = new Map<string, { valid: number; invalid: number }>();
  fc.assert(
    fc.property(signatureCase, (c) => {
      const verdicts = engines.map((engine) => verdictOf(engine, c));
      assert.ok(typeof verdicts[0] === 'boolean' && new Set(verdicts).size === 1, `${verdicts}: ${describeCase(c)}`);
      const sum = kinds.get(c.kind) ?? { valid: 0, invalid: 0 };
      kinds.set(c.kind, sum);
      sum[verdicts[0] ? 'valid' : 'invalid']++;
    }),
    { seed: 2, numRuns: 1500 },
  );
  for (const [kind, { valid, invalid }] of kinds) {
    assert.ok(valid > 5 && invalid > 5, `${kind}: ${valid} valid, ${invalid} invalid`);
  }
  assert.equal(kinds.size, 13);
});

test('the lax parser takes any bytes', () => {
  fc.assert(
    fc.property(derSignature, (bytes) => {
      const compact = parseDerLax(bytes);
      assert.ok(compact === undefined || compact.length === 64);
    }),
    { seed: 3, numRuns: 2000 },
  );
});
