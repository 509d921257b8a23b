/** Whether an answer is what the method's row says (Core's -rpcdoccheck). */
import { RPC_METHODS } from '#rpc';
import type { Result } from '../../src/rpc/table/result.ts';

/** What differs, a line each; empty if the answer fits one of the results described. */
export function undocumented(method: string, answer: unknown): readonly string[] {
  const row = RPC_METHODS.find(({ name }) => name === method);
  if (row === undefined) return [`${method} has no row`];
  const tried = row.results.map((result) => differences(result, answer, method));
  return tried.some(({ length }) => length === 0) ? [] : tried.flat();
}

function differences(result: Result, value: unknown, where: string): readonly string[] {
  const { type, inner = [] } = result;
  switch (type) {
    case 'any':
    case 'elision':
      return [];
    case 'none':
      return value === null ? [] : [`${where} is not null`];
    case 'boolean':
      return typeof value === 'boolean' ? [] : [`${where} is no boolean`];
    case 'string':
      return typeof value === 'string' ? [] : [`${where} is no text`];
    case 'hex':
      return typeof value === 'string' && /^([0-9a-f]{2})*$/.test(value) ? [] : [`${where} is no hex text`];
    case 'number':
    case 'amount':
    case 'time':
      return typeof value === 'number' ? [] : [`${where} is no number`];
    case 'array':
    case 'fixed':
      return Array.isArray(value)
        ? value.flatMap((each, at) => itemDifferences(inner, each, at, where))
        : [`${where} is no array`];
    case 'dictionary':
    case 'object':
      return isRecord(value) ? memberDifferences(result, value, where) : [`${where} is no object`];
  }
}

/** As Core: the last description holds for all that follow. */
function itemDifferences(inner: readonly Result[], value: unknown, at: number, where: string): readonly string[] {
  const described = inner[Math.min(at, inner.length - 1)];
  return described === undefined ? [] : differences(described, value, `${where}[${at}]`);
}

function memberDifferences({ type, inner = [] }: Result, value: Record<string, unknown>, where: string): string[] {
  if (inner.some((each) => each.type === 'elision')) return [];
  if (type === 'dictionary') {
    const [each] = inner;
    return Object.entries(value).flatMap(([key, member]) =>
      each === undefined ? [] : differences(each, member, `${where}.${key}`),
    );
  }
  const missing = inner.filter(({ key, optional }) => optional !== true && !(key in value));
  return [
    ...missing.map(({ key }) => `${where}.${key} is missing`),
    ...Object.entries(value).flatMap(([key, member]) => {
      const described = inner.find((each) => each.key === key);
      return described === undefined
        ? [`${where}.${key} is not described`]
        : differences(described, member, `${where}.${key}`);
    }),
  ];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
