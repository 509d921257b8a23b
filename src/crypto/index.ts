export { hash160, hash256, ripemd160, sha1, sha256 } from './hashes.ts';
