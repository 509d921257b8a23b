/** Values of settings as people and programs may see them: never a password. */
import type { OptionRow } from '../option-row.ts';

const SECRET_FLAG = /password|passwd|secret|token|auth$/;
const HIDDEN = '(hidden)';

/** What was given for a row: a secret is hidden, and so is the login in a URL. */
export function shownText({ flag }: OptionRow<unknown>, text: string): string {
  return SECRET_FLAG.test(flag) ? HIDDEN : text.replace(/\/\/[^/@]*@/, `//${HIDDEN}@`);
}

/** As help shows it. */
export function shownDefault({ default: value, defaultText }: OptionRow<unknown>): string {
  if (defaultText !== undefined) return defaultText;
  if (typeof value === 'boolean') return String(value);
  return Array.isArray(value) ? 'none' : '-';
}

/** For JSON: numbers and switches as such, lists as lists, nothing as null. */
export function shownValue(row: OptionRow<unknown>, value: unknown, texts: readonly string[] | undefined): unknown {
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  const shown = texts?.map((text) => shownText(row, text));
  if (row.isList) return shown ?? [];
  return shown?.at(-1) ?? (typeof value === 'string' ? value : null);
}
