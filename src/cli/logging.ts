/**
 * The Logger port on pino. A line goes to the terminal and, once the network's folder is known, to its `debug.log`. Each
 * module has a level, which may change while the node runs. Invariants: what `log-lines.ts` says of a line; one kind of line
 * takes a bounded part of the disk in an hour; a full disk costs log lines, not the node.
 */
import { join } from 'node:path';
import process from 'node:process';
import { type Logger as PinoLogger, pino } from 'pino';
import type { LogSource } from '#dashboard';
import { type Clock, type LogFields, type Logger, systemClock } from '#util';
import { type LogFile, openLogFile } from './log-file.ts';
import { LogLimit } from './log-limit.ts';
import { cut, humanLine, safeFields } from './log-lines.ts';
import { LogRing } from './log-ring.ts';
import type { Settings } from './options.ts';
import type { Terminal } from './terminal.ts';
import type { LogLevel, ModuleLevel } from './values.ts';

export type LogFormat = 'human' | 'json';

export type LogOptions = {
  /** Of the modules that have none of their own. */
  readonly level: LogLevel;
  readonly moduleLevels?: readonly ModuleLevel[];
  /** Of the lines that are printed. */
  readonly format: LogFormat;
  /** Of `debug.log`; as `format` if left out. */
  readonly fileFormat?: LogFormat;
  readonly isColoured?: boolean;
  /** Gets each line, without its line break. */
  readonly print: (line: string) => void;
  readonly clock?: Clock;
};

export type Logging = {
  readonly log: Logger;
  /** From now on: of one module's lines, or of all modules that have no level of their own. */
  readonly setLevel: (module: string | undefined, level: LogLevel) => void;
  /** The level of each module that has a logger or a level of its own. */
  readonly levels: () => Readonly<Record<string, LogLevel>>;
  /** Begins to write `debug.log` in `directory`, which exists: first the lines so far, as far as they were kept. */
  readonly openFile: (directory: string) => void;
  /** The newest lines, and those to come. */
  readonly lines: LogSource;
  /** Writes out what is buffered and closes the file. */
  readonly close: () => void;
};

/** Lines before the file is opened (it is opened under the directory's lock); more are only printed. */
const MAX_EARLY_LINES = 500;

/** As the settings say: for people on a terminal, JSON elsewhere, unless one is asked for. `level` goes before them. */
export function loggingOf(settings: Settings, terminal: Terminal, level: LogLevel = settings.logLevel): Logging {
  const { logFormat, logModule } = settings;
  const { isInteractive, print } = terminal;
  const isHuman = logFormat === 'human' || (logFormat === 'auto' && isInteractive);
  return createLogging({
    level,
    moduleLevels: logModule,
    format: isHuman ? 'human' : 'json',
    fileFormat: fileFormat(logFormat),
    // https://no-color.org
    isColoured: isInteractive && (process.env['NO_COLOR'] ?? '') === '',
    print,
  });
}

/** A file is no terminal. */
export function fileFormat(format: Settings['logFormat']): LogFormat {
  return format === 'human' ? 'human' : 'json';
}

export function createLogging(options: LogOptions): Logging {
  const { format, fileFormat = format, isColoured = false } = options;
  const output = new LogOutput(
    options.print,
    (json) => lineOf(json, format, isColoured),
    (json) => lineOf(json, fileFormat, false),
  );
  const modules = new ModuleLoggers(options, output.write);
  const limit = new LogLimit(options.clock ?? systemClock);
  const toLogger = (module: string | undefined): Logger => {
    const at = (level: 'debug' | 'info' | 'warn' | 'error') => (message: string, fields?: LogFields) => {
      const pinoLogger = modules.of(module);
      if (!pinoLogger.isLevelEnabled(level)) return;
      const text = cut(message);
      const safe = safeFields(fields);
      for (const { source, lines } of limit.ended()) modules.of(undefined).warn({ of: source, lines }, LEFT_OUT);
      const verdict = limit.take(`${module ?? ''} ${level} ${text}`, safe, level === 'debug');
      if (verdict !== 'drop') pinoLogger[level](safe, text);
      if (verdict === 'last') modules.of(undefined).warn({ of: text }, TOO_MANY);
    };
    return {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      child: (name) => toLogger(name),
    };
  };
  return {
    log: toLogger(undefined),
    setLevel: modules.setLevel,
    levels: modules.levels,
    openFile: output.openFile,
    lines: output.ring,
    close: output.close,
  };
}

const TOO_MANY = 'so many lines of a kind: for up to an hour its lines are only counted';
const LEFT_OUT = 'lines of a kind were left out';

function lineOf(json: string, format: LogFormat, isColoured: boolean): string {
  return format === 'json' ? json.trimEnd() : humanLine(json, isColoured);
}

/** A pino logger for each module: the names are those of our own code, and few. */
class ModuleLoggers {
  readonly #root: PinoLogger;
  readonly #children = new Map<string, PinoLogger>();
  readonly #own = new Set<string>();

  constructor({ level, moduleLevels = [] }: LogOptions, write: (json: string) => void) {
    this.#root = pino(
      {
        level,
        base: null,
        timestamp: () => `,"time":"${new Date().toISOString()}"`,
        formatters: { level: (label) => ({ level: label }) },
      },
      { write },
    );
    for (const { module, level: own } of moduleLevels) this.setLevel(module, own);
  }

  of(module: string | undefined): PinoLogger {
    if (module === undefined) return this.#root;
    let child = this.#children.get(module);
    if (child === undefined) {
      child = this.#root.child({ module });
      this.#children.set(module, child);
    }
    return child;
  }

  readonly setLevel = (module: string | undefined, level: LogLevel): void => {
    this.of(module).level = level;
    if (module !== undefined) this.#own.add(module);
    else for (const [name, child] of this.#children) if (!this.#own.has(name)) child.level = level;
  };

  readonly levels = (): Readonly<Record<string, LogLevel>> =>
    Object.fromEntries([...this.#children].map(([name, child]) => [name, child.level as LogLevel]));
}

/** Where lines go: printed at once, and to the file, for which the first are kept. */
class LogOutput {
  readonly #print: (line: string) => void;
  readonly #printed: (json: string) => string;
  readonly #filed: (json: string) => string;
  readonly #early: string[] = [];
  readonly ring = new LogRing();
  #file: LogFile | undefined;

  constructor(print: (line: string) => void, printed: (json: string) => string, filed: (json: string) => string) {
    this.#print = print;
    this.#printed = printed;
    this.#filed = filed;
  }

  readonly write = (json: string): void => {
    this.#print(this.#printed(json));
    this.ring.write(json);
    if (this.#file !== undefined) this.#file.write(`${this.#filed(json)}\n`);
    else if (this.#early.length < MAX_EARLY_LINES) this.#early.push(this.#filed(json));
  };

  readonly openFile = (directory: string): void => {
    this.#file ??= openLogFile(join(directory, 'debug.log'), (reason) => {
      this.#file = undefined;
      this.#print(`starling: debug.log is not written any more: ${reason}`);
    });
    for (const line of this.#early.splice(0)) this.#file.write(`${line}\n`);
  };

  readonly close = (): void => {
    this.#file?.close();
    this.#file = undefined;
  };
}
