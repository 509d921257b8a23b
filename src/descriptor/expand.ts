/** The scripts that a descriptor stands for, with what is needed to spend them (Core's Descriptor::Expand). */
import { hash160 } from '#crypto';
import { taproot, templates } from '#script';
import { assert, compareBytes } from '#util';
import type { Descriptor, MultisigDescriptor, TaprootDescriptor } from './descriptor.ts';
import type { KeyExpression } from './key-expression.ts';
import { SigningProvider } from './signing-provider.ts';
import { taprootTree } from './taproot-tree.ts';

export type Expansion = {
  /** Four for `combo` of a compressed key, two for `combo` of another, else one. */
  readonly scripts: readonly Uint8Array[];
  readonly provider: SigningProvider;
};

/**
 * Place `index` of the range (any where there is none). `secrets` is what the descriptor's text held. Undefined when a
 * key cannot be derived: a hardened step without its secret.
 */
export function expandDescriptor(
  descriptor: Descriptor,
  index: number,
  secrets: SigningProvider,
): Expansion | undefined {
  const provider = new SigningProvider();
  const scripts = scriptsOf(descriptor, { index, secrets, provider, xOnly: false });
  return scripts && { scripts, provider };
}

type Expanding = {
  readonly index: number;
  readonly secrets: SigningProvider;
  readonly provider: SigningProvider;
  /** Inside of a tapscript. */
  readonly xOnly: boolean;
};

function scriptsOf(descriptor: Descriptor, at: Expanding): Uint8Array[] | undefined {
  switch (descriptor.kind) {
    case 'addr':
    case 'raw':
      return [descriptor.scriptPubKey];
    case 'sh':
    case 'wsh':
      return wrappedScripts(descriptor.kind, descriptor.inner, at);
    case 'tr':
      return taprootScripts(descriptor, at);
    case 'multi':
    case 'sortedmulti':
    case 'multi_a':
    case 'sortedmulti_a':
      return multisigScripts(descriptor, at);
    default: {
      const key = publicKey(descriptor.key, at);
      return key && keyScripts(descriptor.kind, key, at);
    }
  }
}

/** Notes the key, its origin and its secret. */
function publicKey(expression: KeyExpression, { index, secrets, provider }: Expanding): Uint8Array | undefined {
  const derived = expression.derive(index, secrets);
  if (derived === undefined) return undefined;
  const { publicKey: key, secret, origin } = derived;
  if (secret !== undefined) provider.addSecret(key, { secret, compressed: key.length === 33 });
  provider.addPublicKey(key, origin);
  return key;
}

function keyScripts(kind: 'pk' | 'pkh' | 'wpkh' | 'combo' | 'rawtr', key: Uint8Array, at: Expanding): Uint8Array[] {
  switch (kind) {
    case 'pk':
      return [templates.payToPubKey(at.xOnly ? key.subarray(1) : key)];
    case 'pkh':
      return [templates.payToPubKeyHash(hash160(key))];
    case 'wpkh':
      return [templates.payToWitness(0, hash160(key))];
    case 'rawtr':
      return [templates.payToWitness(1, key.subarray(1))];
    case 'combo': {
      const legacy = [templates.payToPubKey(key), templates.payToPubKeyHash(hash160(key))];
      if (key.length !== 33) return legacy;
      const witness = templates.payToWitness(0, hash160(key));
      at.provider.addScript(witness);
      return [...legacy, witness, templates.payToScriptHash(witness)];
    }
  }
}

function wrappedScripts(kind: 'sh' | 'wsh', inner: Descriptor, at: Expanding): Uint8Array[] | undefined {
  const [script] = scriptsOf(inner, at) ?? [];
  if (script === undefined) return undefined;
  at.provider.addScript(script);
  return [kind === 'sh' ? templates.payToScriptHash(script) : templates.payToWitnessScriptHash(script)];
}

function multisigScripts({ kind, required, keys }: MultisigDescriptor, at: Expanding): Uint8Array[] | undefined {
  const found = keys.map((key) => publicKey(key, at)).filter((key) => key !== undefined);
  if (found.length < keys.length) return undefined;
  const isTapscript = kind === 'multi_a' || kind === 'sortedmulti_a';
  const used = isTapscript ? found.map((key) => key.subarray(1)) : found;
  const ordered = kind.startsWith('sorted') ? used.toSorted(compareBytes) : used;
  return [(isTapscript ? templates.multisigTapscript : templates.multisig)(required, ordered)];
}

function taprootScripts({ key, leaves }: TaprootDescriptor, at: Expanding): Uint8Array[] | undefined {
  const internalKey = publicKey(key, at);
  if (internalKey === undefined) return undefined;
  const scripts: { depth: number; leafVersion: number; script: Uint8Array }[] = [];
  for (const { depth, inner } of leaves) {
    const [script] = scriptsOf(inner, { ...at, xOnly: true }) ?? [];
    if (script === undefined) return undefined;
    scripts.push({ depth, leafVersion: taproot.TAPROOT_LEAF_TAPSCRIPT, script });
  }
  const tree = taprootTree(internalKey.subarray(1), scripts);
  assert(tree !== undefined, 'the parser made a tree, and the key is a point');
  at.provider.addTree(tree);
  return [templates.payToWitness(1, tree.outputKey)];
}
