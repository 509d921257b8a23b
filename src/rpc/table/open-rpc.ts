/** The OpenRPC document of `rpc.discover`: the method table as JSON Schema. */
import { VERSION } from '#util';
import type { JsonObject, JsonValue } from '../json/value.ts';
import { usageLine } from './help-text.ts';
import type { RpcMethod } from './method.ts';
import { firstName, isOptional, type Param, type ParamType } from './param.ts';
import type { Result, ResultType } from './result.ts';

export function openRpcDocument(methods: readonly RpcMethod[]): JsonObject {
  return {
    openrpc: '1.3.2',
    info: {
      title: 'Starling JSON-RPC',
      description: 'The JSON-RPC of Bitcoin Core 27, with what libp2p adds.',
      version: VERSION,
    },
    methods: methods.filter(({ category }) => category !== 'hidden').map(methodDocument),
  };
}

function methodDocument(method: RpcMethod): JsonObject {
  const [head = '', ...rest] = method.about.trim().split('\n');
  return {
    name: method.name,
    summary: head,
    description: [usageLine(method), '', head, ...rest].join('\n'),
    tags: [{ name: method.category }],
    paramStructure: 'either',
    params: method.params.map((param) => ({
      name: firstName(param),
      description: param.about === '' ? undefined : param.about,
      required: !isOptional(param),
      schema: paramSchema(param),
    })),
    result: { name: 'result', schema: oneOf(method.results.map(resultSchema)) },
  };
}

/** One schema of several. What describes nothing takes everything. */
function oneOf(schemas: readonly JsonObject[]): JsonObject {
  const [only = {}] = schemas;
  return schemas.length > 1 ? { anyOf: schemas } : only;
}

const PARAM_SCHEMAS: Readonly<Record<ParamType, JsonObject>> = {
  string: { type: 'string' },
  hex: { type: 'string', pattern: '^([0-9a-fA-F]{2})*$' },
  number: { type: 'number' },
  amount: { type: ['number', 'string'] },
  range: { anyOf: [{ type: 'integer' }, { type: 'array', items: { type: 'integer' }, minItems: 2, maxItems: 2 }] },
  boolean: { type: 'boolean' },
  object: { type: 'object' },
  named: { type: 'object' },
  dictionary: { type: 'object' },
  array: { type: 'array' },
};

function paramSchema(param: Param): JsonObject {
  const inner = param.inner ?? [];
  const base: JsonObject = param.anyType === true ? {} : PARAM_SCHEMAS[param.type];
  const defaultValue: JsonValue | undefined = param.default;
  if (param.type === 'array') return { ...base, items: oneOf(inner.map(paramSchema)), default: defaultValue };
  if (param.type === 'object' || param.type === 'named') {
    const required = inner.filter((each) => !isOptional(each)).map(firstName);
    return {
      ...base,
      properties: Object.fromEntries(inner.map((each) => [firstName(each), paramSchema(each)])),
      required: required.length > 0 && param.type === 'object' ? required : undefined,
    };
  }
  return { ...base, default: defaultValue };
}

const RESULT_SCHEMAS: Readonly<Record<ResultType, JsonObject>> = {
  string: { type: 'string' },
  hex: { type: 'string', pattern: '^([0-9a-f]{2})*$' },
  number: { type: 'number' },
  amount: { type: 'number' },
  time: { type: 'integer' },
  boolean: { type: 'boolean' },
  none: { type: 'null' },
  array: { type: 'array' },
  fixed: { type: 'array' },
  object: { type: 'object' },
  dictionary: { type: 'object' },
  elision: {},
  any: {},
};

function resultSchema(result: Result): JsonObject {
  const described = (result.inner ?? []).filter(({ type }) => type !== 'elision');
  const description = result.about === '' ? undefined : result.about;
  const base: JsonObject = { ...RESULT_SCHEMAS[result.type], description };
  switch (result.type) {
    case 'array':
    case 'fixed':
      return { ...base, items: oneOf(described.map(resultSchema)) };
    case 'object':
      return {
        ...base,
        properties: Object.fromEntries(described.map((each) => [each.key, resultSchema(each)])),
        required: described.filter(({ optional }) => optional !== true).map(({ key }) => key),
      };
    case 'dictionary':
      return { ...base, additionalProperties: oneOf(described.map(resultSchema)) };
    default:
      return base;
  }
}
