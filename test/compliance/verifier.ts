/** What every version of the script verifier must do. Each test opens its own. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Transaction } from '#primitives';
import { ScriptFlag, scriptErrorText } from '#script';
import type { ScriptJob, ScriptVerifier } from '#verify';
import { corrupted, OUTPUT_KINDS, type SignedTx, signedTx } from '../support/signed-tx.ts';

const CONSENSUS_FLAGS =
  ScriptFlag.P2SH |
  ScriptFlag.DERSIG |
  ScriptFlag.NULLDUMMY |
  ScriptFlag.CHECKLOCKTIMEVERIFY |
  ScriptFlag.CHECKSEQUENCEVERIFY |
  ScriptFlag.WITNESS |
  ScriptFlag.TAPROOT;

const asJob = ({ tx, spent }: SignedTx, flags = CONSENSUS_FLAGS): ScriptJob => ({ tx, spent, flags });

/** A spend of an anyone-can-spend script by an input without signature. */
function scriptJob(scriptPubKey: Uint8Array, flags = CONSENSUS_FLAGS): ScriptJob {
  const input = { prevTxid: new Uint8Array(32).fill(1), prevIndex: 0, scriptSig: new Uint8Array(0), witness: [] };
  const tx = Transaction.fromFields({
    version: 2,
    inputs: [{ ...input, sequence: 0xffffffff }],
    outputs: [{ value: 0n, scriptPubKey: new Uint8Array(0) }],
    lockTime: 0,
  });
  return { tx, spent: [{ value: 1n, scriptPubKey }], flags };
}

const OP_TRUE = Uint8Array.of(0x51);
const OP_RETURN = Uint8Array.of(0x6a);

export type OpenVerifier = () => Promise<ScriptVerifier> | ScriptVerifier;

export function scriptVerifierCompliance(name: string, open: OpenVerifier): void {
  describe(`script verifier: ${name}`, () => {
    test('an empty batch is valid', async () => {
      await using verifier = await open();
      assert.equal(await verifier.verify([]), undefined);
    });

    test('every kind of output, signed by another library, is valid', async () => {
      await using verifier = await open();
      const batch = [asJob(signedTx(OUTPUT_KINDS)), ...OUTPUT_KINDS.map((kind, seed) => asJob(signedTx([kind], seed)))];
      assert.equal(await verifier.verify(batch), undefined);
    });

    test('a changed signature is found in each kind, with job, input and text', async () => {
      await using verifier = await open();
      const good = signedTx(OUTPUT_KINDS);
      for (const [input, kind] of OUTPUT_KINDS.entries()) {
        const failure = await verifier.verify([asJob(good), asJob(corrupted(good, input))]);
        assert.equal(failure?.job, 1, kind);
        assert.equal(failure?.input, input, kind);
        const expected = kind.startsWith('p2tr') ? 'SCHNORR_SIG' : 'EVAL_FALSE';
        assert.equal(failure?.error, scriptErrorText(expected), kind);
      }
    });

    test('of several failures the first job and input is told', async () => {
      await using verifier = await open();
      const good = signedTx(['p2wpkh', 'p2pkh', 'p2tr key']);
      const twice = corrupted(corrupted(good, 2), 1);
      const batch = [asJob(good), scriptJob(OP_TRUE), asJob(twice), scriptJob(OP_RETURN)];
      assert.deepEqual(await verifier.verify(batch), {
        job: 2,
        input: 1,
        error: 'Script evaluated without error but finished with a false/empty top stack element',
      });
      assert.deepEqual(await verifier.verify([scriptJob(OP_RETURN), ...batch]), {
        job: 0,
        input: 0,
        error: 'OP_RETURN was encountered',
      });
    });

    test('the flags of each job are its own', async () => {
      await using verifier = await open();
      const p2shOfReturn = Uint8Array.from(Buffer.from(`a914${'00'.repeat(20)}87`, 'hex'));
      const nop = Uint8Array.of(0xb0, 0x51);
      assert.equal(await verifier.verify([scriptJob(nop, 0)]), undefined);
      const strict = scriptJob(nop, ScriptFlag.DISCOURAGE_UPGRADABLE_NOPS);
      assert.deepEqual(await verifier.verify([scriptJob(nop, 0), strict]), {
        job: 1,
        input: 0,
        error: scriptErrorText('DISCOURAGE_UPGRADABLE_NOPS'),
      });
      assert.equal(
        (await verifier.verify([scriptJob(p2shOfReturn, 0)]))?.error,
        scriptErrorText('INVALID_STACK_OPERATION'),
      );
    });

    test('one transaction under several flags is judged under each', async () => {
      await using verifier = await open();
      const good = signedTx(OUTPUT_KINDS);
      const under = ({ tx, spent }: SignedTx, ...flags: number[]): ScriptJob[] =>
        flags.map((each) => ({ tx, spent, flags: each }));
      assert.equal(await verifier.verify(under(good, CONSENSUS_FLAGS, 0, CONSENSUS_FLAGS)), undefined);
      // A signature that passes by itself, of a script that only the other flags refuse.
      const nop = Uint8Array.of(0xb0, 0x51);
      const strict = ScriptFlag.DISCOURAGE_UPGRADABLE_NOPS;
      const free = scriptJob(nop, 0);
      assert.deepEqual(await verifier.verify([free, { ...free, flags: strict }]), {
        job: 1,
        input: 0,
        error: scriptErrorText('DISCOURAGE_UPGRADABLE_NOPS'),
      });
      // What fails under one is not taken for passed under the next.
      for (const at of OUTPUT_KINDS.keys()) {
        const bad = corrupted(good, at);
        assert.equal((await verifier.verify(under(bad, CONSENSUS_FLAGS, CONSENSUS_FLAGS)))?.input, at);
        const [first, second] = under(bad, 0, CONSENSUS_FLAGS);
        assert.ok(first && second);
        const lenient = await verifier.verify([first]);
        const both = await verifier.verify([first, second]);
        assert.deepEqual(both, lenient ?? { ...(await verifier.verify([second])), job: 1 });
      }
      // The same transaction with another amount is another case.
      const [amounts, others] = [good.spent, good.spent.map((output) => ({ ...output, value: output.value + 1n }))];
      const changed = await verifier.verify([
        { tx: good.tx, spent: amounts, flags: CONSENSUS_FLAGS },
        { tx: good.tx, spent: others, flags: CONSENSUS_FLAGS },
      ]);
      assert.equal(changed?.job, 1);
    });

    test('without the witness flags a witness program is free to spend', async () => {
      await using verifier = await open();
      const bad = corrupted(signedTx(['p2tr key']), 0);
      assert.equal(await verifier.verify([asJob(bad, CONSENSUS_FLAGS & ~ScriptFlag.TAPROOT)]), undefined);
      assert.equal(await verifier.verify([asJob(bad, ScriptFlag.P2SH)]), undefined);
    });

    test('batches in flight at once do not mix', async () => {
      await using verifier = await open();
      const good = signedTx(['p2pkh', 'p2wpkh']);
      const bad = corrupted(good, 1);
      const batches = Array.from({ length: 20 }, (_, i) => (i % 3 === 0 ? [asJob(good), asJob(bad)] : [asJob(good)]));
      const results = await Promise.all(batches.map((batch) => verifier.verify(batch)));
      for (const [i, result] of results.entries()) assert.equal(result?.job, i % 3 === 0 ? 1 : undefined);
    });

    test('an aborted batch rejects with the reason, and the verifier goes on', async () => {
      await using verifier = await open();
      const signed = asJob(signedTx(['p2pkh']));
      const batch = Array.from({ length: 50 }, () => signed);
      await assert.rejects(
        verifier.verify(batch, { signal: AbortSignal.abort(new Error('nobody waits')) }),
        /nobody waits/,
      );
      assert.equal(await verifier.verify(batch.slice(0, 1), { signal: new AbortController().signal }), undefined);
    });

    test('others get their turn during a long batch', async () => {
      await using verifier = await open();
      // By turns: one transaction after itself would not be checked again.
      const pair = [0, 1].map((seed) => asJob(signedTx(['p2pkh', 'p2wpkh', 'p2tr key'], seed)));
      let turns = 0;
      const ticker = setInterval(() => turns++, 1);
      try {
        assert.equal(await verifier.verify(Array.from({ length: 200 }, () => pair).flat()), undefined);
      } finally {
        clearInterval(ticker);
      }
      assert.ok(turns > 0, 'the event loop ran');
    });

    test('capacity says how many inputs are welcome', async () => {
      await using verifier = await open();
      assert.ok(verifier.capacity() > 0);
      assert.ok(Number.isSafeInteger(verifier.capacity()));
    });
  });
}
