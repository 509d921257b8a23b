/** The OpenRPC document says nothing that OpenRPC 1.3.2 and JSON Schema (draft 7) do not know; examples fit what they explain. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type JsonValue, RPC_METHODS, writeJson } from '#rpc';
import { bindParams } from '../../../src/rpc/table/bind-params.ts';
import { methodsManual } from '../../../src/rpc/table/methods-manual.ts';
import { openRpcDocument } from '../../../src/rpc/table/open-rpc.ts';
import { isOptional } from '../../../src/rpc/table/param.ts';

type Json = Readonly<Record<string, unknown>>;

/** Of each object of the specification: its fields, and those that must be there. */
const FIELDS = {
  document: {
    known: ['openrpc', 'info', 'servers', 'methods', 'components', 'externalDocs'],
    needed: ['openrpc', 'info', 'methods'],
  },
  info: {
    known: ['title', 'description', 'termsOfService', 'contact', 'license', 'version'],
    needed: ['title', 'version'],
  },
  method: {
    known: [
      ...[
        'name',
        'tags',
        'summary',
        'description',
        'externalDocs',
        'params',
        'result',
        'deprecated',
        'servers',
        'errors',
      ],
      ...['links', 'paramStructure', 'examples'],
    ],
    needed: ['name', 'params', 'result'],
  },
  tag: { known: ['name', 'summary', 'description', 'externalDocs'], needed: ['name'] },
  descriptor: {
    known: ['name', 'summary', 'description', 'required', 'schema', 'deprecated'],
    needed: ['name', 'schema'],
  },
} as const;

const SCHEMA_TYPES = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null'];

function checkFields(kind: keyof typeof FIELDS, value: unknown, where: string): Json {
  assert.ok(typeof value === 'object' && value !== null && !Array.isArray(value), `${where} is an object`);
  const keys = Object.keys(value);
  const { known, needed } = FIELDS[kind];
  assert.deepEqual(
    keys.filter((key) => !(known as readonly string[]).includes(key)),
    [],
    `${where}: fields unknown`,
  );
  assert.deepEqual(
    needed.filter((key) => !keys.includes(key)),
    [],
    `${where}: fields missing`,
  );
  return value as Json;
}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';

/** What each keyword may hold; a schema with any other is refused. */
const KEYWORDS: Readonly<Record<string, (value: unknown, where: string) => void>> = {
  type: (value, where) => {
    const types = Array.isArray(value) ? value : [value];
    assert.ok(types.length > 0 && types.every((type) => SCHEMA_TYPES.includes(type)), `${where}: type`);
  },
  description: (value, where) => assert.ok(isText(value), `${where}: description`),
  pattern: (value, where) => assert.ok(typeof value === 'string' && new RegExp(value, 'u'), `${where}: pattern`),
  default: () => {},
  items: checkSchema,
  additionalProperties: checkSchema,
  minItems: (value, where) => assert.ok(Number.isInteger(value), `${where}: minItems`),
  maxItems: (value, where) => assert.ok(Number.isInteger(value), `${where}: maxItems`),
  anyOf: (value, where) => {
    assert.ok(Array.isArray(value) && value.length > 0, `${where}: anyOf`);
    for (const [at, each] of value.entries()) checkSchema(each, `${where}.anyOf[${at}]`);
  },
  properties: (value, where) => {
    for (const [key, each] of Object.entries(value as Json)) checkSchema(each, `${where}.${key}`);
  },
  required: (value, where) => {
    assert.ok(
      Array.isArray(value) && value.every(isText) && new Set(value).size === value.length,
      `${where}: required`,
    );
  },
};

function checkSchema(value: unknown, where: string): void {
  assert.ok(typeof value === 'object' && value !== null && !Array.isArray(value), `${where} is a schema`);
  const schema = value as Json;
  for (const [keyword, each] of Object.entries(schema)) {
    const check = KEYWORDS[keyword];
    assert.ok(check, `${where}: ${keyword} is no keyword that we use`);
    check(each, where);
  }
  const { required = [], properties = {} } = schema as { required?: readonly string[]; properties?: Json };
  assert.deepEqual(
    required.filter((key) => !(key in properties)),
    [],
    `${where}: required, and not described`,
  );
}

test('the document is what the specification describes', () => {
  const document = checkFields('document', JSON.parse(writeJson(openRpcDocument(RPC_METHODS))), 'document');
  assert.equal(document['openrpc'], '1.3.2');
  checkFields('info', document['info'], 'info');
  const methods = document['methods'] as readonly Json[];
  assert.equal(new Set(methods.map(({ name }) => name)).size, methods.length);
  for (const value of methods) {
    const method = checkFields('method', value, String(value['name']));
    const name = String(method['name']);
    for (const key of ['name', 'summary', 'description']) assert.ok(isText(method[key]), `${name}.${key}`);
    assert.ok(['by-name', 'by-position', 'either'].includes(String(method['paramStructure'])), name);
    for (const tag of method['tags'] as readonly unknown[])
      assert.ok(isText(checkFields('tag', tag, name)['name']), name);
    const params = (method['params'] as readonly unknown[]).map((param) => checkFields('descriptor', param, name));
    assert.equal(new Set(params.map((param) => param['name'])).size, params.length, `${name}: names of parameters`);
    const result = checkFields('descriptor', method['result'], `${name} result`);
    for (const descriptor of [...params, result]) {
      assert.ok(isText(descriptor['name']), name);
      checkSchema(descriptor['schema'], `${name}(${descriptor['name']})`);
    }
  }
});

/** As the command line does: what is no text may be given as the text of its JSON. */
function unwrapped(value: JsonValue, type: string | undefined): JsonValue {
  const isWrapped = typeof value === 'string' && !['string', 'hex', 'amount'].includes(type ?? '');
  return isWrapped ? JSON.parse(value) : value;
}

test('examples are calls that the table takes', () => {
  for (const method of RPC_METHODS) {
    for (const { json } of method.examples) {
      const params = (JSON.parse(`[${json}]`) as readonly JsonValue[]).map((value, at) =>
        unwrapped(value, method.params[at]?.type),
      );
      assert.doesNotThrow(() => bindParams(method, params as never), `${method.name} ${json}`);
    }
  }
});

test('parameters that may be left out have what is taken instead, of their own type', () => {
  for (const method of RPC_METHODS) {
    const defaults = method.params.map((param) => (isOptional(param) ? (param.default ?? null) : undefined));
    const from = defaults.findIndex((value) => value !== undefined);
    if (from !== 0) continue;
    assert.doesNotThrow(() => bindParams(method, defaults.map((value) => value ?? null) as never), method.name);
  }
});

test('the page of methods has each that is listed, with its help', () => {
  const page = methodsManual(RPC_METHODS);
  const listed = RPC_METHODS.filter(({ category }) => category !== 'hidden').map(({ name }) => name);
  const titles = [...page.matchAll(/^### (\S+)$/gm)].map(([, name]) => name);
  assert.deepEqual(titles.toSorted(), listed.toSorted());
  assert.equal(page.match(/^```/gm)?.length, 2 * listed.length);
});
