/** Calls an RPC server over HTTP, and keeps the digits of what it answers. */
import { request } from 'node:http';
import { errorText, NodeError } from '#util';
import { readAddress } from '../http/address-file.ts';
import { cookiePath, readCookie } from '../http/cookie.ts';
import { type Endpoint, endpointText } from '../http/hosts.ts';
import { parseKeepingNumbers } from '../json/parse.ts';
import { JsonNumber, type JsonObject, type JsonValue } from '../json/value.ts';
import { writeJson } from '../json/write.ts';

export type RpcTarget = {
  readonly endpoint: Endpoint;
  /** user:password */
  readonly login: string;
  /** Of an answer; 0 for ever. */
  readonly timeoutMs: number;
  /** Gives up when it aborts. */
  readonly signal?: AbortSignal | undefined;
};

/** Where a node's own files lead, whatever is not given. Undefined: no node has its files there. */
export async function findLogin(cookieFile: string | undefined, directory: string): Promise<string | undefined> {
  return readCookie(cookieFile ?? cookiePath(directory));
}

export async function findEndpoint(directory: string): Promise<Endpoint | undefined> {
  const address = await readAddress(directory);
  const [, host, port] = /^\[?(.+?)\]?:(\d{1,5})$/.exec(address ?? '') ?? [];
  return host === undefined ? undefined : { host, port: Number(port) };
}

export type RpcReply =
  | { readonly kind: 'result'; readonly result: JsonValue }
  | { readonly kind: 'error'; readonly code: number; readonly message: string };

export type RpcParams = readonly JsonValue[] | JsonObject;

/** Throws NodeError: `NETWORK` where nobody answers, `BAD_CONFIG` where the login is refused, `TIMEOUT`. */
export async function callRpc(target: RpcTarget, method: string, params: RpcParams): Promise<RpcReply> {
  const where = endpointText(target.endpoint);
  const { status, text } = await post(target, writeJson({ method, params, id: 1 }));
  if (status === 401) throw new NodeError('BAD_CONFIG', `the node at ${where} refused the login`);
  if (status === 403) throw new NodeError('BAD_CONFIG', `the node at ${where} does not allow ${method} to this user`);
  const reply = parseReply(text);
  if (reply === undefined) {
    throw new NodeError(
      'NETWORK',
      `the server at ${where} gave no JSON-RPC answer: HTTP ${status} ${text.slice(0, 80)}`,
    );
  }
  return reply;
}

/** `login` is user:password. */
export function basicAuthorization(login: string): string {
  return `Basic ${Buffer.from(login).toString('base64')}`;
}

/** A larger answer than a node gives is somebody else's. */
const MAX_ANSWER_BYTES = 1 << 29;

function post(
  { endpoint, login, timeoutMs, signal }: RpcTarget,
  body: string,
): Promise<{ status: number; text: string }> {
  const { host, port } = endpoint;
  const where = endpointText(endpoint);
  const headers = {
    authorization: basicAuthorization(login),
    'content-type': 'application/json',
  };
  return new Promise((resolve, reject) => {
    const failed = (cause: unknown): void => {
      if (signal?.aborted === true) reject(new NodeError('ABORTED', `the call to ${where} was given up`, { cause }));
      else if (cause instanceof NodeError) reject(cause);
      else reject(new NodeError('NETWORK', `no answer from ${where}: ${errorText(cause)}`, { cause }));
    };
    const options = { host, port, path: '/', method: 'POST', agent: false, headers, ...(signal && { signal }) };
    const sent = request(options, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_ANSWER_BYTES) response.destroy(new NodeError('NETWORK', `${where} answers without end`));
        else chunks.push(chunk);
      });
      response.on('error', failed);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
    });
    if (timeoutMs > 0) {
      sent.setTimeout(timeoutMs, () => {
        sent.destroy(new NodeError('TIMEOUT', `no answer from ${where} in time; --rpc-client-timeout gives more`));
      });
    }
    sent.on('error', failed);
    sent.end(body);
  });
}

function parseReply(text: string): RpcReply | undefined {
  const reply = asObject(parseOrUndefined(text));
  if (reply === undefined) return undefined;
  const { result = null } = reply;
  const error = asObject(reply['error']);
  if (error === undefined) return { kind: 'result', result };
  const { code, message } = error;
  if (!(code instanceof JsonNumber) || typeof message !== 'string') return undefined;
  return { kind: 'error', code: Number(code.text), message };
}

function asObject(value: JsonValue | undefined): JsonObject | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof JsonNumber) {
    return undefined;
  }
  return value as JsonObject;
}

function parseOrUndefined(text: string): JsonValue | undefined {
  try {
    return parseKeepingNumbers(text);
  } catch {
    return undefined;
  }
}
