/** How a row of the method table describes what a method answers: what Core's RPCResult says. */

export type ResultType =
  | 'string'
  | 'hex'
  | 'number'
  | 'amount'
  | 'time'
  | 'boolean'
  | 'none'
  | 'array'
  /** As many items as described. */
  | 'fixed'
  | 'object'
  /** Keys are data. */
  | 'dictionary'
  /** What is described elsewhere. */
  | 'elision'
  | 'any';

export type ResultOptions = {
  readonly optional?: boolean;
  readonly inner?: readonly Result[];
  /** Of one of several results: when it is this one. */
  readonly when?: string;
};

export type Result = ResultOptions & {
  /** Empty for an item of an array, and at the top. */
  readonly key: string;
  readonly type: ResultType;
  readonly about: string;
};

type Build = (key: string, about: string, options?: ResultOptions) => Result;
type BuildOuter = (key: string, about: string, inner: readonly Result[], options?: ResultOptions) => Result;

const build =
  (type: ResultType): Build =>
  (key, about, options = {}) => ({ ...options, key, type, about });

const buildOuter =
  (type: ResultType): BuildOuter =>
  (key, about, inner, options = {}) => ({ ...options, key, type, about, inner });

export const result = {
  string: build('string'),
  hex: build('hex'),
  number: build('number'),
  amount: build('amount'),
  time: build('time'),
  boolean: build('boolean'),
  none: build('none'),
  array: buildOuter('array'),
  fixed: buildOuter('fixed'),
  object: buildOuter('object'),
  dictionary: buildOuter('dictionary'),
  elision: build('elision'),
  any: build('any'),
};
