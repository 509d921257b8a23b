/** Sends calls to a server byte by byte as a given tool does, and reads the answer no better than the plainest of them. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import type { JsonValue } from '#rpc';
import type { Habits, ToolCall } from '../vectors/tool-calls/format.ts';

/** A number of an answer as it was written. */
export class WrittenNumber {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }
}

export type ToolAnswer = { readonly status: string; readonly reply: Readonly<Record<string, unknown>> };

export class ToolConnection implements Disposable {
  readonly #address: string;
  readonly #login: string;
  readonly #habits: Habits;
  #socket: Socket | undefined;
  #id = 0;

  constructor(address: string, login: string, habits: Habits) {
    this.#address = address;
    this.#login = login;
    this.#habits = habits;
  }

  async call(method: string, params: ToolCall['params']): Promise<ToolAnswer> {
    const { jsonrpc, ids, batches } = this.#habits;
    const number = ++this.#id;
    const id = ids === 'numbers' ? number : `${number}-call`;
    const request = { ...(jsonrpc && { jsonrpc }), id, method, ...(params !== undefined && { params }) };
    const { status, body } = await this.#exchange(JSON.stringify(batches ? [request] : request));
    const read = readJson(body);
    const reply = batches ? (read as readonly unknown[])[0] : read;
    assert.ok(isRecord(reply), `${method} is answered by an object`);
    const echoed = reply['id'] instanceof WrittenNumber ? Number(reply['id'].source) : reply['id'];
    assert.equal(echoed, id, `${method} is answered under its id`);
    return { status, reply };
  }

  [Symbol.dispose](): void {
    this.#socket?.destroy();
  }

  async #exchange(body: string): Promise<{ readonly status: string; readonly body: string }> {
    const { lineEnd, headers, keepsConnection } = this.#habits;
    const head = [
      'POST / HTTP/1.1',
      ...headers,
      `Authorization: Basic ${Buffer.from(this.#login).toString('base64')}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
    ];
    const [host = '', port] = this.#address.split(':');
    this.#socket ??= connect(Number(port), host);
    const socket = this.#socket;
    socket.write([...head, '', body].join(lineEnd));
    const answer = await readAnswer(socket);
    if (!keepsConnection) {
      socket.destroy();
      this.#socket = undefined;
    }
    return answer;
  }
}

/** A status line, headers with a length among them, so many bytes. What asks for more understanding fails. */
async function readAnswer(socket: Socket): Promise<{ readonly status: string; readonly body: string }> {
  let received = Buffer.alloc(0);
  for (;;) {
    const end = received.indexOf('\r\n\r\n');
    const [status = '', ...lines] = received.subarray(0, Math.max(end, 0)).toString('latin1').split('\r\n');
    const headers = new Map(lines.map((line) => [line.slice(0, line.indexOf(': ')).toLowerCase(), line]));
    const length = Number(headers.get('content-length')?.slice('content-length: '.length));
    if (end !== -1) {
      assert.ok(Number.isSafeInteger(length), `the length is told: ${status}`);
      assert.equal(headers.get('content-type'), 'Content-Type: application/json', status);
      const body = received.subarray(end + 4);
      if (body.length >= length) {
        assert.equal(body.length, length, 'nothing follows');
        return { status, body: body.toString('utf8') };
      }
    }
    received = Buffer.concat([received, await nextPiece(socket)]);
  }
}

function nextPiece(socket: Socket): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const closed = (): void => reject(new Error('the connection was closed before the answer was whole'));
  socket.once('data', resolve);
  socket.once('close', closed);
  socket.once('error', reject);
  return promise.finally(() => {
    socket.off('data', resolve);
    socket.off('close', closed);
    socket.off('error', reject);
  });
}

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

function readJson(text: string): unknown {
  const revive: Reviver = (_key, value, { source = '' }) =>
    typeof value === 'number' ? new WrittenNumber(source) : value;
  return JSON.parse(text, revive as (key: string, value: JsonValue) => unknown);
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof WrittenNumber);
}
