/**
 * The lines of a bitcoin.conf, as Bitcoin Core's GetConfigOptions and ReadConfigStream (common/config.cpp) take them: what
 * follows a `#` is a comment; below `[name]`, and after `name.` in a key, an option counts for that chain alone;
 * `includeconf=FILE` reads on in another file, once, and not from an included one. What is included stands behind all
 * of the file.
 */
import { dirname, resolve } from 'node:path';
import { NodeError } from '#util';
import type { ConfigFile, Entry } from './entries.ts';
import { networkOfChain } from './names.ts';

/** `read` gives the text of an included file. Throws NodeError `BAD_CONFIG`. */
export function readCoreForm(text: string, path: string, read: (file: string) => string): ConfigFile {
  const own = readLines(text, path);
  const includes = own.filter(({ key }) => key === 'includeconf');
  const entries: Entry[] = own.filter(({ key }) => key !== 'includeconf');
  const notes: string[] = [];
  // Those of a chain's section are read before the others.
  for (const include of [...includes.filter(isOfChain), ...includes.filter((entry) => !isOfChain(entry))]) {
    const file = includedFile(include, path);
    for (const entry of readLines(read(file), file)) {
      if (entry.key !== 'includeconf') entries.push({ ...entry, onlyFor: include.section });
      else notes.push(`${entry.place}: includeconf is not followed from an included file (as in Bitcoin Core)`);
    }
  }
  return { path, form: 'core', entries, notes };
}

const isOfChain = ({ section }: Entry): boolean => section !== undefined;

/** Relative to the file itself: Core reads its file from the data directory, which is not where ours is. */
function includedFile({ texts: [name = ''], place }: Entry, path: string): string {
  if (name === '') throw new NodeError('BAD_CONFIG', `${place}: includeconf names no file`);
  return resolve(dirname(path), name);
}

function readLines(text: string, path: string): Entry[] {
  const entries: Entry[] = [];
  let header: string | undefined;
  for (const [index, full] of text.split('\n').entries()) {
    const place = `${path}:${index + 1}`;
    const [content = '', comment] = full.split('#', 2);
    const line = content.trim();
    if (line === '') continue;
    const name = /^\[(.*)\]$/.exec(line)?.[1];
    if (name !== undefined) header = name;
    else entries.push(readPair(line, header, place, comment !== undefined));
  }
  return entries;
}

function readPair(line: string, header: string | undefined, place: string, hasComment: boolean): Entry {
  const bad = (what: string): NodeError => new NodeError('BAD_CONFIG', `${place}: ${what}`);
  if (line.startsWith('-')) throw bad('options in a configuration file are written without a leading -');
  const equals = line.indexOf('=');
  if (equals < 0) {
    const negated = line.startsWith('no') ? `; to negate the option, write ${line.slice(0, 60)}=1` : '';
    throw bad(`key=value is expected${negated}`);
  }
  const full = line.slice(0, equals).trim();
  const dot = header === undefined ? full.indexOf('.') : -1;
  const chain = header ?? (dot < 0 ? undefined : full.slice(0, dot));
  const key = full.slice(dot + 1);
  if (key.endsWith('password') && hasComment) throw bad(`a # in the line of ${key} could be part of it, or a comment`);
  const section = chain === undefined ? undefined : networkOfChain(chain);
  return { key, section, texts: [line.slice(equals + 1).trim()], place };
}
