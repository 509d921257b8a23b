/** Our lax signature parser against the C of libsecp256k1's contrib, which Core copied and bcrypto carries. */
import { createRequire } from 'node:module';
import fc from 'fast-check';
import { parseDerLax } from '#crypto';
import { asBuffer, toHex } from '#util';
import { derSignature } from '../../test/support/signature-cases.ts';
import type { FuzzTarget, Outcome } from './target.ts';

type NativeParser = {
  /** Throws when the bytes have no such shape. */
  readonly signatureImport: (signature: Buffer) => Buffer;
};

export const derLax: FuzzTarget = {
  name: 'der-lax',
  what: 'the lax signature parser against the native one',
  usualCases: 1_000_000,
  start: () => {
    const native = createRequire(import.meta.url)('bcrypto/lib/native/secp256k1-libsecp256k1.js') as NativeParser;
    return (seed, cases) => run(native, seed, cases);
  },
};

function* run(native: NativeParser, seed: number, cases: number): Iterable<Outcome> {
  for (const signature of fc.sample(derSignature, { seed, numRuns: cases })) {
    const ours = parsed(signature);
    const theirs = imported(native, signature);
    const difference = ours === theirs ? undefined : `ours ${ours}, native ${theirs} for ${toHex(signature)}`;
    yield { kind: 'der', isValid: theirs !== NO_SIGNATURE, difference };
  }
}

const NO_SIGNATURE = 'no signature';

function parsed(signature: Uint8Array): string {
  try {
    const compact = parseDerLax(signature);
    return compact === undefined ? NO_SIGNATURE : toHex(compact);
  } catch (error) {
    return String(error);
  }
}

function imported(native: NativeParser, signature: Uint8Array): string {
  try {
    return toHex(native.signatureImport(asBuffer(signature)));
  } catch {
    return NO_SIGNATURE;
  }
}
