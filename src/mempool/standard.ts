/**
 * Standardness: forms of transactions that are kept and relayed, narrower than what a block may hold. Core 27's
 * policy/policy.cpp, with the versions and the anchor outputs of Core 28. Verdicts are Core's reject codes, undefined is standard;
 * of several reasons the one that Core finds first.
 */
import { type Transaction, type TxInput, type TxOutput, txOutputSize } from '#primitives';
import {
  countSigOps,
  isPayToScriptHash,
  isPushOnly,
  redeemScriptOf,
  type SolvedScript,
  solver,
  taproot,
  witnessProgram,
} from '#script';
import { assert } from '#util';
import type { MempoolOptions } from './options.ts';
import {
  MAX_P2SH_SIGOPS,
  MAX_STANDARD_MULTISIG_KEYS,
  MAX_STANDARD_P2WSH_SCRIPT_BYTES,
  MAX_STANDARD_P2WSH_STACK_ITEMS,
  MAX_STANDARD_SCRIPT_SIG_BYTES,
  MAX_STANDARD_STACK_ITEM_BYTES,
  MAX_STANDARD_TX_VERSION,
  MAX_STANDARD_TX_WEIGHT,
  minFee,
} from './policy.ts';

export type StandardOptions = Pick<MempoolOptions, 'dustRelayFeeSatPerKvb' | 'permitBareMultisig' | 'dataCarrierBytes'>;

/** Core's IsStandardTx: all that can be said without the spent outputs. */
export function checkStandardTx(tx: Transaction, options: StandardOptions): string | undefined {
  if (tx.version < 1 || tx.version > MAX_STANDARD_TX_VERSION) return 'version';
  if (tx.weight > MAX_STANDARD_TX_WEIGHT) return 'tx-size';
  for (const { scriptSig } of tx.inputs) {
    if (scriptSig.length > MAX_STANDARD_SCRIPT_SIG_BYTES) return 'scriptsig-size';
    if (!isPushOnly(scriptSig)) return 'scriptsig-not-pushonly';
  }
  return checkOutputs(tx.outputs, options);
}

function checkOutputs(outputs: readonly TxOutput[], options: StandardOptions): string | undefined {
  let dataOutputs = 0;
  for (const output of outputs) {
    const solved = solver(output.scriptPubKey);
    if (!isStandardScript(solved, output.scriptPubKey.length, options)) return 'scriptpubkey';
    if (solved.kind === 'nulldata') dataOutputs++;
    else if (solved.kind === 'multisig' && !options.permitBareMultisig) return 'bare-multisig';
    else if (output.value < dustThreshold(output, options.dustRelayFeeSatPerKvb)) return 'dust';
  }
  return dataOutputs > 1 ? 'multi-op-return' : undefined;
}

/** Core's IsStandard. Unknown witness programs may be paid: the payee knows what they mean (Core #15846). */
function isStandardScript(solved: SolvedScript, bytes: number, { dataCarrierBytes }: StandardOptions): boolean {
  switch (solved.kind) {
    case 'nonstandard':
      return false;
    case 'multisig':
      return solved.keys.length <= MAX_STANDARD_MULTISIG_KEYS;
    case 'nulldata':
      return bytes <= dataCarrierBytes;
    default:
      return true;
  }
}

/** Bytes of the smallest usual input: outpoint, script length, key and signature, sequence. */
const SPEND_BYTES = 32 + 4 + 1 + 107 + 4;
/** The same when key and signature are in the witness. */
const WITNESS_SPEND_BYTES = 32 + 4 + 1 + Math.floor(107 / 4) + 4;

/** Below this, spending the output costs more than it is worth (Core's GetDustThreshold, for what can be spent). */
function dustThreshold(output: TxOutput, satPerKvb: number): bigint {
  const spend = witnessProgram(output.scriptPubKey) === undefined ? SPEND_BYTES : WITNESS_SPEND_BYTES;
  return minFee(satPerKvb, txOutputSize(output) + spend);
}

/**
 * Core's AreInputsStandard, then IsWitnessStandard. `spent` is in the order of the inputs, whose scripts are known to
 * be pushes only (`checkStandardTx`). No script runs beyond them, and no signature is checked.
 */
export function checkStandardSpends(tx: Transaction, spent: readonly TxOutput[]): string | undefined {
  const every = (check: (input: TxInput, scriptPubKey: Uint8Array) => boolean): boolean =>
    tx.inputs.every((input, at) => {
      const output = spent[at];
      assert(output !== undefined, 'an output for each input');
      return check(input, output.scriptPubKey);
    });
  if (!every(isStandardInput)) return 'bad-txns-nonstandard-inputs';
  return tx.hasWitness && !every(isStandardWitness) ? 'bad-witness-nonstandard' : undefined;
}

function isStandardInput({ scriptSig }: TxInput, scriptPubKey: Uint8Array): boolean {
  const { kind } = solver(scriptPubKey);
  if (kind === 'nonstandard' || kind === 'witness_unknown') return false;
  if (kind !== 'scripthash') return true;
  // A hash hides a script that is dear to check until somebody spends it.
  const redeemScript = redeemScriptOf(scriptSig);
  return redeemScript !== undefined && countSigOps(redeemScript, true) <= MAX_P2SH_SIGOPS;
}

/** Anybody can add to a witness that is not signed: what the script does not need is kept out. */
function isStandardWitness({ scriptSig, witness }: TxInput, scriptPubKey: Uint8Array): boolean {
  if (witness.length === 0) return true;
  // It needs nothing, so whatever is there was stuffed in.
  if (solver(scriptPubKey).kind === 'anchor') return false;
  const isP2sh = isPayToScriptHash(scriptPubKey);
  const script = isP2sh ? redeemScriptOf(scriptSig) : scriptPubKey;
  const program = script && witnessProgram(script);
  if (program === undefined) return false;
  if (program.program.length !== 32) return true;
  if (program.version === 0) return isStandardP2wshWitness(witness);
  // BIP341: wrapped in P2SH, version 1 stays without meaning.
  return program.version !== 1 || isP2sh || isStandardTaprootWitness(witness);
}

function isStandardP2wshWitness(witness: readonly Uint8Array[]): boolean {
  const stack = witness.slice(0, -1);
  return (
    (witness.at(-1)?.length ?? 0) <= MAX_STANDARD_P2WSH_SCRIPT_BYTES &&
    stack.length <= MAX_STANDARD_P2WSH_STACK_ITEMS &&
    hasSmallItems(stack)
  );
}

/** No annex, which has no meaning yet; small items for a tapscript. A key path has nothing to limit. */
function isStandardTaprootWitness(witness: readonly Uint8Array[]): boolean {
  if (taproot.annexOf(witness) !== undefined) return false;
  if (witness.length === 1) return true;
  const control = witness.at(-1);
  if (control === undefined || control.length === 0) return false;
  return !taproot.isTapscriptControl(control) || hasSmallItems(witness.slice(0, -2));
}

function hasSmallItems(stack: readonly Uint8Array[]): boolean {
  return stack.every((item) => item.length <= MAX_STANDARD_STACK_ITEM_BYTES);
}
