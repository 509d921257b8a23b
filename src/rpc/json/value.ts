/** JSON as calls take and give it. Numbers whose digits matter are texts of their own. */
import { formatCoins, type Sats } from '#primitives';
import { assert } from '#util';

/** A number that is written with exactly these characters. */
export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What a handler answers. Members that are undefined are left out. */
export type JsonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | JsonNumber
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined };

export type JsonObject = { readonly [key: string]: JsonValue | undefined };

/** What came in. */
export type JsonInput = null | boolean | number | bigint | string | readonly JsonInput[] | JsonInputObject;

export type JsonInputObject = { readonly [key: string]: JsonInput };

/** Coins with eight decimals (Core's ValueFromAmount). */
export function amount(sats: Sats): JsonNumber {
  return new JsonNumber(formatCoins(sats));
}

/** A floating-point number as Core prints it: C's %.16g (UniValue::setFloat). */
export function doubleText(value: number): string {
  assert(Number.isFinite(value), 'a number in an answer is finite');
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [digits = '', exponentText = ''] = value.toExponential(15).split('e');
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= 16) {
    const sign = exponent < 0 ? '-' : '+';
    return `${trimZeros(digits)}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  return trimZeros(value.toFixed(15 - exponent));
}

function trimZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

export function isObject(value: JsonInput): value is JsonInputObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export type JsonTypeName = 'null' | 'bool' | 'number' | 'string' | 'array' | 'object';

/** The type's name in Core's messages (uvTypeName). */
export function typeName(value: JsonInput): JsonTypeName {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'number':
    case 'bigint':
      return 'number';
    case 'string':
      return 'string';
    default:
      return 'object';
  }
}
