/**
 * What a log line may hold, and how people read it. Values under names that sound secret are never written; control
 * characters are escaped and values cut, so that what a peer sent cannot forge lines.
 */
import type { LogLine } from '#dashboard';
import type { LogFields } from '#util';

const MAX_VALUE_CHARS = 500;
/** Of a message and its fields where lines are shown beside each other. */
const MAX_TEXT_CHARS = 600;
const SECRET = /secret|password|passwd|private|privkey|token|cookie|seed$|mnemonic|wif/i;

/** Marks of a terminal around the level: only what wants attention. */
const COLOURS: Readonly<Record<string, readonly [string, string]>> = {
  warn: ['\x1b[33m', '\x1b[0m'],
  error: ['\x1b[31m', '\x1b[0m'],
};

export function safeFields(fields: LogFields | undefined): Record<string, unknown> {
  const safe: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields ?? {})) {
    if (value === undefined) continue;
    const shown = typeof value === 'bigint' ? value.toString() : value;
    safe[name] = SECRET.test(name) ? '[redacted]' : typeof shown === 'string' ? cut(shown) : shown;
  }
  return safe;
}

export function cut(text: string): string {
  return text.length > MAX_VALUE_CHARS ? `${text.slice(0, MAX_VALUE_CHARS)}…` : text;
}

/** `2026-01-31T12:00:00.000Z info  net: peer connected id=… address=…`. */
export function humanLine(json: string, isColoured: boolean): string {
  const { time, level, module, text } = partsOf(json);
  const from = module === undefined ? '' : `${String(module)}: `;
  const [on, off] = (isColoured ? COLOURS[String(level)] : undefined) ?? ['', ''];
  return `${String(time)} ${on}${String(level).padEnd(5)}${off} ${from}${text}`;
}

/** The same for a program that shows it. */
export function logLine(json: string, number: number): LogLine {
  const { time, level, module, text } = partsOf(json);
  return {
    number,
    atMs: Date.parse(String(time)),
    level: level as LogLine['level'],
    module: module === undefined ? null : String(module),
    text: text.length > MAX_TEXT_CHARS ? `${text.slice(0, MAX_TEXT_CHARS - 1)}…` : text,
  };
}

type Parts = { readonly time: unknown; readonly level: unknown; readonly module: unknown; readonly text: string };

function partsOf(json: string): Parts {
  const { time, level, module, msg, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const pairs = Object.entries(fields).map(([name, value]) => ` ${name}=${fieldText(value)}`);
  return { time, level, module, text: `${visible(String(msg))}${pairs.join('')}` };
}

function fieldText(value: unknown): string {
  const text = String(value);
  return /^[^\s"=]+$/.test(text) && visible(text) === text ? text : visible(JSON.stringify(text));
}

/** Control characters (line breaks and terminal escapes among them) as \\u escapes. */
export function visible(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    (char) => `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}
