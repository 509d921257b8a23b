/** The help of a method, in the layout of Core's (RPCHelpMan::ToString), so that tools that parse it go on to. */
import type { JsonValue } from '../json/value.ts';
import { writeJson } from '../json/write.ts';
import type { RpcMethod } from './method.ts';
import { firstName, isOptional, type Param, type ParamType } from './param.ts';
import type { Result, ResultType } from './result.ts';
import { Sections } from './sections.ts';

/** Of the arguments' members. */
const ARGUMENT_INDENT = 5;

export function helpText(method: RpcMethod): string {
  const about = method.about.trim();
  return `${usageLine(method)}\n\n${about}\n${argumentsHelp(method)}${resultsHelp(method)}${examplesHelp(method)}`;
}

/** The name and the parameters; those that may be left out in parentheses. */
export function usageLine({ name, params }: RpcMethod): string {
  let line = name;
  let isOpen = false;
  for (const param of visible(params)) {
    const opens = isOptional(param);
    line += opens && !isOpen ? ' ( ' : !opens && isOpen ? ' ) ' : ' ';
    line += shortForm(param, true);
    isOpen = opens;
  }
  return isOpen ? `${line} )` : line;
}

function visible(params: readonly Param[]): readonly Param[] {
  const end = params.findIndex(({ hidden }) => hidden === true);
  return end === -1 ? params : params.slice(0, end);
}

function argumentsHelp({ params }: RpcMethod): string {
  const sections = new Sections();
  const named = new Sections();
  for (const [index, param] of visible(params).entries()) {
    sections.add(`${index + 1}. ${firstName(param)}`, describe(param, true));
    addParam(sections, param, ARGUMENT_INDENT, 'none');
    if (param.type !== 'named') continue;
    for (const inner of param.inner ?? []) {
      named.add(firstName(inner), describe(inner, true));
      addParam(named, inner, ARGUMENT_INDENT, 'none');
    }
  }
  const head = sections.isEmpty ? '' : `\nArguments:\n${sections}`;
  return named.isEmpty ? head : `${head}\nNamed Arguments:\n${named}`;
}

type Outer = 'none' | 'object' | 'array';

function addParam(sections: Sections, param: Param, indent: number, outer: Outer): void {
  const padding = ' '.repeat(indent);
  const isMember = outer === 'object';
  const isTop = outer === 'none';
  const key = isMember ? `"${firstName(param)}": ` : '';
  const right = isTop ? '' : describe(param, isMember);
  const end = isTop ? '' : ',';
  switch (param.type) {
    case 'object':
    case 'dictionary':
      sections.add(`${padding}${key}{`, right);
      for (const inner of param.inner ?? []) addParam(sections, inner, indent + 2, 'object');
      if (param.type === 'dictionary') sections.add(`${padding}  ...`);
      sections.add(`${padding}}${end}`);
      return;
    case 'array':
      sections.add(`${padding}${key}[`, right);
      for (const inner of param.inner ?? []) addParam(sections, inner, indent + 2, 'array');
      sections.add(`${padding}  ...`);
      sections.add(`${padding}]${end}`);
      return;
    default:
      if (isTop) return;
      sections.add(
        `${padding}${key}${isMember ? (param.typeText?.[0] ?? memberForm(param, false)) : shortForm(param, false)},`,
        right,
      );
  }
}

/** A parameter as the first line of help shows it. */
function shortForm(param: Param, isOneLine: boolean): string {
  if (isOneLine && param.oneLine !== undefined) return param.oneLine;
  const name = firstName(param);
  const inner = param.inner ?? [];
  const separator = isOneLine ? ':' : ': ';
  const members = inner.map((each) => `"${firstName(each)}"${separator}${memberForm(each, isOneLine)}`).join(',');
  switch (param.type) {
    case 'string':
    case 'hex':
      return `"${name}"`;
    case 'object':
      return `{${members}}`;
    case 'dictionary':
    case 'named':
      return `{${members},...}`;
    case 'array':
      return `[${inner.map((each) => `${shortForm(each, isOneLine)},`).join('')}...]`;
    default:
      return name;
  }
}

const MEMBER_FORMS: Readonly<Partial<Record<ParamType, string>>> = {
  string: '"str"',
  hex: '"hex"',
  number: 'n',
  range: 'n or [n,n]',
  amount: 'amount',
  boolean: 'bool',
};

function memberForm(param: Param, isOneLine: boolean): string {
  return MEMBER_FORMS[param.type] ?? shortForm(param, isOneLine);
}

const PARAM_TYPES: Readonly<Record<ParamType, string>> = {
  string: 'string',
  hex: 'string',
  number: 'numeric',
  amount: 'numeric or string',
  range: 'numeric or array',
  boolean: 'boolean',
  object: 'json object',
  named: 'json object',
  dictionary: 'json object',
  array: 'json array',
};

function describe(param: Param, isNamed: boolean): string {
  const type = param.typeText?.[1] ?? PARAM_TYPES[param.type];
  const options =
    param.type === 'named' ? ' Options object that can be used to pass named arguments, listed below.' : '';
  return `(${type}${needText(param, isNamed)})${options}${param.about === '' ? '' : ` ${param.about}`}`;
}

function needText({ hint, default: value, optional }: Param, isNamed: boolean): string {
  if (hint !== undefined) return `, optional, default=${hint}`;
  if (value !== undefined) return `, optional, default=${writeJson(value satisfies JsonValue)}`;
  if (optional === true) return isNamed ? ', optional' : '';
  return ', required';
}

function resultsHelp({ results }: RpcMethod): string {
  return results
    .filter(({ type }) => type !== 'any')
    .map((result) => {
      const sections = new Sections();
      addResult(sections, result, 'none', 0);
      return `\nResult${result.when === undefined ? '' : ` (${result.when})`}:\n${sections}`;
    })
    .join('');
}

/** Value and type of what has no members. */
const RESULT_FORMS: Readonly<Partial<Record<ResultType, readonly [value: string, type: string]>>> = {
  string: ['"str"', 'string'],
  hex: ['"hex"', 'string'],
  number: ['n', 'numeric'],
  amount: ['n', 'numeric'],
  time: ['xxx', 'numeric'],
  boolean: ['true|false', 'boolean'],
  none: ['null', 'json null'],
};

function addResult(sections: Sections, result: Result, outer: Outer, indent: number): void {
  const padding = ' '.repeat(indent);
  const end = outer === 'none' ? '' : ',';
  const key = outer === 'object' ? `"${result.key}" : ` : '';
  const right = (type: string): string =>
    `(${type}${result.optional === true ? ', optional' : ''})${result.about === '' ? '' : ` ${result.about}`}`;
  const form = RESULT_FORMS[result.type];
  if (form !== undefined) {
    // A null stands without its key.
    sections.add(`${padding}${result.type === 'none' ? '' : key}${form[0]}${end}`, right(form[1]));
    return;
  }
  if (result.type === 'elision') {
    sections.add(`${padding}...${end}`, result.about);
    return;
  }
  addOuterResult(sections, result, { padding, key, end, right, indent });
}

type Frame = {
  readonly padding: string;
  readonly key: string;
  readonly end: string;
  readonly right: (type: string) => string;
  readonly indent: number;
};

function addOuterResult(sections: Sections, result: Result, { padding, key, end, right, indent }: Frame): void {
  const inner = result.inner ?? [];
  const isArray = result.type === 'array' || result.type === 'fixed';
  const [open, close] = isArray ? '[]' : '{}';
  if (inner.length === 0) {
    sections.add(`${padding}${key}{}${end}`, right('empty JSON object'));
    return;
  }
  sections.add(`${padding}${key}${open}`, right(isArray ? 'json array' : 'json object'));
  for (const each of inner) addResult(sections, each, isArray ? 'array' : 'object', indent + 2);
  const goesOn = (result.type === 'array' || result.type === 'dictionary') && inner.at(-1)?.type !== 'elision';
  if (goesOn) sections.add(`${padding}  ...`);
  else sections.dropLastComma();
  sections.add(`${padding}${close}${end}`);
}

function examplesHelp({ name, examples }: RpcMethod): string {
  if (examples.length === 0) return '';
  const lines = examples.map(({ cli, json }) => cliExample(name, cli) + curlExample(name, json));
  return `\nExamples:\n${lines.join('')}`;
}

function cliExample(name: string, args: string): string {
  return `> bitcoin-cli ${name} ${args}\n`;
}

function curlExample(name: string, params: string): string {
  const request = `{"jsonrpc": "1.0", "id": "curltest", "method": "${name}", "params": [${params}]}`;
  const command = `> curl --user myusername --data-binary '${request}'`;
  return `${command} -H 'content-type: text/plain;' http://127.0.0.1:8332/\n`;
}
