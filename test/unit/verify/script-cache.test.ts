/** What passed is not run again: under the same flags, while it is remembered, and only what asked for it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ScriptFlag } from '#script';
import {
  createInlineVerifier,
  createVerifier,
  ScriptCache,
  type ScriptJob,
  type ScriptVerifier,
  withScriptCache,
} from '#verify';
import { scriptVerifierCompliance } from '../../compliance/verifier.ts';
import { corrupted, signedTx } from '../../support/signed-tx.ts';

const FLAGS = ScriptFlag.P2SH | ScriptFlag.WITNESS | ScriptFlag.TAPROOT;

scriptVerifierCompliance('with a script cache', () => withScriptCache(createInlineVerifier(), new ScriptCache()));
scriptVerifierCompliance('on one thread', () => createVerifier(1));

function counting(): { readonly verifier: ScriptVerifier; readonly ran: ScriptJob[] } {
  const inner = createInlineVerifier();
  const ran: ScriptJob[] = [];
  const verify: ScriptVerifier['verify'] = (jobs, signal) => {
    ran.push(...jobs);
    return inner.verify(jobs, signal);
  };
  return { verifier: { ...inner, verify }, ran };
}

const jobOf = (seed: number, remember: boolean, flags = FLAGS): ScriptJob => ({
  ...signedTx(['p2wpkh'], seed),
  flags,
  remember,
});

test('a transaction is run once under the same flags, if it is to be remembered', async () => {
  const { verifier, ran } = counting();
  const cached = withScriptCache(verifier, new ScriptCache());
  assert.equal(await cached.verify([jobOf(1, true), jobOf(2, false)]), undefined);
  assert.equal(await cached.verify([jobOf(1, false), jobOf(2, false)]), undefined);
  assert.deepEqual(
    ran.map(({ tx }) => tx.txid),
    [1, 2, 2].map((seed) => jobOf(seed, false).tx.txid),
  );
  ran.length = 0;
  await cached.verify([jobOf(1, true, FLAGS | ScriptFlag.NULLDUMMY)]);
  assert.equal(ran.length, 1, 'other flags are another question');
});

test('the same transaction with another witness is another one', async () => {
  const good = signedTx(['p2wpkh'], 3);
  const cached = withScriptCache(createInlineVerifier(), new ScriptCache());
  assert.equal(await cached.verify([{ ...good, flags: FLAGS, remember: true }]), undefined);
  const bad = corrupted(good, 0);
  assert.equal(bad.tx.txid, good.tx.txid);
  assert.equal((await cached.verify([{ ...bad, flags: FLAGS, remember: true }]))?.input, 0);
});

test('a failure is told by its place in the whole batch and never remembered', async () => {
  const { verifier, ran } = counting();
  const cached = withScriptCache(verifier, new ScriptCache());
  const bad: ScriptJob = { ...corrupted(signedTx(['p2wpkh'], 5), 0), flags: FLAGS, remember: true };
  await cached.verify([jobOf(1, true), jobOf(2, true)]);
  assert.equal((await cached.verify([jobOf(1, true), bad, jobOf(2, true)]))?.job, 1);
  ran.length = 0;
  assert.equal((await cached.verify([bad]))?.job, 0);
  assert.equal(ran.length, 1);
});

test('the oldest half is forgotten when it is full', () => {
  const cache = new ScriptCache(4);
  for (let seed = 0; seed < 20; seed++) {
    const { tx } = signedTx(['p2pkh'], seed);
    cache.add(tx, FLAGS);
    assert(cache.has(tx, FLAGS));
    assert(cache.size <= 4);
  }
  assert(!cache.has(signedTx(['p2pkh'], 0).tx, FLAGS));
  assert(cache.has(signedTx(['p2pkh'], 18).tx, FLAGS));
});

test('what is verified, waits, fails and was known is counted', async () => {
  const verifier = createVerifier(1);
  const cache = new ScriptCache();
  const cached = withScriptCache(verifier, cache);
  await cached.verify([]);
  assert.equal(verifier.figures().batches, 0, 'nothing to verify is no batch');
  const running = cached.verify([jobOf(1, true), jobOf(2, true)]);
  assert.equal(verifier.figures().waitingInputs, 2);
  await running;
  await cached.verify([jobOf(1, true)]);
  assert.notEqual(await cached.verify([{ ...corrupted(signedTx(['p2wpkh'], 4), 0), flags: FLAGS }]), undefined);
  const { batches, inputs, failed, waitingInputs, seconds } = verifier.figures();
  assert.deepEqual({ batches, inputs, failed, waitingInputs }, { batches: 2, inputs: 3, failed: 1, waitingInputs: 0 });
  assert.equal(
    seconds.counts.reduce((sum, count) => sum + count, 0),
    2,
  );
  assert.deepEqual(cache.figures(), { hits: 1, misses: 1, entries: 2 });
});
