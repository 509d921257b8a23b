/**
 * JSON-RPC: from the body of a request to the body of the answer. 1.0 as Core speaks it (both `result` and `error`, HTTP
 * statuses for failures), and 2.0 by its letter where a request asks for it (Core 28).
 */
import { NodeError, nextTurn } from '#util';
import { RpcCode, RpcError } from './errors.ts';
import { isObject, type JsonInput, type JsonInputObject, type JsonObject, type JsonValue } from './json/value.ts';
import { writeJson } from './json/write.ts';

export type Request = {
  readonly method: string;
  readonly params: readonly JsonInput[] | JsonInputObject;
};

/** Runs one call. Throws RpcError for what the caller did wrong; anything else is a failure of ours. */
export type Execute = (request: Request) => Promise<JsonValue>;

export type Answer = { readonly status: number; readonly body: string };

type Version = '1.0' | '2.0';

type Parsed = {
  readonly version: Version;
  /** Undefined in a notification (2.0). */
  readonly id: JsonInput | undefined;
  readonly request: Request | RpcError;
};

/** Calls of a batch are answered in a row; after each so many others get a turn. */
const BATCH_SLICE = 50;

export async function answerBody(body: JsonInput | undefined, execute: Execute): Promise<Answer> {
  if (body === undefined) return failedAnswer(new RpcError(RpcCode.parseError, 'Parse error'));
  if (Array.isArray(body)) return answerBatch(body, execute);
  if (!isObject(body)) return failedAnswer(new RpcError(RpcCode.parseError, 'Top-level object parse error'));
  const parsed = parseRequest(body);
  const { version, id } = parsed;
  const outcome = await outcomeOf(parsed, execute);
  if (version === '2.0' && !(parsed.request instanceof RpcError)) {
    if (id === undefined) return { status: 204, body: '' };
    return { status: 200, body: text(replyTo(parsed, outcome)) };
  }
  return { status: outcome instanceof RpcError ? statusOf(outcome) : 200, body: text(replyTo(parsed, outcome)) };
}

async function answerBatch(batch: readonly JsonInput[], execute: Execute): Promise<Answer> {
  const replies: JsonValue[] = [];
  for (const [index, item] of batch.entries()) {
    const parsed = parseRequest(item);
    const outcome = await outcomeOf(parsed, execute);
    if (parsed.version === '1.0' || parsed.id !== undefined || parsed.request instanceof RpcError) {
      replies.push(replyTo(parsed, outcome));
    }
    if (index % BATCH_SLICE === BATCH_SLICE - 1) await nextTurn();
  }
  if (replies.length === 0 && batch.length > 0) return { status: 204, body: '' };
  return { status: 200, body: text(replies) };
}

/** The names of the methods that a body calls, for the check of what a user may call. */
export function calledMethods(body: JsonInput | undefined): readonly string[] {
  const items = Array.isArray(body) ? (body as readonly JsonInput[]) : [body ?? null];
  return items.flatMap((item) => {
    const method = isObject(item) ? item['method'] : undefined;
    return typeof method === 'string' ? [method] : [];
  });
}

/** Core's JSONRPCRequest::parse. */
function parseRequest(item: JsonInput): Parsed {
  if (!isObject(item)) return { version: '1.0', id: null, request: invalidRequest('Invalid Request object') };
  const { id, method = null, params = null, jsonrpc = null } = item;
  const version = jsonrpc === '2.0' ? '2.0' : '1.0';
  const parsed = (request: Parsed['request']): Parsed => ({
    version,
    id: version === '2.0' ? id : (id ?? null),
    request,
  });
  if (jsonrpc !== null && typeof jsonrpc !== 'string') return parsed(invalidRequest('jsonrpc field must be a string'));
  // 1.1 was never more than a draft; clients of old send it, and Core 27 took anything.
  if (jsonrpc !== null && !['1.0', '1.1', '2.0'].includes(jsonrpc)) {
    return parsed(invalidRequest('JSON-RPC version not supported'));
  }
  if (method === null) return parsed(invalidRequest('Missing method'));
  if (typeof method !== 'string') return parsed(invalidRequest('Method must be a string'));
  if (params === null) return parsed({ method, params: [] });
  if (!Array.isArray(params) && !isObject(params)) {
    return parsed(invalidRequest('Params must be an array or object'));
  }
  return parsed({ method, params: params as Request['params'] });
}

function invalidRequest(message: string): RpcError {
  return new RpcError(RpcCode.invalidRequest, message);
}

async function outcomeOf({ request }: Parsed, execute: Execute): Promise<JsonValue | RpcError> {
  if (request instanceof RpcError) return request;
  try {
    return await execute(request);
  } catch (error) {
    if (error instanceof RpcError) return error;
    // What a handler did not translate: the disk, the network. Core's catch-all has this code, too.
    if (error instanceof NodeError) return new RpcError(RpcCode.misc, error.message);
    throw error;
  }
}

function replyTo({ version, id }: Parsed, outcome: JsonValue | RpcError): JsonObject {
  const error = outcome instanceof RpcError ? { code: outcome.code, message: outcome.message } : null;
  const result = outcome instanceof RpcError ? null : outcome;
  const idValue = id as JsonValue | undefined;
  if (version === '1.0') return { result, error, id: idValue ?? null };
  return error === null ? { jsonrpc: '2.0', result, id: idValue } : { jsonrpc: '2.0', error, id: idValue ?? null };
}

function failedAnswer(error: RpcError): Answer {
  const reply = replyTo({ version: '1.0', id: null, request: error }, error);
  return { status: statusOf(error), body: text(reply) };
}

/** Core's JSONErrorReply. */
function statusOf({ code }: RpcError): number {
  if (code === RpcCode.invalidRequest) return 400;
  return code === RpcCode.methodNotFound ? 404 : 500;
}

function text(value: JsonValue): string {
  return `${writeJson(value)}\n`;
}
