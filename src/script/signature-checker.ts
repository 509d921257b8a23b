/**
 * What a script may ask about the transaction that it is part of. The interpreter knows only this interface;
 * tests and tools may stand in for it.
 */
import type { Secp256k1 } from '#crypto';
import { hasKeyShape } from './encoding-checks.ts';
import type { ScriptErrorCode } from './script-error.ts';
import { SigVersion, type TaprootContext } from './sig-version.ts';
import { SIGHASH_DEFAULT } from './sighash-type.ts';
import type { TxSighash } from './tx-sighash.ts';

export type SignatureChecker = {
  /** `signature` has its hash type byte; `scriptCode` is what it covers. An empty signature is false. */
  readonly checkEcdsa: (
    signature: Uint8Array,
    publicKey: Uint8Array,
    scriptCode: Uint8Array,
    version: typeof SigVersion.BASE | typeof SigVersion.WITNESS_V0,
  ) => boolean;
  /** `publicKey` has 32 bytes. */
  readonly checkSchnorr: (
    signature: Uint8Array,
    publicKey: Uint8Array,
    version: typeof SigVersion.TAPROOT | typeof SigVersion.TAPSCRIPT,
    context: TaprootContext,
  ) => ScriptErrorCode | undefined;
  /** Whether the x-only output key is the internal key tweaked by `tweak` (BIP341). */
  readonly checkTapTweak: Secp256k1['checkTapTweak'];
  /** BIP65; `lockTime` is 0 .. 2^39. */
  readonly checkLockTime: (lockTime: number) => boolean;
  /** BIP112; `sequence` is 0 .. 2^39. */
  readonly checkSequence: (sequence: number) => boolean;
};

const LOCKTIME_THRESHOLD = 500_000_000;
const SEQUENCE_FINAL = 0xffffffff;
const SEQUENCE_DISABLE_FLAG = 0x80000000;
const SEQUENCE_TYPE_FLAG = 1 << 22;
const SEQUENCE_MASK = SEQUENCE_TYPE_FLAG | 0xffff;

/** Core's TransactionSignatureChecker for input `inputIndex`. */
export class TxSignatureChecker implements SignatureChecker {
  readonly #sighash: TxSighash;
  readonly #secp: Secp256k1;
  readonly #inputIndex: number;
  // The last hash: the keys of a multisig and the checks of one script mostly ask for the same.
  #lastScriptCode: Uint8Array | undefined;
  #lastHashType = -1;
  #lastVersion: SigVersion = SigVersion.BASE;
  #lastHash: Uint8Array | undefined;

  constructor(sighash: TxSighash, inputIndex: number, secp: Secp256k1) {
    this.#sighash = sighash;
    this.#inputIndex = inputIndex;
    this.#secp = secp;
  }

  checkEcdsa(
    signature: Uint8Array,
    publicKey: Uint8Array,
    scriptCode: Uint8Array,
    version: typeof SigVersion.BASE | typeof SigVersion.WITNESS_V0,
  ): boolean {
    const hashType = signature.at(-1);
    if (hashType === undefined || !hasKeyShape(publicKey)) return false;
    const hash = this.#ecdsaHash(scriptCode, hashType, version);
    return this.#secp.verifyEcdsa(hash, publicKey, signature.subarray(0, -1));
  }

  checkSchnorr(
    signature: Uint8Array,
    publicKey: Uint8Array,
    version: typeof SigVersion.TAPROOT | typeof SigVersion.TAPSCRIPT,
    context: TaprootContext,
  ): ScriptErrorCode | undefined {
    if (signature.length !== 64 && signature.length !== 65) return 'SCHNORR_SIG_SIZE';
    const hashType = signature[64] ?? SIGHASH_DEFAULT;
    // BIP341: the default is written by leaving the byte out; otherwise a third party could add it.
    if (signature.length === 65 && hashType === SIGHASH_DEFAULT) return 'SCHNORR_SIG_HASHTYPE';
    const hash = this.#sighash.taproot(this.#inputIndex, hashType, version, context);
    if (hash === undefined) return 'SCHNORR_SIG_HASHTYPE';
    return this.#secp.verifySchnorr(hash, publicKey, signature.subarray(0, 64)) ? undefined : 'SCHNORR_SIG';
  }

  checkTapTweak(internalKey: Uint8Array, tweak: Uint8Array, outputKey: Uint8Array, parity: 0 | 1): boolean {
    return this.#secp.checkTapTweak(internalKey, tweak, outputKey, parity);
  }

  checkLockTime(lockTime: number): boolean {
    const { lockTime: txLockTime } = this.#sighash.tx;
    if (txLockTime < LOCKTIME_THRESHOLD !== lockTime < LOCKTIME_THRESHOLD) return false;
    if (lockTime > txLockTime) return false;
    // With a final sequence the transaction's lock time would not count, and the check could be bypassed.
    return this.#sequence() !== SEQUENCE_FINAL;
  }

  checkSequence(sequence: number): boolean {
    const own = this.#sequence();
    // BIP68 applies from version 2 on; Core compares the version as unsigned.
    if (this.#sighash.tx.version >>> 0 < 2) return false;
    if ((own & SEQUENCE_DISABLE_FLAG) !== 0) return false;
    const ownMasked = own & SEQUENCE_MASK;
    const masked = sequence & SEQUENCE_MASK;
    if (ownMasked < SEQUENCE_TYPE_FLAG !== masked < SEQUENCE_TYPE_FLAG) return false;
    return masked <= ownMasked;
  }

  #sequence(): number {
    return this.#sighash.tx.inputs[this.#inputIndex]?.sequence ?? SEQUENCE_FINAL;
  }

  /** Script codes are compared by identity: the interpreter asks with the same array again. */
  #ecdsaHash(
    scriptCode: Uint8Array,
    hashType: number,
    version: typeof SigVersion.BASE | typeof SigVersion.WITNESS_V0,
  ): Uint8Array {
    const same =
      this.#lastScriptCode === scriptCode && this.#lastHashType === hashType && this.#lastVersion === version;
    if (same && this.#lastHash !== undefined) return this.#lastHash;
    const hash =
      version === SigVersion.BASE
        ? this.#sighash.legacy(scriptCode, this.#inputIndex, hashType)
        : this.#sighash.witnessV0(scriptCode, this.#inputIndex, hashType);
    this.#lastScriptCode = scriptCode;
    this.#lastHashType = hashType;
    this.#lastVersion = version;
    this.#lastHash = hash;
    return hash;
  }
}
