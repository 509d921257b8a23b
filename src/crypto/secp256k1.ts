/**
 * The secp256k1 port. Every engine behind it gives Bitcoin Core's answers, bit for bit
 * (test/compliance/secp256k1.ts); they differ in speed only.
 */

/**
 * Verification only, never signing. Nothing throws on bad data; byte arguments are not kept or changed.
 */
export type Secp256k1 = {
  readonly name: Secp256k1Name;
  /**
   * Core's CPubKey::Verify: `signature` in lax DER without the hash type byte, s of any size, public key
   * compressed, uncompressed or hybrid. `hash` has 32 bytes.
   */
  readonly verifyEcdsa: (hash: Uint8Array, publicKey: Uint8Array, signature: Uint8Array) => boolean;
  /** BIP340. `hash` and the x-only `publicKey` have 32 bytes, `signature` 64; other lengths are false. */
  readonly verifySchnorr: (hash: Uint8Array, publicKey: Uint8Array, signature: Uint8Array) => boolean;
  /**
   * BIP341: whether the x-only `internalKey` plus `tweak` times G is `outputKey` with this parity of y. All have 32
   * bytes; other lengths are false.
   */
  readonly checkTapTweak: (internalKey: Uint8Array, tweak: Uint8Array, outputKey: Uint8Array, parity: 0 | 1) => boolean;
};

export type Secp256k1Name = 'bcrypto' | 'tiny' | 'noble';
