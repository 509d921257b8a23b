/** Output descriptors (BIP380 to BIP387) as trees, and as text. */

import { assert } from '#util';
import { descriptorChecksum } from './checksum.ts';
import type { KeyExpression } from './key-expression.ts';

export type KeyDescriptor = {
  /** `pk` inside `tr` has an x-only key. */
  readonly kind: 'pk' | 'pkh' | 'wpkh' | 'combo' | 'rawtr';
  readonly key: KeyExpression;
};

export type MultisigDescriptor = {
  readonly kind: 'multi' | 'sortedmulti' | 'multi_a' | 'sortedmulti_a';
  readonly required: number;
  readonly keys: readonly KeyExpression[];
};

export type WrappedDescriptor = { readonly kind: 'sh' | 'wsh'; readonly inner: Descriptor };

export type TaprootDescriptor = {
  readonly kind: 'tr';
  readonly key: KeyExpression;
  /** In the order of the tree, depth first. */
  readonly leaves: readonly { readonly depth: number; readonly inner: Descriptor }[];
};

export type Descriptor =
  | KeyDescriptor
  | MultisigDescriptor
  | WrappedDescriptor
  | TaprootDescriptor
  | { readonly kind: 'addr'; readonly address: string; readonly scriptPubKey: Uint8Array }
  | { readonly kind: 'raw'; readonly hex: string; readonly scriptPubKey: Uint8Array };

/** With public keys only, and the checksum. */
export function descriptorText(descriptor: Descriptor): string {
  const body = bodyText(descriptor);
  const checksum = descriptorChecksum(body);
  assert(checksum !== undefined, 'a descriptor’s characters have a checksum');
  return `${body}#${checksum}`;
}

function bodyText(descriptor: Descriptor): string {
  switch (descriptor.kind) {
    case 'sh':
    case 'wsh':
      return `${descriptor.kind}(${bodyText(descriptor.inner)})`;
    case 'addr':
      return `addr(${descriptor.address})`;
    case 'raw':
      return `raw(${descriptor.hex})`;
    case 'tr':
      return `tr(${descriptor.key.text}${descriptor.leaves.length === 0 ? '' : `,${treeText(descriptor.leaves)}`})`;
    case 'multi':
    case 'sortedmulti':
    case 'multi_a':
    case 'sortedmulti_a':
      return `${descriptor.kind}(${[descriptor.required, ...descriptor.keys.map((key) => key.text)].join(',')})`;
    default:
      return `${descriptor.kind}(${descriptor.key.text})`;
  }
}

/** Braces follow from the depths: one opens for each left branch on the way to a leaf. */
function treeText(leaves: TaprootDescriptor['leaves']): string {
  const branches: boolean[] = [];
  let text = '';
  for (const { depth, inner } of leaves) {
    if (branches.length > 0) text += ',';
    while (branches.length <= depth) {
      if (branches.length > 0) text += '{';
      branches.push(false);
    }
    text += bodyText(inner);
    while (branches.length > 1 && branches.at(-1)) {
      text += '}';
      branches.pop();
    }
    branches[branches.length - 1] = true;
  }
  return text;
}

/** Every key, in the order of the text. */
function descriptorKeys(descriptor: Descriptor): readonly KeyExpression[] {
  switch (descriptor.kind) {
    case 'sh':
    case 'wsh':
      return descriptorKeys(descriptor.inner);
    case 'addr':
    case 'raw':
      return [];
    case 'tr':
      return [descriptor.key, ...descriptor.leaves.flatMap(({ inner }) => descriptorKeys(inner))];
    case 'multi':
    case 'sortedmulti':
    case 'multi_a':
    case 'sortedmulti_a':
      return descriptor.keys;
    default:
      return [descriptor.key];
  }
}

/** Whether it stands for many scripts. */
export function isRange(descriptor: Descriptor): boolean {
  return descriptorKeys(descriptor).some((key) => key.isRange);
}

/** Whether it says how to spend: all but an address or a bare script do. */
export function isSolvable({ kind }: Descriptor): boolean {
  return kind !== 'addr' && kind !== 'raw';
}
