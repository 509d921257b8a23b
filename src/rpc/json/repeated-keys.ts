/**
 * Keys that stand more than once in an object. `JSON.parse` keeps the last and does not tell; an output that a caller named
 * would be left out of a transaction without a word. Marked on the object, for who has to refuse it.
 */
import type { JsonInput, JsonInputObject } from './value.ts';

const REPEATED = Symbol('repeated');

/** One of them, if there is one. */
export function repeatedKey(object: JsonInputObject): string | undefined {
  return (object as { readonly [REPEATED]?: string })[REPEATED];
}

/** `value` is what `JSON.parse` made of the text. */
export function markRepeatedKeys(text: string, value: JsonInput): void {
  // A call whose parameters are in an array has one object, whose keys are not looked at: the usual case.
  if (text.indexOf('{', text.indexOf('{') + 1) === -1) return;
  findRepeatedKeys(text, (path, key) => {
    let at: unknown = value;
    for (const { step } of path) at = (at as Readonly<Record<string | number, unknown>>)[step];
    if (typeof at === 'object' && at !== null) Object.defineProperty(at, REPEATED, { value: key, configurable: true });
  });
}

type Step = string | number;
type Open = { readonly keys: Set<string> | undefined; step: Step; isKeyNext: boolean };

/** The text is JSON, and not deeper than the reader allows. `path` leads to the object. */
function findRepeatedKeys(text: string, found: (path: readonly Open[], key: string) => void): void {
  const open: Open[] = [];
  for (let at = 0; at < text.length; at++) {
    const inner = open.at(-1);
    switch (text.charAt(at)) {
      case '{':
        open.push({ keys: new Set(), step: '', isKeyNext: true });
        break;
      case '[':
        open.push({ keys: undefined, step: 0, isKeyNext: false });
        break;
      case '}':
      case ']':
        open.pop();
        break;
      case ',':
        if (inner?.keys !== undefined) inner.isKeyNext = true;
        else if (inner !== undefined) inner.step = Number(inner.step) + 1;
        break;
      case '"': {
        const end = endOfString(text, at);
        if (inner?.keys !== undefined && inner.isKeyNext) {
          const key = JSON.parse(text.slice(at, end + 1)) as string;
          if (inner.keys.has(key)) found(open.slice(0, -1), key);
          inner.keys.add(key);
          inner.step = key;
          inner.isKeyNext = false;
        }
        at = end;
      }
    }
  }
}

/** Where its closing quote is. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let escapes = 0;
    while (text.charAt(end - 1 - escapes) === '\\') escapes++;
    if (escapes % 2 === 0) return end;
  }
}
