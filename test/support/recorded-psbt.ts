/** The PSBT whose decoded form stands in Core's recorded answers, where its own text was cut: put together again from it. */
import assert from 'node:assert/strict';
import { idToBytes, parseTxid, Transaction } from '#primitives';
import { blankPsbt, encodePsbt, psbtMap, psbtValues } from '#signing';
import { fromHex } from '#util';

type TxAnswer = {
  readonly txid: string;
  readonly version: number;
  readonly locktime: number;
  readonly vin: readonly { readonly txid: string; readonly vout: number; readonly sequence: number }[];
  readonly vout: readonly { readonly value: number; readonly scriptPubKey: { readonly hex: string } }[];
};

type Derivation = { readonly pubkey: string; readonly master_fingerprint: string; readonly path: string };

type PsbtAnswer = {
  readonly tx: TxAnswer;
  readonly inputs: readonly { readonly non_witness_utxo: TxAnswer; readonly bip32_derivs: readonly Derivation[] }[];
  readonly outputs: readonly { readonly bip32_derivs: readonly Derivation[] }[];
};

const SATS = 100_000_000;

/** The recorded transaction ids hold what is built to what Core had. */
export function recordedPsbt(answer: unknown): string {
  const { tx, inputs, outputs } = answer as PsbtAnswer;
  const psbt = blankPsbt(rebuilt(tx, false));
  for (const [at, { non_witness_utxo: source, bip32_derivs: derivations }] of inputs.entries()) {
    const map = psbt.inputs[at];
    assert.ok(map !== undefined);
    map.set(psbtMap.mapKey(psbtMap.InputType.NON_WITNESS_UTXO), rebuilt(source, true).raw);
    addDerivations(map, psbtMap.InputType.BIP32_DERIVATION, derivations);
  }
  for (const [at, { bip32_derivs: derivations }] of outputs.entries()) {
    addDerivations(psbt.outputs[at] ?? new Map(), psbtMap.OutputType.BIP32_DERIVATION, derivations);
  }
  return encodePsbt(psbt);
}

function rebuilt({ txid, version, locktime, vin, vout }: TxAnswer, isSource: boolean): Transaction {
  const tx = Transaction.fromFields({
    version,
    inputs: vin.map((input) => ({
      prevTxid: idToBytes(parseTxid(input.txid)),
      prevIndex: input.vout,
      scriptSig: new Uint8Array(0),
      sequence: input.sequence,
      witness: [],
    })),
    outputs: vout.map(({ value, scriptPubKey }) => ({
      value: BigInt(Math.round(value * SATS)),
      scriptPubKey: fromHex(scriptPubKey.hex),
    })),
    lockTime: locktime,
  });
  assert.equal(tx.txid, txid, isSource ? 'the source is the recorded one' : 'the transaction is the recorded one');
  return tx;
}

function addDerivations(map: psbtMap.PsbtMap, type: number, derivations: readonly Derivation[]): void {
  for (const { pubkey, master_fingerprint: fingerprint, path } of derivations) {
    const steps = path.split('/').slice(1);
    const numbers = steps.map((step) => Number.parseInt(step, 10) + (step.endsWith('h') ? 0x80000000 : 0));
    const origin = { fingerprint: fromHex(fingerprint), path: numbers };
    map.set(psbtMap.mapKey(type, fromHex(pubkey)), psbtValues.writeKeyOrigin(origin));
  }
}
