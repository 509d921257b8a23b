/** Single values that the index store keeps beside its records, as JSON. */
import type { BatchOp, KeyValueStore } from '#store';
import { damaged } from './repair.ts';

/** Undefined if there is none. Throws NodeError `CORRUPT_DATA`, which says that `what` is damaged. */
export function readJson<T>(store: KeyValueStore, key: Uint8Array, what: string): T | undefined {
  const value = store.get(key);
  if (value === undefined) return undefined;
  try {
    return JSON.parse(Buffer.from(value).toString()) as T;
  } catch (cause) {
    throw damaged('all', `${what} is damaged`, cause);
  }
}

/** `undefined` removes it. */
export function jsonOp(key: Uint8Array, value: unknown): BatchOp {
  return value === undefined ? { kind: 'del', key } : { kind: 'put', key, value: Buffer.from(JSON.stringify(value)) };
}
