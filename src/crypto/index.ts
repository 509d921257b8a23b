export { hash160, hash256, ripemd160, sha1, sha256 } from './hashes.ts';
export { decompressPublicKey, isValidUncompressedKey } from './public-key.ts';
export { hasHighS, isSecretKey, parseDerLax } from './der-lax.ts';
export { loadSecp256k1, type Secp256k1, type Secp256k1Name, secp256k1Engine } from './secp256k1.ts';
