/**
 * The logger port. Fields are flat and bounded: what a peer sent is never logged without a length limit.
 * `cli/` implements it; libraries and tests may pass `nullLogger`.
 */
export type LogFields = Readonly<Record<string, string | number | boolean | bigint | undefined>>;

export type Logger = {
  readonly debug: (message: string, fields?: LogFields) => void;
  readonly info: (message: string, fields?: LogFields) => void;
  readonly warn: (message: string, fields?: LogFields) => void;
  readonly error: (message: string, fields?: LogFields) => void;
  /** A logger whose lines carry the module's name. */
  readonly child: (module: string) => Logger;
};

const ignore = (): void => {};

export const nullLogger: Logger = {
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  child: () => nullLogger,
};
