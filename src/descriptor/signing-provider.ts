/**
 * What is known about keys and scripts by their hashes: Core's FlatSigningProvider. Filled from descriptors, from
 * what a caller gives, or from a PSBT; asked by inference and by signing.
 */
import { hash160 } from '#crypto';
import type { SecretKey } from '#script';
import { toHex } from '#util';
import type { TaprootTree } from './taproot-tree.ts';

/** Where a key comes from (BIP380): the first bytes of the master key's hash, and the steps from there. */
export type KeyOrigin = {
  /** 4 bytes. */
  readonly fingerprint: Uint8Array;
  readonly path: readonly number[];
};

type KeyWithOrigin = { readonly publicKey: Uint8Array; readonly origin: KeyOrigin };

export class SigningProvider {
  readonly #scripts = new Map<string, Uint8Array>();
  readonly #publicKeys = new Map<string, Uint8Array>();
  readonly #origins = new Map<string, KeyWithOrigin>();
  readonly #secrets = new Map<string, SecretKey>();
  readonly #trees = new Map<string, TaprootTree>();

  addScript(script: Uint8Array): void {
    this.#scripts.set(toHex(hash160(script)), script);
  }

  addPublicKey(publicKey: Uint8Array, origin?: KeyOrigin): void {
    const id = toHex(hash160(publicKey));
    this.#publicKeys.set(id, publicKey);
    if (origin !== undefined) this.#origins.set(id, { publicKey, origin });
  }

  addSecret(publicKey: Uint8Array, secret: SecretKey): void {
    this.addPublicKey(publicKey);
    this.#secrets.set(toHex(hash160(publicKey)), secret);
  }

  addTree(tree: TaprootTree): void {
    this.#trees.set(toHex(tree.outputKey), tree);
  }

  /** Adds what `other` knows; what is known here stays. */
  merge(other: SigningProvider): this {
    for (const [own, their] of [
      [this.#scripts, other.#scripts],
      [this.#publicKeys, other.#publicKeys],
      [this.#origins, other.#origins],
      [this.#secrets, other.#secrets],
      [this.#trees, other.#trees],
    ] as readonly (readonly [Map<string, unknown>, ReadonlyMap<string, unknown>])[]) {
      for (const [id, value] of their) if (!own.has(id)) own.set(id, value);
    }
    return this;
  }

  /** The same without secrets. */
  withoutSecrets(): SigningProvider {
    const copy = new SigningProvider().merge(this);
    copy.#secrets.clear();
    return copy;
  }

  /** The same without where keys come from. */
  withoutOrigins(): SigningProvider {
    const copy = new SigningProvider().merge(this);
    copy.#origins.clear();
    return copy;
  }

  get hasSecrets(): boolean {
    return this.#secrets.size > 0;
  }

  /** By HASH160 of the script. */
  script(hash: Uint8Array): Uint8Array | undefined {
    return this.#scripts.get(toHex(hash));
  }

  /** By HASH160 of the key. */
  publicKey(hash: Uint8Array): Uint8Array | undefined {
    return this.#publicKeys.get(toHex(hash));
  }

  secret(hash: Uint8Array): SecretKey | undefined {
    return this.#secrets.get(toHex(hash));
  }

  origin(hash: Uint8Array): KeyWithOrigin | undefined {
    return this.#origins.get(toHex(hash));
  }

  /** By the output's x-only key. */
  tree(outputKey: Uint8Array): TaprootTree | undefined {
    return this.#trees.get(toHex(outputKey));
  }

  /** What `lookUp` finds for either key that has this x. */
  byXOnly<T>(xOnlyKey: Uint8Array, lookUp: (hash: Uint8Array) => T | undefined): T | undefined {
    for (const key of fullKeys(xOnlyKey)) {
      const found = lookUp(hash160(key));
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

/** Both keys with this x: even y first. */
export function fullKeys(xOnlyKey: Uint8Array): readonly [Uint8Array, Uint8Array] {
  const make = (form: number): Uint8Array => {
    const key = new Uint8Array(33);
    key[0] = form;
    key.set(xOnlyKey, 1);
    return key;
  };
  return [make(2), make(3)];
}
