/** A plain HTTP client for tests of the RPC server: full control of headers and body. */
import { type Agent, request } from 'node:http';

export type HttpAnswer = {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly bytes: Uint8Array;
  readonly text: string;
};

export type HttpRequest = {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  /** user:password */
  readonly login?: string;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
  /** Keeps connections; by default each request has its own. */
  readonly agent?: Agent;
};

export function httpRequest(address: string, options: HttpRequest): Promise<HttpAnswer> {
  const { method = 'POST', path = '/', headers = {}, login, body, signal, agent = false } = options;
  const [, host, port] = /^\[?(.+?)\]?:(\d+)$/.exec(address) ?? [];
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host,
        port,
        path,
        method,
        agent,
        headers: login === undefined ? headers : { authorization: basicAuth(login), ...headers },
        ...(signal && { signal }),
      },
      async (response) => {
        try {
          const chunks: Buffer[] = [];
          for await (const chunk of response) chunks.push(chunk as Buffer);
          const bytes = Buffer.concat(chunks);
          const text = bytes.toString('utf8');
          resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes, text });
        } catch (error) {
          reject(error);
        }
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

export function basicAuth(login: string): string {
  return `Basic ${Buffer.from(login).toString('base64')}`;
}
