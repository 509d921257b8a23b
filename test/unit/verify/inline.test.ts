/** The verifier on the calling thread. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadSecp256k1 } from '#crypto';
import { ScriptFlag } from '#script';
import { type Clock, systemClock } from '#util';
import { createInlineVerifier } from '#verify';
import { scriptVerifierCompliance } from '../../compliance/verifier.ts';
import { signedTx } from '../../support/signed-tx.ts';

scriptVerifierCompliance('inline', () => createInlineVerifier());

const FLAGS = ScriptFlag.P2SH | ScriptFlag.WITNESS | ScriptFlag.TAPROOT;

test('a signature that passed is not checked again under other flags of the same batch', async () => {
  const secp = loadSecp256k1();
  const counts = { ecdsa: 0, schnorr: 0 };
  const counting: typeof secp = {
    ...secp,
    verifyEcdsa: (...args) => {
      counts.ecdsa += 1;
      return secp.verifyEcdsa(...args);
    },
    verifySchnorr: (...args) => {
      counts.schnorr += 1;
      return secp.verifySchnorr(...args);
    },
  };
  await using verifier = createInlineVerifier({ secp: counting });
  const job = { ...signedTx(['p2wpkh', 'p2tr key', 'p2pkh', 'multisig']), flags: FLAGS };
  assert.equal(await verifier.verify([job]), undefined);
  const once = { ...counts };
  assert.equal(once.schnorr, 1);
  assert.equal(await verifier.verify([job, { ...job, flags: FLAGS | ScriptFlag.NULLDUMMY }]), undefined);
  // Multisig tries keys that do not fit: those fail again.
  const tried = once.ecdsa - 4;
  assert.deepEqual(counts, { ecdsa: 2 * once.ecdsa + tried, schnorr: 2 });
});

test('it gives way when a slice of the clock is over, and notices an abort there', async () => {
  let nowMs = 0;
  const clock: Clock = { ...systemClock, monotonicMs: () => nowMs };
  const secp = loadSecp256k1();
  let verified = 0;
  const abort = new AbortController();
  const counting = {
    ...secp,
    verifyEcdsa: (...args: Parameters<typeof secp.verifyEcdsa>) => {
      verified++;
      nowMs += 7;
      return secp.verifyEcdsa(...args);
    },
  };
  await using verifier = createInlineVerifier({ secp: counting, clock, sliceMs: 20 });
  const running = verifier.verify(
    Array.from({ length: 10 }, (_, seed) => ({ ...signedTx(['p2pkh'], seed), flags: FLAGS })),
    { signal: abort.signal },
  );
  assert.equal(verified, 3, 'three signatures of 7 ms fill the slice');
  assert.equal(verifier.capacity(), 0, 'it is busy');
  abort.abort(new Error('stop'));
  await assert.rejects(running, /stop/);
  assert.equal(verified, 3);
  assert.ok(verifier.capacity() > 0);
});
