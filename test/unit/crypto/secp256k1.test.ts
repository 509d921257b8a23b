/** Every engine that works here gives the same verdicts; so do all of them on mutated signatures. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import fc from 'fast-check';
import { loadSecp256k1, parseDerLax, type Secp256k1, type Secp256k1Name, secp256k1Engine, sha256 } from '#crypto';
import { secp256k1Compliance } from '../../compliance/secp256k1.ts';

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

type Mutation = { readonly kind: 'set' | 'insert' | 'delete'; readonly at: number; readonly byte: number };

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom('set', 'insert', 'delete'),
  at: fc.nat(75),
  byte: fc.oneof(fc.constantFrom(0, 1, 2, 0x20, 0x21, 0x30, 0x7f, 0x80, 0x81, 0x84, 0xff), fc.nat(255)),
});

function mutate(bytes: Uint8Array, mutations: readonly Mutation[]): Uint8Array {
  const mutated = [...bytes];
  for (const { kind, at, byte } of mutations) {
    const place = at % (mutated.length + 1);
    mutated.splice(place, kind === 'insert' ? 0 : 1, ...(kind === 'delete' ? [] : [byte]));
  }
  return Uint8Array.from(mutated);
}

describe('engines agree', () => {
  const secret = sha256(Buffer.from('agree'));
  const hash = sha256(secret);
  const key = secp256k1.getPublicKey(secret, false);
  const good = secp256k1.sign(hash, secret, { prehash: false, lowS: false, format: 'der' });

  test('on signatures with bytes set, put in or taken out', () => {
    let valid = 0;
    fc.assert(
      fc.property(fc.array(mutation, { maxLength: 3 }), (mutations) => {
        const signature = mutate(good, mutations);
        const verdicts = new Set(engines.map((engine) => engine.verifyEcdsa(hash, key, signature)));
        assert.equal(verdicts.size, 1);
        if (verdicts.has(true)) valid++;
      }),
      { seed: 1, numRuns: 300 },
    );
    assert.ok(valid > 10, 'some mutations are harmless');
  });

  test('on keys with bytes set, put in or taken out', () => {
    fc.assert(
      fc.property(fc.array(mutation, { maxLength: 2 }), fc.constantFrom(2, 3, 4, 6, 7), (mutations, form) => {
        const mutated = mutate(key, mutations);
        mutated[0] = form;
        const verdicts = new Set(engines.map((engine) => engine.verifyEcdsa(hash, mutated, good)));
        assert.equal(verdicts.size, 1);
      }),
      { seed: 2, numRuns: 200 },
    );
  });

  test('the lax parser takes any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const compact = parseDerLax(bytes);
        assert.ok(compact === undefined || compact.length === 64);
      }),
      { seed: 3, numRuns: 500 },
    );
  });
});
