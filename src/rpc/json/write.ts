/** Writes JSON as Core's UniValue does: amounts and doubles digit by digit, and its layout of indented text. */
import { doubleText, JsonNumber, type JsonObject, type JsonValue } from './value.ts';

/** On one line, or with so many spaces for each level. */
export function writeJson(value: JsonValue, indent = 0, level = 1): string {
  const scalar = scalarText(value);
  if (scalar !== undefined) return scalar;
  if (indent === 0) return onOneLine(value as JsonObject | readonly JsonValue[]);
  const [open, close, parts] = Array.isArray(value)
    ? ['[', ']', value.map((item: JsonValue) => writeJson(item, indent, level + 1))]
    : ['{', '}', members(value as JsonObject, indent, level)];
  // Also what is empty gets a line for its end.
  const padding = ' '.repeat(indent * level);
  const lines = parts.map((part) => `${padding}${part}`).join(',\n');
  return `${open}\n${lines}${lines === '' ? '' : '\n'}${' '.repeat(indent * (level - 1))}${close}`;
}

function members(value: JsonObject, indent: number, level: number): string[] {
  return Object.entries(value).flatMap(([key, member]) =>
    member === undefined ? [] : [`${writeString(key)}: ${writeJson(member, indent, level + 1)}`],
  );
}

/** Without lists in between: what large answers take is mostly this. */
function onOneLine(value: JsonObject | readonly JsonValue[]): string {
  let text = '';
  if (Array.isArray(value)) {
    for (const item of value as readonly JsonValue[]) text += `${text === '' ? '' : ','}${writeJson(item)}`;
    return `[${text}]`;
  }
  for (const key in value as JsonObject) {
    const member = (value as JsonObject)[key];
    if (member !== undefined) text += `${text === '' ? '' : ','}${writeString(key)}:${writeJson(member)}`;
  }
  return `{${text}}`;
}

/** Undefined for lists and objects. */
function scalarText(value: JsonValue): string | undefined {
  if (typeof value === 'string') return writeString(value);
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : doubleText(value);
  if (value === null || typeof value !== 'object') return String(value);
  return value instanceof JsonNumber ? value.text : undefined;
}

/** Nothing in it is written otherwise than it is. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

function writeString(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text).replaceAll('\x7f', '\\u007f');
}
