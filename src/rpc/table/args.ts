/** The parameters of one call, by name: checked for their JSON types, with defaults; here for their content. */
import { MAX_MONEY, type Sats } from '#primitives';
import { assert } from '#util';
import { invalidParameter, RpcCode, RpcError } from '../errors.ts';
import { isHex } from '../json/hex.ts';
import { isObject, type JsonInput, type JsonInputObject, type JsonTypeName, typeName } from '../json/value.ts';
import { firstName, type Param } from './param.ts';

const INT32_MAX = 2 ** 31 - 1;
/** Satoshis of a bitcoin. */
const COIN = 100_000_000n;
const HASH_HEX = /^[0-9a-fA-F]{64}$/;
/** What of a caller's text is repeated to the caller. */
const MAX_SHOWN = 200;

export class Args {
  readonly #params: readonly Param[];
  readonly #values: readonly JsonInput[];

  /** One value for each parameter; null for one left out. */
  constructor(params: readonly Param[], values: readonly JsonInput[]) {
    this.#params = params;
    this.#values = values;
  }

  /** Null when it was left out and has no default. */
  value(name: string): JsonInput {
    const index = this.#params.findIndex((each) => firstName(each) === name);
    const param = this.#params[index];
    assert(param !== undefined, `the table describes parameter ${name}`);
    return this.#values[index] ?? (param.default as JsonInput | undefined) ?? null;
  }

  /** What was given, in its order. */
  all(): readonly JsonInput[] {
    return this.#values;
  }

  has(name: string): boolean {
    return this.value(name) !== null;
  }

  string(name: string): string {
    return stringOf(this.value(name));
  }

  boolean(name: string): boolean {
    return expect(this.value(name), 'bool', (value) => typeof value === 'boolean');
  }

  /** UniValue's getInt<int>, or within other bounds. */
  int(name: string, min = -INT32_MAX - 1, max = INT32_MAX): number {
    return intOf(this.value(name), min, max);
  }

  /** True and false as 1 and 0, for parameters that once were switches (Core's ParseVerbosity). */
  verbosity(name: string): number {
    const value = this.value(name);
    return typeof value === 'boolean' ? Number(value) : intOf(value);
  }

  array(name: string): readonly JsonInput[] {
    return arrayOf(this.value(name));
  }

  object(name: string): JsonInputObject {
    return objectOf(this.value(name));
  }

  amount(name: string): Sats {
    return amountOf(this.value(name));
  }

  /** Of 1000 virtual bytes (Core's ParseFeeRate): a coin or more is a mistake. */
  feeRate(name: string): Sats {
    const satPerKvb = this.amount(name);
    if (satPerKvb < COIN) return satPerKvb;
    throw invalidParameter('Fee rates larger than or equal to 1BTC/kvB are not accepted');
  }

  /** 64 hex digits, in lower case. */
  hash(name: string): string {
    return hashOf(this.value(name), name);
  }
}

function expect<T extends JsonInput>(value: JsonInput, type: JsonTypeName, is: (value: JsonInput) => value is T): T {
  if (is(value)) return value;
  const message = `JSON value of type ${typeName(value)} is not of expected type ${type}`;
  throw new RpcError(RpcCode.typeError, message);
}

export function stringOf(value: JsonInput): string {
  return expect(value, 'string', (each) => typeof each === 'string');
}

export function arrayOf(value: JsonInput): readonly JsonInput[] {
  return expect(value, 'array', (each): each is readonly JsonInput[] => Array.isArray(each));
}

export function objectOf(value: JsonInput): JsonInputObject {
  return expect(value, 'object', isObject);
}

export function intOf(value: JsonInput, min = -INT32_MAX - 1, max = INT32_MAX): number {
  const number = expect(value, 'number', (each) => typeof each === 'number' || typeof each === 'bigint');
  if (typeof number === 'bigint' || !Number.isInteger(number) || number < min || number > max) {
    throw new RpcError(RpcCode.misc, 'JSON integer out of range');
  }
  return number;
}

/** Core's RPCTypeCheckObj: every member is there and of its type; strict: and no other is. */
export function checkMembers(
  object: JsonInputObject,
  types: Readonly<Record<string, JsonTypeName>>,
  { isStrict = false, mayLack = false } = {},
): void {
  for (const [key, type] of Object.entries(types)) {
    const value = object[key] ?? null;
    if (mayLack && value === null) continue;
    if (value === null) throw new RpcError(RpcCode.typeError, `Missing ${key}`);
    if (typeName(value) === type) continue;
    const message = `JSON value of type ${typeName(value)} for field ${key} is not of expected type ${type}`;
    throw new RpcError(RpcCode.typeError, message);
  }
  const unknown = isStrict ? Object.keys(object).find((key) => !(key in types)) : undefined;
  if (unknown !== undefined) throw new RpcError(RpcCode.typeError, `Unexpected key ${shown(unknown)}`);
}

/** Core's ParseHashV. */
export function hashOf(value: JsonInput, name: string): string {
  const text = stringOf(value);
  if (HASH_HEX.test(text)) return text.toLowerCase();
  const { length } = Buffer.from(text);
  if (length !== 64) throw invalidParameter(`${name} must be of length 64 (not ${length}, for '${shown(text)}')`);
  throw invalidParameter(`${name} must be hexadecimal string (not '${shown(text)}')`);
}

/** Bytes from hex digits (Core's ParseHexV). */
export function bytesOf(value: JsonInput, name: string): Uint8Array {
  const text = typeof value === 'string' ? value : '';
  if (!isHex(text)) {
    throw invalidParameter(`${name} must be hexadecimal string (not '${shown(text)}')`);
  }
  return new Uint8Array(Buffer.from(text, 'hex'));
}

/** Core's AmountFromValue: up to eight decimals, no rounding. */
export function amountOf(value: JsonInput): Sats {
  const type = typeName(value);
  if (type !== 'number' && type !== 'string') {
    throw new RpcError(RpcCode.typeError, 'Amount is not a number or string');
  }
  const sats = parseFixedPoint(String(value));
  if (sats === undefined) throw new RpcError(RpcCode.typeError, 'Invalid amount');
  if (sats < 0n || sats > MAX_MONEY) throw new RpcError(RpcCode.typeError, 'Amount out of range');
  return sats;
}

const DECIMALS = 8;
const FIXED_POINT = /^(-?)(0|[1-9]\d{0,20})(?:\.(\d{1,40}))?(?:[eE]([+-]?\d{1,3}))?$/;
/** Core's bound on the digits: below 10^18. */
const MAX_MANTISSA = 10n ** 18n;

function parseFixedPoint(text: string): bigint | undefined {
  const match = FIXED_POINT.exec(text);
  if (match === null) return undefined;
  const [, sign = '', whole = '', fraction = '', exponentText = '0'] = match;
  const digits = fraction.replace(/0+$/, '');
  const shift = Number(exponentText) - digits.length + DECIMALS;
  let mantissa = BigInt(whole + digits);
  if (mantissa === 0n) return 0n;
  if (shift > 20) return undefined;
  if (shift >= 0) mantissa *= 10n ** BigInt(shift);
  else {
    const divisor = 10n ** BigInt(-shift);
    if (mantissa % divisor !== 0n) return undefined;
    mantissa /= divisor;
  }
  if (mantissa >= MAX_MANTISSA) return undefined;
  return sign === '' ? mantissa : -mantissa;
}

export function shown(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
