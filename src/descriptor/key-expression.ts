/**
 * Keys inside descriptors (BIP380, Core's PubkeyProvider): a plain key, or an extended key with a path and perhaps a
 * range, with or without an origin.
 */
import type { HDKey } from '@scure/bip32';
import { hash160 } from '#crypto';
import { assert, toHex } from '#util';
import { deriveKey, formatKeyPath, HARDENED, withSecret } from './extended-key.ts';
import type { KeyOrigin, SigningProvider } from './signing-provider.ts';

export type DerivedKey = {
  /** 33 or 65 bytes. */
  readonly publicKey: Uint8Array;
  /** 32 bytes; only when the keys given know it. */
  readonly secret: Uint8Array | undefined;
  readonly origin: KeyOrigin;
};

export type KeyExpression = {
  readonly text: string;
  /** Bytes of the public key. */
  readonly size: number;
  readonly isRange: boolean;
  /** Key number `index` of the range. Undefined when that takes a secret that `keys` does not have. */
  readonly derive: (index: number, keys: SigningProvider) => DerivedKey | undefined;
};

/** `xOnly`: shown as 32 bytes; the key has an even y. */
export function plainKey(publicKey: Uint8Array, xOnly = false): KeyExpression {
  const keyHash = hash160(publicKey);
  const origin: KeyOrigin = { fingerprint: keyHash.subarray(0, 4), path: [] };
  return {
    text: toHex(xOnly ? publicKey.subarray(1) : publicKey),
    size: publicKey.length,
    isRange: false,
    derive: (_index, keys) => ({ publicKey, secret: keys.secret(keyHash)?.secret, origin }),
  };
}

export type KeyRange = 'none' | 'unhardened' | 'hardened';

export type ExtendedKeyPath = {
  readonly path: readonly number[];
  readonly range: KeyRange;
  /** Whether hardened steps are shown with `'`. */
  readonly apostrophe: boolean;
};

/** `root` is shown as the public key that it is or has. */
export function extendedKey(root: HDKey, { path, range, apostrophe }: ExtendedKeyPath): KeyExpression {
  const rootHash = root.pubKeyHash;
  assert(rootHash !== undefined, 'an extended key has a public key');
  const needsSecret = range === 'hardened' || path.some((step) => step >= HARDENED);
  const rangeText = range === 'none' ? '' : range === 'unhardened' ? '/*' : apostrophe ? "/*'" : '/*h';
  // The parent of the whole range, with and without the secret.
  let publicParent: HDKey | undefined;
  let secretParent: HDKey | undefined;
  const parentKey = (keys: SigningProvider): HDKey | undefined => {
    const secret = keys.secret(rootHash)?.secret;
    if (secret !== undefined) {
      secretParent ??= deriveKey(withSecret(root, secret), path);
      return secretParent;
    }
    if (needsSecret) return undefined;
    publicParent ??= deriveKey(root, path);
    return publicParent;
  };
  return {
    text: `${root.publicExtendedKey}${formatKeyPath(path, apostrophe)}${rangeText}`,
    size: 33,
    isRange: range !== 'none',
    derive: (index, keys) => {
      const steps = range === 'none' ? [] : [range === 'hardened' ? index + HARDENED : index];
      const parent = parentKey(keys);
      const { publicKey, privateKey } = (parent && deriveKey(parent, steps)) ?? {};
      if (!publicKey) return undefined;
      const origin = { fingerprint: rootHash.subarray(0, 4), path: [...path, ...steps] };
      return { publicKey, secret: privateKey ?? undefined, origin };
    },
  };
}

/** `key`, which was itself derived from `origin`. */
export function keyWithOrigin(key: KeyExpression, origin: KeyOrigin, apostrophe: boolean): KeyExpression {
  return {
    ...key,
    text: `[${toHex(origin.fingerprint)}${formatKeyPath(origin.path, apostrophe)}]${key.text}`,
    derive: (index, keys) => {
      const derived = key.derive(index, keys);
      // A plain key is itself what the origin leads to.
      return derived && { ...derived, origin: { ...origin, path: [...origin.path, ...derived.origin.path] } };
    },
  };
}
