/**
 * The hash functions of Bitcoin. Every function returns a fresh array that the caller owns.
 * Short inputs go to as-sha256 (wasm SIMD), long ones to OpenSSL.
 */
import { hash as opensslHash } from 'node:crypto';
import { digest as wasmSha256 } from '@chainsafe/as-sha256';

/** Above this many bytes OpenSSL is faster (measured per CPU second: 80 bytes 605k/387k, 128 bytes 395k/435k). */
const WASM_MAX_BYTES = 100;

export function sha256(data: Uint8Array): Uint8Array {
  return data.length <= WASM_MAX_BYTES ? wasmSha256(data) : opensslHash('sha256', data, 'buffer');
}

/** SHA-256 applied twice: transaction ids, block hashes, merkle nodes. */
export function hash256(data: Uint8Array): Uint8Array {
  return wasmSha256(sha256(data));
}

export function ripemd160(data: Uint8Array): Uint8Array {
  return opensslHash('ripemd160', data, 'buffer');
}

export function sha1(data: Uint8Array): Uint8Array {
  return opensslHash('sha1', data, 'buffer');
}

/** RIPEMD-160 of SHA-256: public key and script hashes. */
export function hash160(data: Uint8Array): Uint8Array {
  return ripemd160(sha256(data));
}
