/** Which transactions are not worth a thread, and that they are judged all the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ScriptFlag } from '#script';
import { createVerifier, type ScriptJob } from '#verify';
import { isQuick } from '../../../src/verify/quick.ts';
import { scriptVerifierCompliance } from '../../compliance/verifier.ts';
import { corrupted, signedTx } from '../../support/signed-tx.ts';

const FLAGS = ScriptFlag.P2SH | ScriptFlag.WITNESS | ScriptFlag.TAPROOT;
type Kinds = Parameters<typeof signedTx>[0];
const job = (kinds: Kinds): ScriptJob => ({ ...signedTx(kinds, 1), flags: FLAGS });

scriptVerifierCompliance('on threads, but for what is quick', () => createVerifier(2));

test('a few inputs that check a signature each are quick', () => {
  for (const kinds of [
    ['p2wpkh'],
    ['p2tr key'],
    ['p2pkh'],
    ['p2wpkh', 'p2tr key', 'p2pkh', 'p2wpkh'],
  ] satisfies Kinds[]) {
    assert.ok(isQuick([job(kinds)]), kinds.join());
  }
});

test('more inputs, scripts with a redeem or witness script, or many bytes are not', () => {
  const quick = job(['p2wpkh']);
  const [spent] = quick.spent;
  assert.ok(spent);
  assert.ok(!isQuick([job(['p2wpkh', 'p2wpkh', 'p2wpkh', 'p2wpkh', 'p2wpkh'])]));
  for (const scriptPubKey of [
    Uint8Array.of(0xa9, 0x14, ...new Uint8Array(20), 0x87),
    Uint8Array.of(0x00, 0x20, ...new Uint8Array(32)),
    Uint8Array.of(0x52, 0x20, ...new Uint8Array(32)),
    // Two witness items: a script path.
    Uint8Array.of(0x51, 0x20, ...new Uint8Array(32)),
    new Uint8Array(26).fill(0xac),
  ]) {
    assert.ok(!isQuick([{ ...quick, spent: [{ ...spent, scriptPubKey }] }]), Buffer.from(scriptPubKey).toString('hex'));
  }
  assert.ok(isQuick([{ ...quick, spent: [{ ...spent, scriptPubKey: new Uint8Array(25).fill(0xac) }] }]));
});

test('one transaction under two flags is quick, two transactions are not', () => {
  const one = job(['p2wpkh']);
  assert.ok(isQuick([one, { ...one, flags: 0 }]));
  assert.ok(!isQuick([one, one, one]));
  assert.ok(!isQuick([one, job(['p2wpkh'])]));
  assert.ok(!isQuick([]));
});

test('what is quick does not wait for the threads that it starts', async () => {
  await using verifier = createVerifier(2);
  const good = signedTx(['p2wpkh', 'p2tr key'], 2);
  assert.equal(await verifier.verify([{ ...good, flags: FLAGS }]), undefined);
  assert.equal((await verifier.verify([{ ...corrupted(good, 1), flags: FLAGS }]))?.input, 1);
  assert.equal(verifier.figures().workers, 0, 'they load');
  // What needs one waits for it.
  const many = Array.from({ length: 5 }, () => ({ ...good, flags: FLAGS }));
  assert.equal(await verifier.verify(many), undefined);
  assert.ok(verifier.figures().workers > 0);
});
