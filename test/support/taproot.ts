/** Taproot outputs and signatures for tests, made by @scure/btc-signer and not by our code. */
import { schnorr } from '@noble/curves/secp256k1.js';
import * as btc from '@scure/btc-signer';
import { tapLeafHash } from '@scure/btc-signer/payment.js';
import { TAPROOT_UNSPENDABLE_KEY, taprootTweakPrivKey, taprootTweakPubkey } from '@scure/btc-signer/utils.js';
import type { Transaction } from '#primitives';
import { Op, pushData } from '#script';
import { concatBytes } from '#util';
import type { TestKey } from './keys.ts';
import type { TestCoin } from './tx-builder.ts';

const TAPSCRIPT_VERSION = 0xc0;
const SIGHASH_DEFAULT = 0;

export type TapscriptLock = {
  readonly scriptPubKey: Uint8Array;
  /** What ends the witness of a spend. */
  readonly witness: readonly [script: Uint8Array, controlBlock: Uint8Array];
};

/** An output that one script opens, and no key. */
export function tapscriptLock(script: Uint8Array, leafVersion = TAPSCRIPT_VERSION): TapscriptLock {
  const [outputKey, parity] = taprootTweakPubkey(TAPROOT_UNSPENDABLE_KEY, tapLeafHash(script, leafVersion));
  return {
    scriptPubKey: concatBytes(Uint8Array.of(Op.OP_1), pushData(outputKey)),
    witness: [script, concatBytes(Uint8Array.of(leafVersion + parity), TAPROOT_UNSPENDABLE_KEY)],
  };
}

/** An output that the key opens, and no script. */
export function taprootKeyLock(key: TestKey): Uint8Array {
  return btc.p2tr(xOnly(key)).script;
}

export function xOnly(key: TestKey): Uint8Array {
  return key.publicKey.subarray(1);
}

export type TaprootSigning = {
  /** The tapscript that checks the signature; left out on the key path. */
  readonly script?: Uint8Array;
  readonly hashType?: number;
  readonly annex?: Uint8Array;
};

/** The signature of the transaction's only input, which spends `coin`. */
export function taprootSignature(
  tx: Transaction,
  coin: TestCoin,
  key: TestKey,
  { script, hashType = SIGHASH_DEFAULT, annex }: TaprootSigning = {},
): Uint8Array {
  const { value, scriptPubKey } = coin.output;
  const signing = btc.Transaction.fromRaw(tx.raw, { allowUnknownOutputs: true, disableScriptCheck: true });
  const leafVersion = script === undefined ? undefined : TAPSCRIPT_VERSION;
  const hash = signing.preimageWitnessV1(0, [scriptPubKey], hashType, [value], -1, script, leafVersion, annex);
  const secret = script === undefined ? taprootTweakPrivKey(key.secret) : key.secret;
  const signature = schnorr.sign(hash, secret, new Uint8Array(32));
  return hashType === SIGHASH_DEFAULT ? signature : concatBytes(signature, Uint8Array.of(hashType));
}
