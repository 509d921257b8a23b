/** Writes JSON as Core's UniValue does: amounts and doubles digit by digit, and its layout of indented text. */
import { doubleText, JsonNumber, type JsonValue } from './value.ts';

/** On one line, or with so many spaces for each level. */
export function writeJson(value: JsonValue, indent = 0, level = 1): string {
  if (typeof value === 'string') return writeString(value);
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : doubleText(value);
  if (value === null || typeof value !== 'object') return String(value);
  if (value instanceof JsonNumber) return value.text;
  const [open, close, parts] = Array.isArray(value)
    ? ['[', ']', value.map((item: JsonValue) => writeJson(item, indent, level + 1))]
    : ['{', '}', members(value as { readonly [key: string]: JsonValue | undefined }, indent, level)];
  if (indent === 0) return `${open}${parts.join(',')}${close}`;
  // Also what is empty gets a line for its end.
  const padding = ' '.repeat(indent * level);
  const lines = parts.map((part) => `${padding}${part}`).join(',\n');
  return `${open}\n${lines}${lines === '' ? '' : '\n'}${' '.repeat(indent * (level - 1))}${close}`;
}

function members(value: { readonly [key: string]: JsonValue | undefined }, indent: number, level: number): string[] {
  const separator = indent === 0 ? ':' : ': ';
  const parts: string[] = [];
  for (const [key, member] of Object.entries(value)) {
    if (member !== undefined) parts.push(`${writeString(key)}${separator}${writeJson(member, indent, level + 1)}`);
  }
  return parts;
}

function writeString(text: string): string {
  const quoted = JSON.stringify(text);
  return quoted.includes('\x7f') ? quoted.replaceAll('\x7f', '\\u007f') : quoted;
}
