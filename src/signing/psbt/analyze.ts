/** What a PSBT still lacks, and whose turn it is (Core's AnalyzePSBT). */
import { SigningProvider } from '#descriptor';
import { MAX_MONEY, type Sats, type Transaction, type TxOutput } from '#primitives';
import { isUnspendable, sighash } from '#script';
import { assert } from '#util';
import type { SigningRules } from '../sign-transaction.ts';
import type { TxSigner } from '../signature-creator.ts';
import type { SignatureData } from '../signature-data.ts';
import { blankPsbt, type Psbt } from './codec.ts';
import { sourceOf, spentOutput } from './input.ts';
import { extractTransaction, isSignedAndVerified, psbtSigner, signPsbtInput } from './sign-psbt.ts';

/** In the order in which a PSBT passes through their hands. */
const PSBT_ROLES = ['creator', 'updater', 'signer', 'finalizer', 'extractor'] as const;

export type PsbtRole = (typeof PSBT_ROLES)[number];

export type InputAnalysis = {
  readonly hasUtxo: boolean;
  readonly isFinal: boolean;
  readonly next: PsbtRole;
  /** Of what is missing. */
  readonly missing: SignatureData | undefined;
};

export type PsbtAnalysis = {
  readonly inputs: readonly InputAnalysis[];
  readonly next: PsbtRole;
  readonly estimatedVsize?: number;
  readonly fee?: Sats;
  /** Why it can never be valid; then there is nothing else. */
  readonly error?: string;
};

export type VirtualSizeOf = (tx: Transaction, spent: readonly TxOutput[]) => number;

const NO_KEYS = { keys: new SigningProvider(), hashType: sighash.SIGHASH_ALL, finalize: true };

/** `psbt` is not changed. */
export function analyzePsbt(psbt: Psbt, rules: SigningRules, virtualSizeOf: VirtualSizeOf): PsbtAnalysis {
  const invalid = invalidInput(psbt);
  if (invalid !== undefined) return { inputs: [], next: 'creator', error: `PSBT is not valid. ${invalid}` };
  const copy = copyOf(psbt);
  const signer = psbtSigner(psbt, rules);
  const inputs = psbt.inputs.map((_, at) => analyzeInput(copy, at, signer, rules));
  const next = PSBT_ROLES[inputs.reduce((least, input) => Math.min(least, PSBT_ROLES.indexOf(input.next)), 4)];
  assert(next !== undefined, 'there is a role for each place');
  if (!inputs.every(({ hasUtxo }) => hasUtxo)) return { inputs, next };
  const paidIn = psbt.inputs.reduce((sum, _, at) => sum + (spentOutput(psbt, at)?.value ?? 0n), 0n);
  const paidOut = sumOf(psbt.tx.outputs);
  if (paidOut === undefined) {
    return { inputs: [], next: 'creator', error: 'PSBT is not valid. Output amount invalid' };
  }
  const estimatedVsize = estimateVsize(copyOf(psbt), rules, virtualSizeOf);
  return { inputs, next, fee: paidIn - paidOut, ...(estimatedVsize !== undefined && { estimatedVsize }) };
}

function invalidInput(psbt: Psbt): string | undefined {
  let sum = 0n;
  for (const [at, { prevIndex }] of psbt.tx.inputs.entries()) {
    const output = spentOutput(psbt, at);
    if (output !== undefined) {
      sum += output.value;
      if (!isMoney(output.value) || !isMoney(sum)) return `Input ${at} has invalid value`;
      if (isUnspendable(output.scriptPubKey)) return `Input ${at} spends unspendable output`;
      continue;
    }
    const source = sourceOf(psbt.inputs[at] ?? new Map());
    if (source !== undefined && prevIndex >= source.outputs.length) return `Input ${at} specifies invalid prevout`;
  }
  return undefined;
}

function analyzeInput(psbt: Psbt, at: number, signer: TxSigner, rules: SigningRules): InputAnalysis {
  const hasUtxo = spentOutput(psbt, at) !== undefined;
  if (isSignedAndVerified(psbt, at, signer, rules)) {
    return { hasUtxo, isFinal: true, next: 'extractor', missing: undefined };
  }
  const { isComplete, data } = signPsbtInput(psbt, at, signer, NO_KEYS, rules);
  if (isComplete) return { hasUtxo, isFinal: false, next: 'finalizer', missing: undefined };
  const onlySignatures =
    data !== undefined &&
    data.missingKeys.length === 0 &&
    data.missingRedeemScript === undefined &&
    data.missingWitnessScript === undefined &&
    data.missingSignatures.length > 0;
  return { hasUtxo, isFinal: false, next: onlySignatures ? 'signer' : 'updater', missing: data };
}

/** With dummy signatures in place of missing ones; undefined where more than signatures is missing. */
function estimateVsize(psbt: Psbt, rules: SigningRules, virtualSizeOf: VirtualSizeOf): number | undefined {
  const spent: TxOutput[] = [];
  for (const at of psbt.inputs.keys()) {
    const output = spentOutput(psbt, at);
    const { isComplete } = signPsbtInput(psbt, at, undefined, NO_KEYS, rules);
    if (!isComplete || output === undefined) return undefined;
    spent.push(output);
  }
  return virtualSizeOf(extractTransaction(psbt), spent);
}

function sumOf(outputs: readonly TxOutput[]): Sats | undefined {
  let sum = 0n;
  for (const { value } of outputs) {
    sum += value;
    if (!isMoney(value) || !isMoney(sum)) return undefined;
  }
  return sum;
}

function isMoney(value: Sats): boolean {
  return value >= 0n && value <= MAX_MONEY;
}

function copyOf(psbt: Psbt): Psbt {
  return {
    ...blankPsbt(psbt.tx),
    global: new Map(psbt.global),
    inputs: psbt.inputs.map((map) => new Map(map)),
    outputs: psbt.outputs.map((map) => new Map(map)),
  };
}
