export { descriptorChecksum } from './checksum.ts';
export { type Descriptor, descriptorText, isRange, isSolvable } from './descriptor.ts';
export { type Expansion, expandDescriptor } from './expand.ts';
export { formatKeyPath, type KeyPrefixes } from './extended-key.ts';
export { inferDescriptor } from './infer.ts';
export { parseDescriptor } from './parse.ts';
export { type KeyOrigin, SigningProvider } from './signing-provider.ts';
export { type TaprootLeaf, type TaprootTree, taprootTree } from './taproot-tree.ts';
