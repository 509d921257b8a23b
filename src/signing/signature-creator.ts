/** Who makes signatures for an input: real ones, or dummies of the same size. */
import type { Secp256k1 } from '#crypto';
import type { SigningProvider } from '#descriptor';
import { MAX_MONEY, type Transaction, type TxOutput } from '#primitives';
import { type SecretKey, type SignatureChecker, SigVersion, sighash, TxSighash, TxSignatureChecker } from '#script';
import { assert, concatBytes } from '#util';
import { signEcdsa, signSchnorr } from './keys.ts';
import type { SignatureData } from './signature-data.ts';

export type EcdsaVersion = typeof SigVersion.BASE | typeof SigVersion.WITNESS_V0;

/** Which signature of taproot: of the output by its internal key, of the output's key itself, or of a leaf. */
export type SchnorrSpend =
  | { readonly kind: 'internal-key'; readonly merkleRoot: Uint8Array | undefined }
  | { readonly kind: 'output-key' }
  | { readonly kind: 'leaf'; readonly leafHash: Uint8Array };

export type SignatureCreator = {
  /** With the hash type; undefined when the key is not known, or may not sign here. */
  readonly ecdsa: (
    keys: SigningProvider,
    keyHash: Uint8Array,
    scriptCode: Uint8Array,
    version: EcdsaVersion,
  ) => Uint8Array | undefined;
  /** `publicKey` is x-only. */
  readonly schnorr: (keys: SigningProvider, publicKey: Uint8Array, spend: SchnorrSpend) => Uint8Array | undefined;
  /** Holds what was made against the transaction. */
  readonly checker: SignatureChecker;
};

/** What it takes to unlock an output: keys, who signs, and where the findings go. */
export type Signing = {
  readonly keys: SigningProvider;
  readonly creator: SignatureCreator;
  readonly data: SignatureData;
};

/** Bytes, hash type included, of the dummies: a usual DER signature with low R. */
const DUMMY_ECDSA_BYTES = 71;
const DUMMY_SCHNORR_BYTES = 64;

/** Core's DUMMY_SIGNATURE_CREATOR: signatures that only have the right size, for every key. */
export const DUMMY_CREATOR: SignatureCreator = {
  ecdsa: () => dummySignature(),
  schnorr: () => new Uint8Array(DUMMY_SCHNORR_BYTES),
  checker: {
    checkEcdsa: (signature) => signature.length > 0,
    checkSchnorr: () => undefined,
    checkTapTweak: () => true,
    checkLockTime: () => true,
    checkSequence: () => true,
  },
};

function dummySignature(): Uint8Array {
  const signature = new Uint8Array(DUMMY_ECDSA_BYTES);
  signature.set([0x30, 68, 0x02, 32, 0x01]);
  signature.set([0x02, 32, 0x01], 36);
  signature[DUMMY_ECDSA_BYTES - 1] = sighash.SIGHASH_ALL;
  return signature;
}

/** Of a transaction, whose spent outputs may not all be known. */
export class TxSigner {
  readonly tx: Transaction;
  readonly #sighash: TxSighash;
  readonly #spent: readonly (TxOutput | undefined)[];
  readonly #secp: Secp256k1;

  /** `spent` in the order of the inputs. */
  constructor(tx: Transaction, spent: readonly (TxOutput | undefined)[], secp: Secp256k1) {
    assert(spent.length === tx.inputs.length, 'an output, or none, for each input');
    this.tx = tx;
    this.#spent = spent;
    this.#secp = secp;
    // What is not known is not hashed: before taproot a signature covers its own input's output only.
    this.#sighash = new TxSighash(
      tx,
      spent.map((output) => output ?? { value: -1n, scriptPubKey: new Uint8Array(0) }),
    );
  }

  /** Taproot's signatures cover all spent outputs. */
  get #canTaproot(): boolean {
    return this.#spent.every((output) => output !== undefined);
  }

  checker(inputIndex: number): SignatureChecker {
    const checker = new TxSignatureChecker(this.#sighash, inputIndex, this.#secp);
    if (this.#canTaproot) return checker;
    return {
      checkEcdsa: (...given) => checker.checkEcdsa(...given),
      checkSchnorr: () => 'SCHNORR_SIG_HASHTYPE',
      checkTapTweak: (...given) => checker.checkTapTweak(...given),
      checkLockTime: (lockTime) => checker.checkLockTime(lockTime),
      checkSequence: (sequence) => checker.checkSequence(sequence),
    };
  }

  /** Core's MutableTransactionSignatureCreator. */
  creator(inputIndex: number, hashType: number): SignatureCreator {
    const value = this.#spent[inputIndex]?.value ?? -1n;
    return {
      ecdsa: (keys, keyHash, scriptCode, version) => {
        const key = keys.secret(keyHash);
        const isWitness = version === SigVersion.WITNESS_V0;
        if (key === undefined || (isWitness && (!key.compressed || value < 0n || value > MAX_MONEY))) return undefined;
        const type = hashType === sighash.SIGHASH_DEFAULT ? sighash.SIGHASH_ALL : hashType;
        const hash = isWitness
          ? this.#sighash.witnessV0(scriptCode, inputIndex, type)
          : this.#sighash.legacy(scriptCode, inputIndex, type);
        return concatBytes(signEcdsa(hash, key.secret), Uint8Array.of(type));
      },
      schnorr: (keys, publicKey, spend) => {
        const key = keys.byXOnly(publicKey, (hash) => keys.secret(hash));
        return key && this.#canTaproot ? this.#schnorr(inputIndex, hashType, key, spend) : undefined;
      },
      checker: this.checker(inputIndex),
    };
  }

  #schnorr(inputIndex: number, hashType: number, { secret }: SecretKey, spend: SchnorrSpend): Uint8Array | undefined {
    const version = spend.kind === 'leaf' ? SigVersion.TAPSCRIPT : SigVersion.TAPROOT;
    const leafHash = spend.kind === 'leaf' ? spend.leafHash : undefined;
    const context = { annexHash: undefined, leafHash, codeSeparatorPosition: 0xffffffff, weightLeft: 0 };
    const hash = this.#sighash.taproot(inputIndex, hashType, version, context);
    if (hash === undefined) return undefined;
    const root = spend.kind === 'internal-key' ? (spend.merkleRoot ?? 'none') : undefined;
    const signature = signSchnorr(hash, secret, root);
    return hashType === sighash.SIGHASH_DEFAULT ? signature : concatBytes(signature, Uint8Array.of(hashType));
  }
}
