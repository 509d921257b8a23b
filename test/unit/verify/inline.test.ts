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
  const job = { ...signedTx(['p2pkh']), flags: FLAGS };
  const running = verifier.verify(
    Array.from({ length: 10 }, () => job),
    abort.signal,
  );
  assert.equal(verified, 3, 'three signatures of 7 ms fill the slice');
  assert.equal(verifier.capacity(), 0, 'it is busy');
  abort.abort(new Error('stop'));
  await assert.rejects(running, /stop/);
  assert.equal(verified, 3);
  assert.ok(verifier.capacity() > 0);
});
