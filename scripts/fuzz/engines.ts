/** The three secp256k1 engines on random signatures, keys and tweaks: ECDSA, BIP340, BIP341. */
import fc from 'fast-check';
import { type Secp256k1, type Secp256k1Name, secp256k1Engine } from '#crypto';
import { describeCase, signatureCase, verdictOf } from '../../test/support/signature-cases.ts';
import type { FuzzTarget, Outcome } from './target.ts';

const NAMES: readonly Secp256k1Name[] = ['bcrypto', 'tiny', 'noble'];

export const engines: FuzzTarget = {
  name: 'engines',
  what: 'secp256k1 engines against each other',
  usualCases: 100_000,
  start: () => {
    const all = NAMES.map(needed);
    return (seed, cases) => run(all, seed, cases);
  },
};

/** A comparison that left one out without a word would be worth nothing. */
function needed(name: Secp256k1Name): Secp256k1 {
  const engine = secp256k1Engine(name);
  if (engine === undefined) throw new Error(`the engine ${name} is not installed`);
  return engine;
}

function* run(all: readonly Secp256k1[], seed: number, cases: number): Iterable<Outcome> {
  for (const c of fc.sample(signatureCase, { seed, numRuns: cases })) {
    const verdicts = all.map((engine) => verdictOf(engine, c));
    const isAgreed = typeof verdicts[0] === 'boolean' && new Set(verdicts).size === 1;
    const difference = isAgreed ? undefined : `${verdicts.join(' ')} for ${describeCase(c)}`;
    yield { kind: c.kind, isValid: verdicts[0] === true, difference };
  }
}
