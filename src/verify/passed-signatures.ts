/**
 * Signatures that passed are not checked again while the same scripts run under other flags (Core's signature cache, for
 * the time of one transaction). They come in the same order then, so each is compared with one only.
 */
import type { Secp256k1 } from '#crypto';
import { equalBytes } from '#util';

type Check = Secp256k1['verifyEcdsa'];
type Signed = { readonly hash: Uint8Array; readonly publicKey: Uint8Array; readonly signature: Uint8Array };

export class PassedSignatures {
  readonly #passed: (Signed & { readonly check: Check })[] = [];
  #next = 0;

  /** The same transaction from its first input on. */
  startAgain(): void {
    this.#next = 0;
  }

  /** Keeps views of what it is asked. */
  around(engine: Secp256k1): Secp256k1 {
    return { ...engine, verifyEcdsa: this.#once(engine.verifyEcdsa), verifySchnorr: this.#once(engine.verifySchnorr) };
  }

  #once(check: Check): Check {
    return (hash, publicKey, signature) => {
      const known = this.#passed[this.#next];
      if (known?.check === check && isSame(known, { hash, publicKey, signature })) {
        this.#next += 1;
        return true;
      }
      if (!check(hash, publicKey, signature)) return false;
      if (known === undefined) this.#next = this.#passed.push({ check, hash, publicKey, signature });
      return true;
    };
  }
}

function isSame(one: Signed, other: Signed): boolean {
  return (
    equalBytes(one.hash, other.hash) &&
    equalBytes(one.publicKey, other.publicKey) &&
    equalBytes(one.signature, other.signature)
  );
}
