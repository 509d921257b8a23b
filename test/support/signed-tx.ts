/** Transactions that spend every standard kind of output, built and signed by @scure/btc-signer, not by our code. */
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js';
import * as btc from '@scure/btc-signer';
import { sha256 } from '#crypto';
import { Transaction, type TxOutput } from '#primitives';

export type SignedTx = { readonly tx: Transaction; readonly spent: readonly TxOutput[] };

const KINDS = {
  p2pkh: () => btc.p2pkh(publicKey(1)),
  p2pk: () => btc.p2pk(publicKey(1)),
  multisig: () => btc.p2ms(2, [publicKey(1), publicKey(2), publicKey(3)]),
  'p2sh-multisig': () => btc.p2sh(btc.p2ms(2, [publicKey(1), publicKey(2), publicKey(3)])),
  p2wpkh: () => btc.p2wpkh(publicKey(1)),
  'p2sh-p2wpkh': () => btc.p2sh(btc.p2wpkh(publicKey(1))),
  p2wsh: () => btc.p2wsh(btc.p2ms(2, [publicKey(1), publicKey(2), publicKey(3)])),
  'p2sh-p2wsh': () => btc.p2sh(btc.p2wsh(btc.p2pk(publicKey(2)))),
  'p2tr key': () => btc.p2tr(xOnlyKey(1)),
  'p2tr script': () => btc.p2tr(undefined, [leaf(btc.p2tr_pk(xOnlyKey(2))), leaf(btc.p2tr_pk(xOnlyKey(7)))]),
  'p2tr multisig': () =>
    btc.p2tr(undefined, [
      leaf(btc.p2tr_ms(2, [xOnlyKey(1), xOnlyKey(2), xOnlyKey(3)])),
      leaf(btc.p2tr_pk(xOnlyKey(7))),
    ]),
} as const;

export type OutputKind = keyof typeof KINDS;

export const OUTPUT_KINDS = Object.keys(KINDS) as readonly OutputKind[];

/** A payment's script as a node of a script tree. */
function leaf(payment: { readonly script: Uint8Array }): { script: Uint8Array } {
  return { script: payment.script };
}

function secret(index: number): Uint8Array {
  return sha256(Buffer.from(`starling signed tx ${index}`));
}

function publicKey(index: number): Uint8Array {
  return secp256k1.getPublicKey(secret(index), true);
}

function xOnlyKey(index: number): Uint8Array {
  return schnorr.getPublicKey(secret(index));
}

/** The script of an output of that kind. */
export function outputScript(kind: OutputKind): Uint8Array {
  return KINDS[kind]().script;
}

type Outpoint = { readonly txid: Uint8Array; readonly index: number };

/**
 * One input of 100,000 satoshis for each kind, one output; signed with SIGHASH_ALL. Made-up outpoints, different for
 * each seed, unless they are given.
 */
export function signedTx(kinds: readonly OutputKind[], seed = 0, outpoints: readonly Outpoint[] = []): SignedTx {
  const building = new btc.Transaction({
    allowLegacyWitnessUtxo: true,
    allowUnknownInputs: true,
    disableScriptCheck: true,
  });
  const spent: TxOutput[] = [];
  for (const [index, kind] of kinds.entries()) {
    const payment = KINDS[kind]();
    // The signer takes ids as people see them.
    const outpoint = outpoints[index];
    const output = { value: 100_000n, scriptPubKey: payment.script };
    spent.push(output);
    building.addInput({
      ...payment,
      txid: outpoint?.txid.toReversed() ?? sha256(Buffer.from(`${seed} ${index} ${kind}`)),
      index: outpoint?.index ?? index,
      witnessUtxo: { script: payment.script, amount: output.value },
    });
  }
  building.addOutput({ script: btc.p2wpkh(publicKey(9)).script, amount: BigInt(kinds.length) * 90_000n });
  for (const key of [1, 2]) {
    for (let at = 0; at < kinds.length; at++) trySign(building, secret(key), at);
  }
  building.finalize();
  return { tx: Transaction.fromBytes(building.extract()), spent };
}

/** The signer throws for an input that the key has no part in. */
function trySign(building: btc.Transaction, key: Uint8Array, at: number): void {
  try {
    building.signIdx(key, at);
  } catch (error) {
    if (!(error instanceof Error) || !/No taproot scripts signed|Input script doesn't have pubKey/.test(error.message))
      throw error;
  }
}

/** The same transaction with one byte of input `at`'s last signature or script changed. */
export function corrupted({ tx, spent }: SignedTx, at: number): SignedTx {
  const inputs = tx.inputs.map((input, index) => {
    if (index !== at) return input;
    const [first, ...rest] = input.witness;
    // A bit in the middle of the first signature: r or s changes, the shape stays.
    if (first !== undefined && first.length > 0) return { ...input, witness: [flip(first, 20), ...rest] };
    if (first !== undefined)
      return { ...input, witness: [first, ...rest.map((item, i) => (i === 0 ? flip(item, 20) : item))] };
    return { ...input, scriptSig: flip(input.scriptSig, 20) };
  });
  const { version, outputs, lockTime } = tx;
  return { tx: Transaction.fromFields({ version, inputs, outputs, lockTime }), spent };
}

function flip(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}
