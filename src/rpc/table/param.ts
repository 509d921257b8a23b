/** How a row of the method table describes a parameter: what Core's RPCArg says, for checks, help and documents. */
import type { JsonValue } from '../json/value.ts';

export type ParamType =
  | 'string'
  | 'hex'
  | 'number'
  /** A number or a text, in coins; checked by `Args.amount`. */
  | 'amount'
  /** A number or a pair; checked by who reads it. */
  | 'range'
  | 'boolean'
  | 'object'
  /** An object whose members may also be given as named parameters of the call. */
  | 'named'
  /** An object whose keys are the user's. */
  | 'dictionary'
  | 'array';

export type ParamOptions = {
  /** Left out or null; undefined with neither default is required. */
  readonly optional?: boolean;
  readonly default?: JsonValue;
  /** Of a default that is not one value: what help says. */
  readonly hint?: string;
  readonly inner?: readonly Param[];
  /** Takes values of other types, too. */
  readonly anyType?: boolean;
  /** What help writes for value and type where the type does not say it all. */
  readonly typeText?: readonly [value: string, type: string];
  /** What the first line of help writes. */
  readonly oneLine?: string;
  /** Not in help, and all after it. */
  readonly hidden?: boolean;
};

export type Param = ParamOptions & {
  /** With aliases behind it: `verbosity|verbose`. */
  readonly names: string;
  readonly type: ParamType;
  readonly about: string;
};

type Build = (names: string, about: string, options?: ParamOptions) => Param;

const build =
  (type: ParamType): Build =>
  (names, about, options = {}) => ({ ...options, names, type, about });

export const param = {
  string: build('string'),
  hex: build('hex'),
  number: build('number'),
  amount: build('amount'),
  range: build('range'),
  boolean: build('boolean'),
  object: build('object'),
  named: build('named'),
  dictionary: build('dictionary'),
  array: build('array'),
};

export function isOptional({ optional, default: value, hint }: Param): boolean {
  return optional === true || value !== undefined || hint !== undefined;
}

export function firstName({ names }: Param): string {
  return names.split('|')[0] ?? '';
}
