/**
 * Addresses and private keys as people write them (Core's key_io.cpp and base58.cpp; BIP173, BIP350).
 * What is accepted and what is not follows Core, also where that is odd: blanks around Base58 text are allowed.
 */
import { base58, bech32, bech32m, createBase58check } from '@scure/base';
import { isSecretKey, sha256 } from '#crypto';
import { concatBytes } from '#util';
import { locateBech32Errors } from './bech32-errors.ts';
import { isPayToPubKeyHash, isPayToScriptHash, witnessProgram } from './patterns.ts';
import { payToPubKeyHash, payToScriptHashOf, payToWitness } from './templates.ts';

/** What makes an address belong to one network: `NetworkParams.address`. */
export type AddressPrefixes = {
  readonly pubKeyHash: number;
  readonly scriptHash: number;
  readonly secretKey: number;
  readonly bech32Hrp: string;
};

export type DecodedAddress =
  | { readonly kind: 'valid'; readonly scriptPubKey: Uint8Array }
  /** `error` is Core's text, as validateaddress shows it; `locations` are indices of what is wrong, where that is known. */
  | { readonly kind: 'invalid'; readonly error: string; readonly locations: readonly number[] };

const HASH_BYTES = 20;
const KEY_BYTES = 32;
/** Bytes, checksum included: the longest that Core decodes at all, which here only chooses between two error texts. */
const MAX_BASE58_BYTES = 100;
/** Longer text cannot decode to 100 bytes; not tried, because decoding takes quadratic time. */
const MAX_BASE58_TEXT = 140;
const BECH32_MAX_TEXT = 90;

const base58check = createBase58check(sha256);

/** The address that pays to the script; undefined when there is none (bare keys, multisig, data). */
export function encodeAddress(scriptPubKey: Uint8Array, prefixes: AddressPrefixes): string | undefined {
  if (isPayToPubKeyHash(scriptPubKey)) return encodeBase58(prefixes.pubKeyHash, scriptPubKey.subarray(3, 23));
  if (isPayToScriptHash(scriptPubKey)) return encodeBase58(prefixes.scriptHash, scriptPubKey.subarray(2, 22));
  const witness = witnessProgram(scriptPubKey);
  if (witness === undefined || !isKnownProgramSize(witness.version, witness.program.length)) return undefined;
  const codec = witness.version === 0 ? bech32 : bech32m;
  return codec.encode(prefixes.bech32Hrp, [witness.version, ...codec.toWords(witness.program)]);
}

/** The script that an address stands for on this network. Never throws. */
export function decodeAddress(text: string, prefixes: AddressPrefixes): DecodedAddress {
  const looksLikeBech32 = text.slice(0, prefixes.bech32Hrp.length).toLowerCase() === prefixes.bech32Hrp;
  return looksLikeBech32 ? decodeSegwitAddress(text, prefixes) : decodeBase58Address(text, prefixes);
}

export type SecretKey = {
  /** 32 bytes, big endian, 1 .. order-1. The caller owns them. */
  readonly secret: Uint8Array;
  /** Whether the public key is used in its compressed form. */
  readonly compressed: boolean;
};

/** Wallet import format. */
export function encodeWif({ secret, compressed }: SecretKey, prefixes: AddressPrefixes): string {
  const payload = compressed ? concatBytes(secret, Uint8Array.of(1)) : secret;
  return encodeBase58(prefixes.secretKey, payload);
}

/** The key, or undefined for anything but a valid key of this network. */
export function decodeWif(text: string, prefixes: AddressPrefixes): SecretKey | undefined {
  const data = decodeBase58Check(text);
  if (data === undefined || data[0] !== prefixes.secretKey) return undefined;
  const compressed = data.length === KEY_BYTES + 2 && data[KEY_BYTES + 1] === 1;
  if (!compressed && data.length !== KEY_BYTES + 1) return undefined;
  const secret = data.slice(1, KEY_BYTES + 1);
  return isSecretKey(secret) ? { secret, compressed } : undefined;
}

function isKnownProgramSize(version: number, length: number): boolean {
  return version === 0 ? length === 20 || length === 32 : length >= 2 && length <= 40;
}

function encodeBase58(version: number, payload: Uint8Array): string {
  return base58check.encode(concatBytes(Uint8Array.of(version), payload));
}

/** Core's DecodeBase58: blanks before and behind are skipped. */
function decodeBase58(text: string): Uint8Array | undefined {
  const trimmed = text.replace(/^[ \f\n\r\t\v]+|[ \f\n\r\t\v]+$/g, '');
  if (trimmed.length > MAX_BASE58_TEXT) return undefined;
  try {
    const data = base58.decode(trimmed);
    return data.length > MAX_BASE58_BYTES ? undefined : data;
  } catch {
    return undefined;
  }
}

function decodeBase58Check(text: string): Uint8Array | undefined {
  const data = decodeBase58(text);
  if (data === undefined || data.length < 4) return undefined;
  const payload = data.subarray(0, -4);
  const checksum = sha256(sha256(payload)).subarray(0, 4);
  return Buffer.compare(checksum, data.subarray(-4)) === 0 ? payload : undefined;
}

function decodeBase58Address(text: string, prefixes: AddressPrefixes): DecodedAddress {
  const data = decodeBase58Check(text);
  // Core stops at 21 bytes; what is longer counts as a failed checksum.
  if (data === undefined || data.length > HASH_BYTES + 1) {
    return decodeBase58(text) === undefined
      ? invalid('Invalid or unsupported Segwit (Bech32) or Base58 encoding.')
      : invalid('Invalid checksum or length of Base58 address (P2PKH or P2SH)');
  }
  const [version] = data;
  const hash = data.subarray(1);
  const known = version === prefixes.pubKeyHash || version === prefixes.scriptHash;
  if (!known) return invalid('Invalid or unsupported Base58-encoded address.');
  if (hash.length !== HASH_BYTES) return invalid('Invalid length for Base58 address (P2PKH or P2SH)');
  const scriptPubKey = version === prefixes.pubKeyHash ? payToPubKeyHash(hash) : payToScriptHashOf(hash);
  return { kind: 'valid', scriptPubKey };
}

function decodeSegwitAddress(text: string, prefixes: AddressPrefixes): DecodedAddress {
  const asBech32 = bech32.decodeUnsafe(text, BECH32_MAX_TEXT);
  const decoded = asBech32 ?? bech32m.decodeUnsafe(text, BECH32_MAX_TEXT);
  if (decoded === undefined) return bech32Problem(text);
  const [version, ...words] = decoded.words;
  if (version === undefined) return invalid('Empty Bech32 data section');
  if (decoded.prefix !== prefixes.bech32Hrp) {
    const { bech32Hrp } = prefixes;
    return invalid(
      `Invalid or unsupported prefix for Segwit (Bech32) address (expected ${bech32Hrp}, got ${decoded.prefix}).`,
    );
  }
  if (version === 0 && asBech32 === undefined) return invalid('Version 0 witness address must use Bech32 checksum');
  if (version !== 0 && asBech32 !== undefined) return invalid('Version 1+ witness address must use Bech32m checksum');
  const program = bech32.fromWordsUnsafe(words);
  if (program === undefined) return invalid('Invalid padding in Bech32 data section');
  if (version > 16) return invalid('Invalid Bech32 address witness version');
  if (!isKnownProgramSize(version, program.length)) {
    const size = `(${program.length} ${program.length === 1 ? 'byte' : 'bytes'})`;
    return invalid(
      version === 0
        ? `Invalid Bech32 v0 address program size ${size}, per BIP141`
        : `Invalid Bech32 address program size ${size}`,
    );
  }
  return { kind: 'valid', scriptPubKey: payToWitness(version, program) };
}

/** The first thing wrong with text that does not decode, in Core's words (bech32::LocateErrors). */
function bech32Problem(text: string): DecodedAddress {
  const from = (start: number): number[] => Array.from({ length: text.length - start }, (_, at) => start + at);
  if (text.length > BECH32_MAX_TEXT) return invalid('Bech32 string too long', from(BECH32_MAX_TEXT));
  const unfit = unfitCharacters(text);
  if (unfit.length > 0) return invalid('Invalid character or mixed case', unfit);
  const separator = text.lastIndexOf('1');
  if (separator < 0) return invalid('Missing separator');
  if (separator === 0 || separator + 7 > text.length) return invalid('Invalid separator position', [separator]);
  const wrong = text.slice(separator + 1).search(/[^qpzry9x8gf2tvdw0s3jn54khce6mua7l]/i);
  if (wrong >= 0) return invalid('Invalid Base 32 character', [separator + 1 + wrong]);
  const { encoding, locations } = locateBech32Errors(text, separator);
  const name = encoding === undefined ? '' : encoding === 'bech32' ? 'Bech32 ' : 'Bech32m ';
  return invalid(`Invalid ${name}checksum`, locations);
}

/** Core's CheckCharacters: what is no visible ASCII, and letters of another case than the first one's. */
function unfitCharacters(text: string): number[] {
  const isLower = (char: string): boolean => char >= 'a' && char <= 'z';
  const isUpper = (char: string): boolean => char >= 'A' && char <= 'Z';
  const firstLetter = [...text].find((char) => isLower(char) || isUpper(char)) ?? 'a';
  const isMixed = isLower(firstLetter) ? isUpper : isLower;
  return [...text].flatMap((char, at) => (char < '!' || char > '~' || isMixed(char) ? [at] : []));
}

function invalid(error: string, locations: readonly number[] = []): DecodedAddress {
  return { kind: 'invalid', error, locations };
}
