/**
 * The form of the table of calls that tools make to Bitcoin Core: how they send them, with which parameters, and what of
 * the answer they cannot do without. Each was read in the public source of the tool.
 */
import type { JsonValue } from '#rpc';

/**
 * What an answer, or a part of it, must be. Of an object, the fields that the tool reads; a name that ends in `?` may be
 * missing, `*` are all. Of an array, what each item is; at least one is there.
 */
export type Shape =
  | 'text'
  | 'hex'
  /** 64 hex digits. */
  | 'hash'
  /** No fraction and no exponent: Go and Rust read nothing else into an integer. */
  | 'integer'
  /** Eight decimals: Core Lightning reads nothing else. */
  | 'amount'
  | 'number'
  | 'boolean'
  | 'null'
  | RegExp
  /** This value. */
  | { readonly is: JsonValue }
  | { readonly list: Shape; readonly mayBeEmpty?: true }
  | { readonly fields: Readonly<Record<string, Shape>> };

/** A text that begins with `$` is a value of the test's chain: see `world.ts`. */
export type ToolCall = {
  readonly method: string;
  readonly params: readonly JsonValue[] | { readonly [name: string]: JsonValue } | null | undefined;
  readonly expected: { readonly answer: Shape } | { readonly code: number; readonly message: RegExp };
};

/** How a tool speaks HTTP and JSON-RPC. */
export type Habits = {
  readonly jsonrpc: '1.0' | '2.0' | undefined;
  readonly ids: 'numbers' | 'texts';
  /** Whether each call stands in an array. */
  readonly batches: boolean;
  readonly lineEnd: '\r\n' | '\n';
  readonly headers: readonly string[];
  /** Whether the next call goes over the same connection. */
  readonly keepsConnection: boolean;
};

export type Tool = {
  readonly name: string;
  readonly kind: 'block explorer' | 'wallet backend' | 'Lightning implementation' | 'command line';
  /** Repository and files in which the calls were read. */
  readonly source: string;
  readonly habits: Habits;
  readonly calls: readonly ToolCall[];
};

export function answers(method: string, params: ToolCall['params'], answer: Shape): ToolCall {
  return { method, params, expected: { answer } };
}

export function fails(method: string, params: ToolCall['params'], code: number, message: RegExp): ToolCall {
  return { method, params, expected: { code, message } };
}

export const fields = (inner: Readonly<Record<string, Shape>>): Shape => ({ fields: inner });
export const list = (each: Shape): Shape => ({ list: each });
export const maybeEmpty = (each: Shape): Shape => ({ list: each, mayBeEmpty: true });
export const is = (value: JsonValue): Shape => ({ is: value });
