/**
 * The Logger port on pino. A line goes to the terminal and, once the network's folder is known, to its `debug.log`
 * (Bitcoin Core's name). Invariants: values under names that sound secret are never written; control characters are
 * escaped and values cut, so that what a peer sent cannot forge lines; a full disk costs log lines, not the node.
 */
import { closeSync, fstatSync, openSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LevelWithSilent, destination as openDestination, pino } from 'pino';
import type { LogFields, Logger } from '#util';

export type LogFormat = 'human' | 'json';

export type LogOptions = {
  readonly level: LevelWithSilent;
  readonly format: LogFormat;
  /** Gets each line, without its line break. */
  readonly print: (line: string) => void;
};

export type Logging = {
  readonly log: Logger;
  /** Begins to write `debug.log` in `directory`, which exists: first the lines so far, as far as they were kept. */
  readonly openFile: (directory: string) => void;
  /** Writes out what is buffered and closes the file. */
  readonly close: () => void;
};

/** Core's sizes: a log of more than 11 MB is cut to its last 10 MB at start (ShrinkDebugFile). */
const SHRINK_ABOVE_BYTES = 11_000_000;
const SHRINK_TO_BYTES = 10_000_000;
const MAX_VALUE_CHARS = 500;
const SECRET = /secret|password|passwd|private|privkey|token|cookie|seed$|mnemonic|wif/i;

/** Lines before the file is opened (it is opened under the directory's lock); more are only printed. */
const MAX_EARLY_LINES = 500;

type Sink = { readonly write: (text: string) => void; readonly close: () => void };

export function createLogging(options: LogOptions): Logging {
  let file: Sink | undefined;
  const early: string[] = [];
  const write = (json: string): void => {
    const line = options.format === 'json' ? json.trimEnd() : humanLine(json);
    options.print(line);
    if (file !== undefined) file.write(`${line}\n`);
    else if (early.length < MAX_EARLY_LINES) early.push(line);
  };
  const root = pino(
    {
      level: options.level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write },
  );
  const toLogger = (module: string | undefined): Logger => {
    const at = (level: 'debug' | 'info' | 'warn' | 'error') => (message: string, fields?: LogFields) => {
      if (root.isLevelEnabled(level)) root[level](safeFields(module, fields), cut(message));
    };
    return {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      child: (name) => toLogger(name),
    };
  };
  const log = toLogger(undefined);
  return {
    log,
    openFile: (directory) => {
      file ??= openLogFile(join(directory, 'debug.log'), (reason) => {
        file = undefined;
        options.print(`starling: debug.log is not written any more: ${reason}`);
      });
      for (const line of early.splice(0)) file.write(`${line}\n`);
    },
    close: () => {
      file?.close();
      file = undefined;
    },
  };
}

function openLogFile(path: string, failed: (reason: string) => void): Sink {
  shrink(path);
  // Opened here, not by the stream: an unwritable folder fails at once, and lines written before the first turn are kept.
  // Synchronous: each line is written or has failed when `write` returns. The stream's own flushSync, which a stream with
  // a buffer would need at the end, tries for ever when the disk is full.
  const stream = openDestination({ fd: openSync(path, 'a'), sync: true });
  let hasFailed = false;
  stream.on('error', (error: Error) => {
    if (!hasFailed) failed(error.message);
    hasFailed = true;
  });
  return {
    write: (text) => {
      stream.write(text);
    },
    close: () => {
      // After a failure there is nothing to end: what could not be written would be tried again.
      if (hasFailed) stream.destroy();
      else stream.end();
    },
  };
}

/** Keeps the end of a log that has grown large. A log that cannot be read is left alone. */
function shrink(path: string): void {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return;
  }
  try {
    const { size } = fstatSync(fd);
    if (size <= SHRINK_ABOVE_BYTES) return;
    const tail = Buffer.alloc(SHRINK_TO_BYTES);
    const length = readSync(fd, tail, 0, tail.length, size - tail.length);
    writeFileSync(path, tail.subarray(0, length));
  } finally {
    closeSync(fd);
  }
}

function safeFields(module: string | undefined, fields: LogFields | undefined): Record<string, unknown> {
  const safe: Record<string, unknown> = module === undefined ? {} : { module };
  for (const [name, value] of Object.entries(fields ?? {})) {
    if (value === undefined) continue;
    const shown = typeof value === 'bigint' ? value.toString() : value;
    safe[name] = SECRET.test(name) ? '[redacted]' : typeof shown === 'string' ? cut(shown) : shown;
  }
  return safe;
}

function cut(text: string): string {
  return text.length > MAX_VALUE_CHARS ? `${text.slice(0, MAX_VALUE_CHARS)}…` : text;
}

/** `2026-01-31T12:00:00.000Z info  net: peer connected id=… address=…`. */
function humanLine(json: string): string {
  const { time, level, module, msg, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const pairs = Object.entries(fields).map(([name, value]) => ` ${name}=${fieldText(value)}`);
  const from = module === undefined ? '' : `${String(module)}: `;
  return `${String(time)} ${String(level).padEnd(5)} ${from}${visible(String(msg))}${pairs.join('')}`;
}

function fieldText(value: unknown): string {
  const text = String(value);
  return /^[^\s"=]+$/.test(text) && visible(text) === text ? text : visible(JSON.stringify(text));
}

/** Control characters (line breaks and terminal escapes among them) as \\u escapes. */
function visible(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    (char) => `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}
