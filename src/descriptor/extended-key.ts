/** Extended keys (BIP32) of one network, as Core's CExtKey and CExtPubKey. */
import { HDKey } from '@scure/bip32';
import type { AddressPrefixes } from '#script';
import { assert } from '#util';

/** What keys and addresses of one network start with: `NetworkParams.address`. */
export type KeyPrefixes = AddressPrefixes & {
  readonly extPublicKey: number;
  readonly extSecretKey: number;
};

export const HARDENED = 0x80000000;

/** `xpub…` or `xprv…` of this network; undefined for anything else. */
export function parseExtendedKey(text: string, prefixes: KeyPrefixes): HDKey | undefined {
  try {
    return HDKey.fromExtendedKey(text, { public: prefixes.extPublicKey, private: prefixes.extSecretKey });
  } catch {
    return undefined;
  }
}

/** Undefined when a step is hardened and the secret is missing, or leads nowhere (less likely than 2^-127). */
export function deriveKey(key: HDKey, path: readonly number[]): HDKey | undefined {
  try {
    return path.reduce((parent, step) => parent.deriveChild(step), key);
  } catch {
    return undefined;
  }
}

/** The same key with the secret that belongs to it. */
export function withSecret(key: HDKey, privateKey: Uint8Array): HDKey {
  const { versions, depth, index, parentFingerprint, chainCode } = key;
  assert(chainCode !== null, 'an extended key has a chain code');
  return new HDKey({ versions, depth, index, parentFingerprint, chainCode, privateKey });
}

/** Core's FormatHDKeypath: `/44h/0h/1`. */
export function formatKeyPath(path: readonly number[], apostrophe = false): string {
  const mark = apostrophe ? "'" : 'h';
  return path.map((step) => (step >= HARDENED ? `/${step - HARDENED}${mark}` : `/${step}`)).join('');
}
