/**
 * Which scripts are checked faster here than handed to a thread: a transaction of a few inputs that check one signature
 * each takes 0.1 ms, the way to a thread and back 0.3 ms of this one alone. Nothing that a peer can make costs more than
 * MAX_JOBS times MAX_INPUTS times the 25 operations of a bare script of that length.
 */
import { isPayToScriptHash, witnessProgram } from '#script';
import { areOfOneTransaction } from './job-verifier.ts';
import type { ScriptJob } from './port.ts';

/** Of one transaction, under different flags. */
const MAX_JOBS = 2;
const MAX_INPUTS = 4;
/** Legacy signatures hash all of the transaction. */
const MAX_TX_BYTES = 1_000;
/** Of pay-to-pubkey-hash. */
const MAX_BARE_SCRIPT_BYTES = 25;

export function isQuick(jobs: readonly ScriptJob[]): boolean {
  const [first] = jobs;
  if (first === undefined || jobs.length > MAX_JOBS) return false;
  const { tx, spent } = first;
  if (tx.inputs.length > MAX_INPUTS || tx.size > MAX_TX_BYTES) return false;
  if (!jobs.every((job) => areOfOneTransaction(first, job))) return false;
  return spent.every(({ scriptPubKey }, at) => isCheap(scriptPubKey, tx.inputs[at]?.witness.length ?? 0));
}

function isCheap(scriptPubKey: Uint8Array, witnessItems: number): boolean {
  const witness = witnessProgram(scriptPubKey);
  if (witness === undefined) return scriptPubKey.length <= MAX_BARE_SCRIPT_BYTES && !isPayToScriptHash(scriptPubKey);
  const { version, program } = witness;
  // A key hash, or a taproot output spent by its key.
  return (version === 0 && program.length === 20) || (version === 1 && program.length === 32 && witnessItems === 1);
}
