/**
 * From the words of a command line to the parameters of a call, as bitcoin-cli does it: what the table says is a text stays
 * one, everything else is read as JSON.
 */

import { parseKeepingNumbers } from '../json/parse.ts';
import type { JsonValue } from '../json/value.ts';
import type { RpcMethod } from '../table/method.ts';
import type { Param } from '../table/param.ts';

/** Throws Error `Error parsing JSON: …`. Methods that are not in the table get texts. */
export function convertPositional(method: RpcMethod | undefined, words: readonly string[]): readonly JsonValue[] {
  return words.map((word, index) => convert(method?.params[index], word));
}

/** `name=value`; words without a name come first, as `args`. */
export function convertNamed(
  method: RpcMethod | undefined,
  words: readonly string[],
): Readonly<Record<string, JsonValue>> {
  const named: Record<string, JsonValue> = {};
  const positional: JsonValue[] = [];
  for (const word of words) {
    const equals = word.indexOf('=');
    if (equals === -1) {
      positional.push(convert(method?.params[positional.length], word));
      continue;
    }
    const name = word.slice(0, equals);
    named[name] = convert(paramNamed(method?.params ?? [], name), word.slice(equals + 1));
  }
  return positional.length === 0 ? named : { ...named, args: positional };
}

function paramNamed(params: readonly Param[], name: string): Param | undefined {
  const candidates = params.flatMap((param) => [param, ...(param.type === 'named' ? (param.inner ?? []) : [])]);
  return candidates.find(({ names }) => names.split('|').includes(name));
}

function convert(param: Param | undefined, word: string): JsonValue {
  if (param === undefined || param.type === 'string' || param.type === 'hex') return word;
  try {
    return parseKeepingNumbers(word);
  } catch (error) {
    throw new Error(`Error parsing JSON: ${word}`, { cause: error });
  }
}
