/** Reads key expressions (Core's ParsePubkey, with its messages). */
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { isValidPublicKey } from '#crypto';
import { decodeWif } from '#script';
import { fromHex } from '#util';
import { HARDENED, type KeyPrefixes, parseExtendedKey } from './extended-key.ts';
import { type ExtendedKeyPath, extendedKey, type KeyExpression, keyWithOrigin, plainKey } from './key-expression.ts';
import { fullKeys, type SigningProvider } from './signing-provider.ts';

/** Where an expression stands. */
export type Place = 'top' | 'sh' | 'wpkh' | 'wsh' | 'tr';

/** What is wrong with a descriptor, in Core's words. Never leaves this module. */
export class DescriptorError extends Error {
  override readonly name = 'DescriptorError';
}

/** What every part of the parser needs. */
export type ParseContext = {
  readonly prefixes: KeyPrefixes;
  /** Gets the secrets that the text holds. */
  readonly secrets: SigningProvider;
};

export const HEX = /^(?:[0-9a-fA-F]{2})+$/;
/** Extended keys have 111 characters, with secrets too; what is longer is not worth decoding. */
const MAX_KEY_CHARS = 130;
const FINGERPRINT_CHARS = 8;

export function parseKey(text: string, place: Place, context: ParseContext): KeyExpression {
  const [first = '', second, third] = text.split(']');
  if (third !== undefined) throw new DescriptorError("Multiple ']' characters found for a single pubkey");
  if (second === undefined) return parseBareKey(first, place, context).key;
  if (!first.startsWith('[')) {
    const got = first[0] ?? ']';
    throw new DescriptorError(`Key origin start '[ character expected but not found, got '${got}' instead`);
  }
  const [fingerprint = '', ...steps] = first.slice(1).split('/');
  if (fingerprint.length !== FINGERPRINT_CHARS) {
    throw new DescriptorError(
      `Fingerprint is not 4 bytes (${fingerprint.length} characters instead of ${FINGERPRINT_CHARS} characters)`,
    );
  }
  if (!HEX.test(fingerprint)) throw new DescriptorError(`Fingerprint '${fingerprint}' is not hex`);
  const origin = parsePath(steps);
  const { key, apostrophe } = parseBareKey(second, place, context, origin.apostrophe);
  return keyWithOrigin(key, { fingerprint: fromHex(fingerprint), path: origin.path }, apostrophe ?? false);
}

type BareKey = {
  readonly key: KeyExpression;
  /** The mark of the last hardened step; undefined without one. */
  readonly apostrophe: boolean | undefined;
};

function parseBareKey(text: string, place: Place, context: ParseContext, apostrophe?: boolean): BareKey {
  const [name = '', ...steps] = text.split('/');
  if (name === '') throw new DescriptorError('No key provided');
  if (steps.length === 0) {
    const key = HEX.test(name) ? parseHexKey(name, place) : parseWif(name, place, context);
    if (key !== undefined) return { key, apostrophe };
  }
  const root = name.length > MAX_KEY_CHARS ? undefined : parseExtendedKey(name, context.prefixes);
  if (root?.publicKey == null) throw new DescriptorError(`key '${name}' is not valid`);
  const path = parseRange(steps, apostrophe);
  if (root.privateKey !== null) {
    context.secrets.addSecret(root.publicKey, { secret: root.privateKey, compressed: true });
  }
  return { key: extendedKey(root, { ...path, apostrophe: path.apostrophe ?? false }), apostrophe: path.apostrophe };
}

function allowsUncompressed(place: Place): boolean {
  return place === 'top' || place === 'sh';
}

function parseHexKey(hex: string, place: Place): KeyExpression {
  const key = fromHex(hex);
  if (key.length === 65 && (key[0] === 6 || key[0] === 7)) {
    throw new DescriptorError('Hybrid public keys are not allowed');
  }
  if (isValidPublicKey(key)) {
    if (key.length === 65 && !allowsUncompressed(place)) throw new DescriptorError('Uncompressed keys are not allowed');
    return plainKey(key);
  }
  if (key.length === 32 && place === 'tr') {
    const [even] = fullKeys(key);
    if (isValidPublicKey(even)) return plainKey(even, true);
  }
  throw new DescriptorError(`Pubkey '${hex}' is invalid`);
}

function parseWif(text: string, place: Place, { prefixes, secrets }: ParseContext): KeyExpression | undefined {
  const found = decodeWif(text, prefixes);
  if (found === undefined) return undefined;
  if (!found.compressed && !allowsUncompressed(place)) throw new DescriptorError('Uncompressed keys are not allowed');
  const publicKey = secp256k1.getPublicKey(found.secret, found.compressed);
  secrets.addSecret(publicKey, found);
  return plainKey(publicKey, place === 'tr');
}

type PathText = { readonly path: readonly number[]; readonly apostrophe: boolean | undefined };

/** A path whose last step may be `*`. */
function parseRange(steps: readonly string[], apostrophe?: boolean): PathText & Pick<ExtendedKeyPath, 'range'> {
  const last = steps.at(-1);
  if (last === '*') return { ...parsePath(steps.slice(0, -1), apostrophe), range: 'unhardened' };
  if (last === "*'" || last === '*h') {
    return { ...parsePath(steps.slice(0, -1), last === "*'"), range: 'hardened' };
  }
  return { ...parsePath(steps, apostrophe), range: 'none' };
}

function parsePath(steps: readonly string[], apostrophe?: boolean): PathText {
  const path: number[] = [];
  for (const step of steps) {
    const isHardened = /['h]$/.test(step);
    const digits = isHardened ? step.slice(0, -1) : step;
    if (isHardened) apostrophe = step.endsWith("'");
    const value = /^\+?\d{1,40}$/.test(digits) ? Number(digits) : Number.NaN;
    if (!(value <= 0xffffffff)) throw new DescriptorError(`Key path value '${digits}' is not a valid uint32`);
    if (value >= HARDENED) throw new DescriptorError(`Key path value ${value} is out of range`);
    path.push(isHardened ? value + HARDENED : value);
  }
  return { path, apostrophe };
}
