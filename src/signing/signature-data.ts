/** What is known of, and missing for, one input's unlocking: Core's SignatureData. Filled step by step. */
import { hash160 } from '#crypto';
import type { KeyOrigin, TaprootTree } from '#descriptor';
import { compareBytes, toHex } from '#util';

export type KeySignature = { readonly publicKey: Uint8Array; readonly signature: Uint8Array };

export type OriginOfKey = { readonly publicKey: Uint8Array; readonly origin: KeyOrigin };

/** A script of a taproot output and the ways to it. */
export type LeafScript = {
  readonly script: Uint8Array;
  readonly leafVersion: number;
  /** Shortest first. */
  readonly controlBlocks: readonly Uint8Array[];
};

export type ScriptPathSignature = {
  /** x-only. */
  readonly publicKey: Uint8Array;
  readonly leafHash: Uint8Array;
  readonly signature: Uint8Array;
};

export type TaprootOrigin = {
  /** x-only. */
  readonly publicKey: Uint8Array;
  /** Hex, sorted when written. */
  readonly leafHashes: ReadonlySet<string>;
  readonly origin: KeyOrigin;
};

const EMPTY = new Uint8Array(0);

export class SignatureData {
  complete = false;
  /** Whether what unlocks is in the witness. */
  witness = false;
  scriptSig: Uint8Array = EMPTY;
  scriptWitness: readonly Uint8Array[] = [];
  redeemScript: Uint8Array | undefined;
  witnessScript: Uint8Array | undefined;
  /** By the hex of the key's HASH160. */
  readonly signatures = new Map<string, KeySignature>();
  readonly origins = new Map<string, OriginOfKey>();

  internalKey: Uint8Array | undefined;
  merkleRoot: Uint8Array | undefined;
  tree: TaprootTree | undefined;
  keyPathSignature: Uint8Array | undefined;
  /** By script and version. */
  readonly leafScripts = new Map<string, LeafScript>();
  /** By key and leaf. */
  readonly scriptPathSignatures = new Map<string, ScriptPathSignature>();
  /** By the hex of the x-only key. */
  readonly taprootOrigins = new Map<string, TaprootOrigin>();

  /** HASH160 of keys that are not known. */
  readonly missingKeys: Uint8Array[] = [];
  /** HASH160 of keys that have not signed. */
  readonly missingSignatures: Uint8Array[] = [];
  missingRedeemScript: Uint8Array | undefined;
  missingWitnessScript: Uint8Array | undefined;

  addSignature(publicKey: Uint8Array, signature: Uint8Array): void {
    const id = toHex(hash160(publicKey));
    if (!this.signatures.has(id)) this.signatures.set(id, { publicKey, signature });
  }

  addOrigin(publicKey: Uint8Array, origin: KeyOrigin): void {
    const id = toHex(hash160(publicKey));
    if (!this.origins.has(id)) this.origins.set(id, { publicKey, origin });
  }

  /** A control block more for a script. */
  addLeafScript(script: Uint8Array, leafVersion: number, controlBlock: Uint8Array): void {
    const id = `${toHex(script)}/${leafVersion}`;
    const known = this.leafScripts.get(id)?.controlBlocks ?? [];
    if (known.some((each) => compareBytes(each, controlBlock) === 0)) return;
    const controlBlocks = [...known, controlBlock].sort(shortestFirst);
    this.leafScripts.set(id, { script, leafVersion, controlBlocks });
  }

  scriptPathSignature(publicKey: Uint8Array, leafHash: Uint8Array): Uint8Array | undefined {
    return this.scriptPathSignatures.get(toHex(publicKey) + toHex(leafHash))?.signature;
  }

  addScriptPathSignature(publicKey: Uint8Array, leafHash: Uint8Array, signature: Uint8Array): void {
    this.scriptPathSignatures.set(toHex(publicKey) + toHex(leafHash), { publicKey, leafHash, signature });
  }

  /** Without a leaf for the internal key. */
  addTaprootOrigin(publicKey: Uint8Array, origin: KeyOrigin, leafHash?: Uint8Array): void {
    const id = toHex(publicKey);
    const known = this.taprootOrigins.get(id);
    const leafHashes = new Set(known?.leafHashes);
    if (leafHash !== undefined) leafHashes.add(toHex(leafHash));
    this.taprootOrigins.set(id, { publicKey, leafHashes, origin: known?.origin ?? origin });
  }

  /** Takes what `other` knows more (Core's MergeSignatureData); the complete one wins. */
  merge(other: SignatureData): void {
    if (this.complete) return;
    if (other.complete) {
      this.complete = true;
      this.scriptSig = other.scriptSig;
      this.scriptWitness = other.scriptWitness;
      this.witness = other.witness;
    }
    this.redeemScript ??= other.redeemScript;
    this.witnessScript ??= other.witnessScript;
    for (const { publicKey, signature } of other.signatures.values()) this.addSignature(publicKey, signature);
  }
}

/** Core's ShortestVectorFirstComparator. */
export function shortestFirst(a: Uint8Array, b: Uint8Array): number {
  return a.length - b.length || compareBytes(a, b);
}
