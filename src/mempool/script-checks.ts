/** Runs a transaction's scripts for the mempool: Core's PolicyScriptChecks and the blame that follows from it. */
import { failure } from '#consensus';
import type { Transaction, TxOutput } from '#primitives';
import { ScriptFlag } from '#script';
import type { ScriptFailure, ScriptVerifier } from '#verify';
import { MANDATORY_SCRIPT_FLAGS, STANDARD_SCRIPT_FLAGS } from './policy.ts';
import type { MempoolVerdict } from './port.ts';

/**
 * Undefined when all inputs pass the standard flags, and then those of the next block (`blockFlags`): the second run
 * fills the script cache for that block, and would stop what only the standard flags let through (Core's
 * ConsensusScriptChecks). What fails the first runs again to see whether a block could hold the transaction: only if
 * not, somebody may be blamed. Rejects when aborted.
 */
export async function checkScripts(
  verifier: ScriptVerifier,
  tx: Transaction,
  spent: readonly TxOutput[],
  blockFlags: number,
  signal: AbortSignal,
): Promise<MempoolVerdict | undefined> {
  const run = (flags: number): Promise<ScriptFailure | undefined> =>
    verifier.verify([{ tx, spent, flags }], { signal });
  // One batch: what passes under the first flags need not be computed again under the others.
  const standard = { tx, spent, flags: STANDARD_SCRIPT_FLAGS };
  const failed = await verifier.verify([standard, { tx, spent, flags: blockFlags, remember: true }], { signal });
  if (failed === undefined) return undefined;
  // As in Core, the first input that fails decides, whatever the next ones are.
  if ((await run(MANDATORY_SCRIPT_FLAGS))?.input !== failed.input) {
    return { kind: 'policy', code: `non-mandatory-script-verify-flag (${failed.error})` };
  }
  const code = `mandatory-script-verify-flag-failed (${failed.error})`;
  if (!tx.hasWitness && (await onlyWitnessMissing(run))) return { kind: 'policy', code };
  return { kind: 'consensus', failure: failure('consensus', code) };
}

/**
 * Anybody can strip the witness and keep the txid: the transaction itself may be fine (Core's TX_WITNESS_STRIPPED).
 * CLEANSTACK goes because it is defined with WITNESS only.
 */
async function onlyWitnessMissing(run: (flags: number) => Promise<ScriptFailure | undefined>): Promise<boolean> {
  const flags = STANDARD_SCRIPT_FLAGS & ~ScriptFlag.CLEANSTACK;
  return (await run(flags & ~ScriptFlag.WITNESS)) === undefined && (await run(flags)) !== undefined;
}
