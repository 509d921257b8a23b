export { hasHighS, isSecretKey, parseDerLax, SECP256K1_ORDER } from './der-lax.ts';
export { hash160, hash256, ripemd160, sha1, sha256 } from './hashes.ts';
export { loadSecp256k1, secp256k1Engine } from './load-secp256k1.ts';
export { MuHash3072 } from './muhash.ts';
export { decompressPublicKey, isValidPublicKey, isValidUncompressedKey } from './public-key.ts';
export type { Secp256k1, Secp256k1Name } from './secp256k1.ts';
export { siphash24 } from './siphash.ts';
