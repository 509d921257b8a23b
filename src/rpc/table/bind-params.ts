/**
 * From a request's `params` to the arguments of a handler: named ones to their places, then count and JSON types. The
 * messages are Core's (transformNamedArguments, RPCHelpMan::HandleRequest).
 */
import { invalidParameter, RpcCode, RpcError } from '../errors.ts';
import { repeatedKey } from '../json/repeated-keys.ts';
import { type JsonInput, type JsonInputObject, type JsonTypeName, typeName } from '../json/value.ts';
import { writeJson } from '../json/write.ts';
import { Args } from './args.ts';
import { helpText } from './help-text.ts';
import type { RpcMethod } from './method.ts';
import { isOptional, type Param, type ParamType } from './param.ts';

/** Throws RpcError: bad names (-8), a wrong number (-1, with the help), wrong types (-3). */
export function bindParams(method: RpcMethod, given: readonly JsonInput[] | JsonInputObject): Args {
  const values = isList(given) ? given : placeNamed(method.params, given);
  const needed = method.params.findLastIndex((param) => !isOptional(param)) + 1;
  if (values.length < needed || values.length > method.params.length) {
    throw new RpcError(RpcCode.misc, helpText(method));
  }
  checkTypes(method.params, values);
  return new Args(method.params, values);
}

function isList(given: readonly JsonInput[] | JsonInputObject): given is readonly JsonInput[] {
  return Array.isArray(given);
}

const EXPECTED: Readonly<Record<ParamType, JsonTypeName | undefined>> = {
  string: 'string',
  hex: 'string',
  number: 'number',
  amount: undefined,
  range: undefined,
  boolean: 'bool',
  object: 'object',
  named: 'object',
  dictionary: 'object',
  array: 'array',
};

function checkTypes(params: readonly Param[], values: readonly JsonInput[]): void {
  const mismatches: Record<string, string> = {};
  for (const [index, param] of params.entries()) {
    const value = values[index] ?? null;
    const expected = param.anyType === true ? undefined : EXPECTED[param.type];
    const isLeftOut = value === null && isOptional(param);
    if (expected === undefined || isLeftOut || typeName(value) === expected) continue;
    mismatches[`Position ${index + 1} (${param.names})`] =
      `JSON value of type ${typeName(value)} is not of expected type ${expected}`;
  }
  if (Object.keys(mismatches).length > 0) {
    throw new RpcError(RpcCode.typeError, `Wrong type passed:\n${writeJson(mismatches, 4)}`);
  }
}

/** Takes a value by any of its names out of the map. */
function take(unused: Map<string, JsonInput>, names: string): readonly [name: string, value: JsonInput] | undefined {
  for (const name of names.split('|')) {
    const value = unused.get(name);
    if (value === undefined) continue;
    unused.delete(name);
    return [name, value];
  }
  return undefined;
}

/** Members of an options object that were given as parameters of their own. */
function takeMembers(unused: Map<string, JsonInput>, param: Param): Map<string, JsonInput> {
  const members = new Map<string, JsonInput>();
  if (param.type !== 'named') return members;
  for (const inner of param.inner ?? []) {
    const found = take(unused, inner.names);
    if (found === undefined) continue;
    if (members.has(found[0])) throw invalidParameter(`Parameter ${found[0]} specified multiple times`);
    members.set(...found);
  }
  return members;
}

/** `args` holds positional ones that go before. Holes are null, but not at the end: some calls count what they got. */
function placeNamed(params: readonly Param[], given: JsonInputObject): readonly JsonInput[] {
  const repeated = repeatedKey(given);
  if (repeated !== undefined) throw invalidParameter(`Parameter ${repeated} specified multiple times`);
  const unused = new Map(Object.entries(given));
  const placed: JsonInput[] = [];
  let first: { readonly param: Param; readonly index: number } | undefined;
  for (const [index, param] of params.entries()) {
    const members = takeMembers(unused, param);
    const found = take(unused, param.names);
    const [member] = members.keys();
    if (found !== undefined && member !== undefined) {
      throw invalidParameter(`Parameter ${found[0]} conflicts with parameter ${member}`);
    }
    if (found === undefined && member === undefined) continue;
    while (placed.length < index) placed.push(null);
    placed.push(found === undefined ? Object.fromEntries(members) : found[1]);
    first ??= { param, index };
  }
  const positional = unused.get('args');
  if (Array.isArray(positional)) {
    unused.delete('args');
    if (first !== undefined && first.index < positional.length) {
      throw invalidParameter(`Parameter ${first.param.names} specified twice both as positional and named argument`);
    }
    for (const [index, value] of (positional as readonly JsonInput[]).entries()) placed[index] = value;
  }
  const [unknown] = unused.keys();
  if (unknown !== undefined) throw invalidParameter(`Unknown named parameter ${unknown}`);
  return placed;
}
