/**
 * Configuration files: a JSON object, or lines of `key=value` as in bitcoin.conf. Keys are the flags without their
 * dashes. In the second form `#` begins a comment, a repeated key adds to a list, and what stands below `[name]`
 * counts only for the network of that name.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { errorText, NodeError } from '#util';
import { OPTIONS } from './options.ts';
import { closest } from './suggest.ts';

/** Key to the texts given for it, in order. */
export type ConfigTexts = ReadonlyMap<string, readonly string[]>;

/** More than any sensible file; a block file given by mistake is not read into memory. */
const MAX_BYTES = 1 << 20;

const KEYS: readonly string[] = Object.values(OPTIONS)
  .map((row) => row.flag)
  .filter((flag) => flag !== 'config');

const scalar = z.union([z.string(), z.number(), z.boolean()]);
const jsonFile = z.record(z.string(), z.union([scalar, z.array(scalar)]));

/** Throws NodeError `BAD_CONFIG` that names the file, the line or field, and what fits. */
export function readConfigFile(file: string, network: string | undefined): ConfigTexts {
  const text = readText(file);
  const texts = text.trimStart().startsWith('{') ? parseJson(text, file) : parseLines(text, file, network);
  for (const key of texts.keys()) {
    if (!KEYS.includes(key))
      throw new NodeError('BAD_CONFIG', `${file}: unknown setting "${key}"${closest(key, KEYS)}`);
  }
  return texts;
}

function readText(file: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new NodeError('BAD_CONFIG', `cannot read the configuration file ${file}: ${errorText(error)}`, {
      cause: error,
    });
  }
  if (bytes.length > MAX_BYTES) throw new NodeError('BAD_CONFIG', `${file} is too large for a configuration file`);
  return bytes.toString('utf8');
}

function parseJson(text: string, file: string): ConfigTexts {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new NodeError('BAD_CONFIG', `${file} is not valid JSON: ${errorText(error)}`, { cause: error });
  }
  const result = jsonFile.safeParse(json);
  if (!result.success) {
    const field = result.error.issues[0]?.path.join('.');
    throw new NodeError('BAD_CONFIG', `${file}: "${field}" must be a text, a number, true, false, or a list of these`);
  }
  return new Map(Object.entries(result.data).map(([key, value]) => [key, [value].flat().map(String)]));
}

function parseLines(text: string, file: string, network: string | undefined): ConfigTexts {
  const top: (readonly [string, string])[] = [];
  const sections = new Map<string, (readonly [string, string])[]>();
  let entries = top;
  for (const [index, full] of text.split(/\r?\n/).entries()) {
    const line = full.replace(/(?:^|\s)#.*$/, '').trim();
    const section = /^\[(.+)\]$/.exec(line)?.[1];
    const pair = /^([^=\s]+)\s*=\s*(.*)$/.exec(line);
    if (section !== undefined) {
      entries = sections.get(section) ?? [];
      sections.set(section, entries);
    } else if (pair) {
      entries.push([pair[1] ?? '', pair[2] ?? '']);
    } else if (line !== '') {
      throw new NodeError('BAD_CONFIG', `${file}, line ${index + 1}: key=value is expected`);
    }
  }
  const chosen = network ?? top.findLast(([key]) => key === 'network')?.[1] ?? OPTIONS.network.default;
  const texts = new Map<string, string[]>();
  // The network's own section comes last, so that it overrides what stands above all sections.
  for (const [key, value] of [...top, ...(sections.get(chosen) ?? [])]) {
    texts.set(key, [...(texts.get(key) ?? []), value]);
  }
  return texts;
}
