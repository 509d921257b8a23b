/** Deterministic keys for tests and the classic scripts that pay to them. Never use them for money. */
import { hash160, sha256 } from '#crypto';
import { pushData } from '#script';
import { concatBytes } from '#util';
import { p2pkhScript, type SigningKey, signingKey } from '../../src/mempool/payer.ts';

export type TestKey = SigningKey & {
  /** 32 bytes. */
  readonly secret: Uint8Array;
  /** Locking scripts that this key alone unlocks. */
  readonly p2pk: Uint8Array;
  readonly p2pkh: Uint8Array;
};

const OP_1_BASE = 0x50;
const OP_CHECKSIG = 0xac;
const OP_CHECKMULTISIG = 0xae;
/** A script that anybody can spend with an empty unlocking script. */
export const ANYONE_CAN_SPEND = Uint8Array.of(0x51);

const keys = new Map<number, TestKey>();

/** Key number `index`; the same on every run. */
export function testKey(index: number): TestKey {
  const known = keys.get(index);
  if (known !== undefined) return known;
  const secret = sha256(Buffer.from(`starling test key ${index}`));
  const key = signingKey(secret);
  const made = { ...key, secret, p2pk: p2pkScript(key.publicKey), p2pkh: p2pkhScript(key.publicKey) };
  keys.set(index, made);
  return made;
}

export function p2pkScript(publicKey: Uint8Array): Uint8Array {
  return concatBytes(pushData(publicKey), Uint8Array.of(OP_CHECKSIG));
}

/** Bare `required`-of-n multisig, n up to 16. */
export function multisigScript(required: number, publicKeys: readonly Uint8Array[]): Uint8Array {
  return concatBytes(
    Uint8Array.of(OP_1_BASE + required),
    ...publicKeys.map(pushData),
    Uint8Array.of(OP_1_BASE + publicKeys.length, OP_CHECKMULTISIG),
  );
}

export function p2shScript(redeemScript: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(0xa9, 0x14), hash160(redeemScript), Uint8Array.of(0x87));
}
