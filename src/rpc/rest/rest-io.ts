/** What all of REST has in common: the form that a path ends with, how paths name blocks, answers and failures. */

import type { HeaderEntry } from '#chain';
import type { StarlingNode } from '#node';
import { type BlockHash, parseBlockHash } from '#primitives';
import { toHex } from '#util';
import { isHex } from '../json/hex.ts';
import type { JsonInput, JsonValue } from '../json/value.ts';
import { writeJson } from '../json/write.ts';

export type RestForm = 'bin' | 'hex' | 'json';

export type RestTarget = {
  /** What stands behind the prefix, without the form. */
  readonly param: string;
  /** Undefined where the path ends with none: an error, but only after all others, as in Core. */
  readonly form: RestForm | undefined;
  readonly query: URLSearchParams;
};

export type RestRequest = {
  /** Behind `/rest/`, query included. */
  readonly path: string;
  readonly body: Uint8Array;
};

export type RestAnswer = {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Uint8Array;
};

export type RestCall = RestTarget & {
  readonly node: StarlingNode;
  readonly body: Uint8Array;
  /** Aborts when the client has gone or the server stops. */
  readonly signal: AbortSignal;
  readonly rpc: (method: string, ...params: readonly JsonInput[]) => Promise<JsonValue>;
};

export type RestHandler = (call: RestCall) => Promise<RestAnswer>;

const NOT_FOUND = 404;
const BAD_REQUEST = 400;

/** The answer to a request that failed. Handlers throw it; its message is for whoever asked. */
export class RestError extends Error {
  override readonly name = 'RestError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export function badRequest(message: string): RestError {
  return new RestError(BAD_REQUEST, message);
}

export function notFound(message: string): RestError {
  return new RestError(NOT_FOUND, message);
}

/** Core's RESTERR. */
export function failure(status: number, message: string): RestAnswer {
  return { status, contentType: 'text/plain', body: `${message}\r\n` };
}

/** Core's ParseDataFormat; the query begins at the first question mark, the form ends at the last. */
export function readTarget(text: string): RestTarget {
  const last = text.lastIndexOf('?');
  const path = last === -1 ? text : text.slice(0, last);
  const query = new URLSearchParams(last === -1 ? '' : text.slice(text.indexOf('?') + 1));
  const [, param = path, form] = /^(.*)\.(bin|hex|json|)$/s.exec(path) ?? [];
  return { param, form: form === 'bin' || form === 'hex' || form === 'json' ? form : undefined, query };
}

type Forms = {
  readonly bytes: () => Uint8Array;
  /** Default: of the bytes. */
  readonly hex?: () => string;
  readonly json: () => JsonValue | Promise<JsonValue>;
};

export async function answerIn(form: RestForm | undefined, forms: Forms): Promise<RestAnswer> {
  switch (form) {
    case 'bin':
      return { status: 200, contentType: 'application/octet-stream', body: forms.bytes() };
    case 'hex':
      return { status: 200, contentType: 'text/plain', body: `${forms.hex?.() ?? toHex(forms.bytes())}\n` };
    case 'json':
      return jsonAnswer(await forms.json());
    case undefined:
      throw notFound('output format not found (available: .bin, .hex, .json)');
  }
}

/** For what has no other form. */
export async function answerInJson(
  form: RestForm | undefined,
  json: () => JsonValue | Promise<JsonValue>,
): Promise<RestAnswer> {
  if (form !== 'json') throw notFound('output format not found (available: json)');
  return jsonAnswer(await json());
}

function jsonAnswer(value: JsonValue): RestAnswer {
  return { status: 200, contentType: 'application/json', body: `${writeJson(value)}\n` };
}

/** 64 hex digits in lower case (Core's ParseHashStr). */
export function hashIn(text: string): string {
  if (text.length !== 64 || !isHex(text)) throw badRequest(`Invalid hash: ${text}`);
  return text.toLowerCase();
}

export function blockHashIn(text: string): BlockHash {
  return parseBlockHash(hashIn(text));
}

const INT32_MAX = 2 ** 31 - 1;

/** Core's ParseInt32. */
export function int32In(text: string): number | undefined {
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  return value >= -INT32_MAX - 1 && value <= INT32_MAX ? value : undefined;
}

/** Core's MAX_REST_HEADERS_RESULTS. */
const MAX_HEADERS = 2_000;
const DEFAULT_HEADERS = '5';

/** How many headers: in the path as of old, or in the query. */
export function countIn(inPath: string | undefined, query: URLSearchParams): number {
  const text = inPath ?? query.get('count') ?? DEFAULT_HEADERS;
  const count = /^\d+$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= MAX_HEADERS) return count;
  throw badRequest(`Header count is invalid or out of acceptable range (1-${MAX_HEADERS}): ${text}`);
}

/** Blocks of the active chain from this one on; none if it is not of it. */
export function activeFrom({ chain }: StarlingNode, hash: BlockHash, count: number): readonly HeaderEntry[] {
  const first = chain.getHeader(hash);
  if (first === undefined || chain.activeAt(first.height)?.hash !== hash) return [];
  const entries: HeaderEntry[] = [];
  for (let height = first.height; entries.length < count; height++) {
    const entry = chain.activeAt(height);
    if (entry === undefined) break;
    entries.push(entry);
  }
  return entries;
}
