/**
 * Reads output descriptors (BIP380 to BIP387) as Core 27's Parse does, with its messages. Miniscript (BIP379) is not
 * known here: such expressions are refused.
 *
 * The text is bounded by who calls; nesting is at most five functions and 128 braces deep.
 */
import { decodeAddress, limits } from '#script';
import { fromHex } from '#util';
import { descriptorChecksum } from './checksum.ts';
import type { Descriptor, MultisigDescriptor, TaprootDescriptor } from './descriptor.ts';
import type { KeyPrefixes } from './extended-key.ts';
import type { KeyExpression } from './key-expression.ts';
import { DescriptorError, HEX, type ParseContext, type Place, parseKey } from './parse-key.ts';
import { SigningProvider } from './signing-provider.ts';

export type ParsedDescriptor =
  | {
      readonly kind: 'parsed';
      readonly descriptor: Descriptor;
      /** The secret keys that the text held. */
      readonly secrets: SigningProvider;
      /** Of the text as it was given. */
      readonly checksum: string;
    }
  /** `error` is Core's text; it may be empty, as Core's is. */
  | { readonly kind: 'invalid'; readonly error: string };

/** BIP387: what consensus leaves room for on the stack. */
const MAX_PUBKEYS_PER_MULTI_A = 999;
const MAX_BARE_MULTISIG_KEYS = 3;
const TAPROOT_CONTROL_MAX_NODE_COUNT = 128;
const CHECKSUM_CHARS = 8;

export function parseDescriptor(
  text: string,
  prefixes: KeyPrefixes,
  { requireChecksum = false } = {},
): ParsedDescriptor {
  const secrets = new SigningProvider();
  try {
    const { body, checksum } = splitChecksum(text, requireChecksum);
    const descriptor = parseScript(body, 'top', { prefixes, secrets });
    return { kind: 'parsed', descriptor, secrets, checksum };
  } catch (error) {
    if (error instanceof DescriptorError) return { kind: 'invalid', error: error.message };
    throw error;
  }
}

/** Core's CheckChecksum. */
function splitChecksum(text: string, required: boolean): { readonly body: string; readonly checksum: string } {
  const [body = '', given, more] = text.split('#');
  if (more !== undefined) throw new DescriptorError("Multiple '#' symbols");
  if (given === undefined && required) throw new DescriptorError('Missing checksum');
  if (given !== undefined && given.length !== CHECKSUM_CHARS) {
    throw new DescriptorError(`Expected ${CHECKSUM_CHARS} character checksum, not ${given.length} characters`);
  }
  const checksum = descriptorChecksum(body);
  if (checksum === undefined) throw new DescriptorError('Invalid characters in payload');
  if (given !== undefined && given !== checksum) {
    throw new DescriptorError(`Provided checksum '${given}' does not match computed checksum '${checksum}'`);
  }
  return { body, checksum };
}

type Handler = (inner: string, place: Place, context: ParseContext) => Descriptor;

/** Each function with the places where it may stand, and what Core says about the others. */
const FUNCTIONS: Readonly<
  Record<string, { readonly places: readonly Place[]; readonly elsewhere?: string; readonly parse: Handler }>
> = {
  pk: { places: ['top', 'sh', 'wsh', 'tr'], parse: keyHandler('pk') },
  pkh: { places: ['top', 'sh', 'wsh'], parse: keyHandler('pkh') },
  combo: { places: ['top'], elsewhere: 'Can only have combo() at top level', parse: keyHandler('combo') },
  multi: multisigRow('multi'),
  sortedmulti: multisigRow('sortedmulti'),
  multi_a: multisigRow('multi_a'),
  sortedmulti_a: multisigRow('sortedmulti_a'),
  wpkh: {
    places: ['top', 'sh'],
    elsewhere: 'Can only have wpkh() at top level or inside sh()',
    parse: (inner, _place, context) => keyHandler('wpkh')(inner, 'wpkh', context),
  },
  sh: {
    places: ['top'],
    elsewhere: 'Can only have sh() at top level',
    parse: (inner, _place, context) => ({ kind: 'sh', inner: parseScript(inner, 'sh', context) }),
  },
  wsh: {
    places: ['top', 'sh'],
    elsewhere: 'Can only have wsh() at top level or inside sh()',
    parse: (inner, _place, context) => ({ kind: 'wsh', inner: parseScript(inner, 'wsh', context) }),
  },
  addr: { places: ['top'], elsewhere: 'Can only have addr() at top level', parse: parseAddress },
  tr: { places: ['top'], elsewhere: 'Can only have tr at top level', parse: parseTaproot },
  rawtr: { places: ['top'], elsewhere: 'Can only have rawtr at top level', parse: parseRawTaproot },
  raw: { places: ['top'], elsewhere: 'Can only have raw() at top level', parse: parseRaw },
};

/** `text` is one expression, or one followed by what does not belong there. */
function parseScript(text: string, place: Place, context: ParseContext): Descriptor {
  const end = expressionEnd(text);
  const expression = text.slice(0, end);
  const open = expression.indexOf('(');
  const name = expression.slice(0, Math.max(open, 0));
  const row = expression.endsWith(')') && Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
  const fits = row?.places.includes(place) ?? false;
  if (row === undefined || (!fits && row.elsewhere === undefined)) throw unknownFunction(expression, place);
  if (!fits) throw new DescriptorError(row.elsewhere ?? '');
  const descriptor = row.parse(expression.slice(open + 1, -1), place, context);
  // Core has no message for what follows a complete expression.
  if (end < text.length) throw new DescriptorError('');
  return descriptor;
}

/** The fragments of BIP379 that are no descriptor functions, with wrappers (`v:`) or without. */
const MINISCRIPT =
  /^(?:[asctdvjnlu]+:\w+|pk_k|pk_h|older|after|sha256|hash256|ripemd160|hash160|andor|and_[vbn]|or_[bcdi]|thresh)\(/;

function unknownFunction(expression: string, place: Place): DescriptorError {
  if (MINISCRIPT.test(expression)) {
    const isAllowed = place === 'wsh' || place === 'tr';
    return new DescriptorError(
      isAllowed ? 'Miniscript expressions are not supported' : 'Miniscript expressions can only be used in wsh or tr.',
    );
  }
  if (place === 'sh') return new DescriptorError('A function is needed within P2SH');
  if (place === 'wsh') return new DescriptorError('A function is needed within P2WSH');
  return new DescriptorError(`'${expression}' is not a valid descriptor function`);
}

/** Where the expression at the start of `text` ends: at a comma or a closing bracket that it did not open (Core's Expr). */
function expressionEnd(text: string, from = 0): number {
  let level = 0;
  for (let at = from; at < text.length; at++) {
    const char = text[at];
    if (char === '(' || char === '{') level++;
    else if (level > 0 && (char === ')' || char === '}')) level--;
    else if (level === 0 && (char === ')' || char === '}' || char === ',')) return at;
  }
  return text.length;
}

/** `parse` with `name` in front of its messages. */
function named<T>(name: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof DescriptorError) throw new DescriptorError(`${name}: ${error.message}`);
    throw error;
  }
}

function keyHandler(kind: 'pk' | 'pkh' | 'wpkh' | 'combo'): Handler {
  return (inner, place, context) => ({ kind, key: named(`${kind}()`, () => parseKey(inner, place, context)) });
}

function multisigRow(kind: MultisigDescriptor['kind']): (typeof FUNCTIONS)[string] {
  const isTapscript = kind.endsWith('_a');
  return {
    places: isTapscript ? ['tr'] : ['top', 'sh', 'wsh'],
    elsewhere: isTapscript
      ? 'Can only have multi_a/sortedmulti_a inside tr()'
      : 'Can only have multi/sortedmulti at top level, in sh(), or in wsh()',
    parse: (inner, place, context) => parseMultisig(kind, inner, place, context),
  };
}

function parseMultisig(
  kind: MultisigDescriptor['kind'],
  inner: string,
  place: Place,
  context: ParseContext,
): MultisigDescriptor {
  let at = expressionEnd(inner);
  const threshold = inner.slice(0, at);
  const required = /^\+?\d{1,40}$/.test(threshold) ? Number(threshold) : Number.NaN;
  if (!(required <= 0xffffffff)) throw new DescriptorError(`Multi threshold '${threshold}' is not valid`);
  const keys: KeyExpression[] = [];
  while (at < inner.length) {
    if (inner[at] !== ',') throw new DescriptorError(`Multi: expected ',', got '${inner[at]}'`);
    const end = expressionEnd(inner, at + 1);
    const text = inner.slice(at + 1, end);
    keys.push(named('Multi', () => parseKey(text, place, context)));
    at = end;
  }
  checkMultisig(kind, required, keys, place);
  return { kind, required, keys };
}

function checkMultisig(
  kind: MultisigDescriptor['kind'],
  required: number,
  keys: readonly KeyExpression[],
  place: Place,
): void {
  const { length } = keys;
  const [what, most] = kind.endsWith('_a')
    ? ['multi_a', MAX_PUBKEYS_PER_MULTI_A]
    : ['multisig', limits.MAX_PUBKEYS_PER_MULTISIG];
  if (length === 0 || length > most) {
    throw new DescriptorError(`Cannot have ${length} keys in ${what}; must have between 1 and ${most} keys, inclusive`);
  }
  if (required < 1) throw new DescriptorError(`Multisig threshold cannot be ${required}, must be at least 1`);
  if (required > length) {
    throw new DescriptorError(
      `Multisig threshold cannot be larger than the number of keys; threshold is ${required} but only ${length} keys specified`,
    );
  }
  if (place === 'top' && length > MAX_BARE_MULTISIG_KEYS) {
    throw new DescriptorError(`Cannot have ${length} pubkeys in bare multisig; only at most 3 pubkeys`);
  }
  const bytes = keys.reduce((sum, key) => sum + key.size + 1, 3);
  if (place === 'sh' && bytes > limits.MAX_SCRIPT_ELEMENT_SIZE) {
    const most = limits.MAX_SCRIPT_ELEMENT_SIZE;
    throw new DescriptorError(`P2SH script is too large, ${bytes} bytes is larger than ${most} bytes`);
  }
}

function parseAddress(inner: string, _place: Place, { prefixes }: ParseContext): Descriptor {
  const decoded = decodeAddress(inner, prefixes);
  if (decoded.kind === 'invalid') throw new DescriptorError('Address is not valid');
  return { kind: 'addr', address: inner.trim(), scriptPubKey: decoded.scriptPubKey };
}

function parseRaw(inner: string): Descriptor {
  if (!HEX.test(inner)) throw new DescriptorError('Raw script is not hex');
  return { kind: 'raw', hex: inner.toLowerCase(), scriptPubKey: fromHex(inner) };
}

function parseRawTaproot(inner: string, _place: Place, context: ParseContext): Descriptor {
  const end = expressionEnd(inner);
  if (end < inner.length) throw new DescriptorError('rawtr(): only one key expected.');
  return { kind: 'rawtr', key: named('rawtr()', () => parseKey(inner, 'tr', context)) };
}

function parseTaproot(inner: string, _place: Place, context: ParseContext): TaprootDescriptor {
  const end = expressionEnd(inner);
  const key = named('tr()', () => parseKey(inner.slice(0, end), 'tr', context));
  if (end === inner.length) return { kind: 'tr', key, leaves: [] };
  if (inner[end] !== ',') throw new DescriptorError(`tr: expected ',', got '${inner[end]}'`);
  return { kind: 'tr', key, leaves: parseTree(inner.slice(end + 1), context) };
}

/** One leaf after another; `branches` says for each open brace whether the right side has begun. */
function parseTree(text: string, context: ParseContext): TaprootDescriptor['leaves'] {
  const leaves: TaprootDescriptor['leaves'][number][] = [];
  const branches: boolean[] = [];
  let at = 0;
  do {
    while (text[at] === '{') {
      at++;
      branches.push(false);
      if (branches.length > TAPROOT_CONTROL_MAX_NODE_COUNT) {
        throw new DescriptorError(`tr() supports at most ${TAPROOT_CONTROL_MAX_NODE_COUNT} nesting levels`);
      }
    }
    const end = expressionEnd(text, at);
    leaves.push({ depth: branches.length, inner: parseScript(text.slice(at, end), 'tr', context) });
    at = end;
    while (branches.at(-1) === true) {
      if (text[at] !== '}') throw new DescriptorError("tr(): expected '}' after script expression");
      at++;
      branches.pop();
    }
    if (branches.at(-1) === false) {
      if (text[at] !== ',') throw new DescriptorError("tr(): expected ',' after script expression");
      at++;
      branches[branches.length - 1] = true;
    }
  } while (branches.length > 0);
  if (at < text.length) throw new DescriptorError("tr(): expected ')' after script expression");
  return leaves;
}
