/**
 * Reads JSON that a client sent, with Core's bounds: well-formed UTF-8 and strings, at most 512 levels.
 *
 * Numbers become doubles. That loses nothing that counts: of the amounts with eight decimals no two are the same double,
 * so a double's shortest text is the amount. Integers beyond 2^53 keep their digits where a client may want them back.
 */
import { markRepeatedKeys } from './repeated-keys.ts';
import { isObject, type JsonInput, JsonNumber, type JsonValue } from './value.ts';

/** UniValue's MAX_JSON_DEPTH. */
const MAX_DEPTH = 512;
/** Digits from which on a double may not hold an integer, where a number may begin: hashes have as many within quotes. */
const LONG_INTEGER = /(?:^|[\s[,:-])\d{16}/;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const INTEGER = /^-?\d+$/;

/** Undefined for anything that is not JSON within the bounds. */
export function parseJson(bytes: Uint8Array): JsonInput | undefined {
  try {
    const text = UTF8.decode(bytes);
    const value = (LONG_INTEGER.test(text) ? parseWithSources(text, exactInteger) : JSON.parse(text)) as JsonInput;
    // What is shorter cannot be so deep, and halves of surrogate pairs come only as escapes.
    const isPlain = text.length <= MAX_DEPTH && !text.includes('\\u');
    if (!isPlain && !isWithinBounds(value)) return undefined;
    markRepeatedKeys(text, value);
    return value;
  } catch (error) {
    // Not JSON, not UTF-8, or too deep for the parser itself.
    if (error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** For who prints what a server answered: every number keeps its characters. Throws SyntaxError. */
export function parseKeepingNumbers(text: string): JsonValue {
  return parseWithSources(text, (_value, source) => new JsonNumber(source)) as JsonValue;
}

function exactInteger(value: number, source: string): number | bigint {
  return !Number.isSafeInteger(value) && INTEGER.test(source) ? BigInt(source) : value;
}

/** TypeScript does not know the third argument yet (JSON.parse source text access). */
type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

function parseWithSources(text: string, number: (value: number, source: string) => unknown): unknown {
  const reviver: Reviver = (_key, value, { source = '' }) =>
    typeof value === 'number' ? number(value, source) : value;
  return JSON.parse(text, reviver as (key: string, value: unknown) => unknown);
}

/** Level by level, so that depth cannot exhaust the stack. */
function isWithinBounds(root: JsonInput): boolean {
  let level: JsonInput[] = [root];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) return false;
    const next: JsonInput[] = [];
    for (const value of level) {
      if (typeof value === 'string' && !value.isWellFormed()) return false;
      if (Array.isArray(value)) for (const item of value) next.push(item);
      else if (isObject(value)) {
        for (const [key, item] of Object.entries(value)) {
          if (!key.isWellFormed()) return false;
          next.push(item);
        }
      }
    }
    level = next;
  }
  return true;
}
