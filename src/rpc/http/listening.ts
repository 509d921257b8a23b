/** What the HTTP listeners of the node do alike: they bound what comes, take an endpoint, end an answer, and close. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { errorText, NodeError } from '#util';
import { type Endpoint, endpointText } from './hosts.ts';

const MAX_HEADERS_BYTES = 8_192;
const REQUEST_TIMEOUT_MS = 10_000;

type OpenBounds = { readonly maxConnections: number; readonly keepAliveMs: number };

/** For whoever reaches it, without login; not listening yet. `answer` reads no body, and checks the host. */
export function openServer(
  { maxConnections, keepAliveMs }: OpenBounds,
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Server {
  const server = createServer(
    {
      headersTimeout: REQUEST_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: keepAliveMs,
      maxHeaderSize: MAX_HEADERS_BYTES,
      // Checked there, for an answer of our own.
      requireHostHeader: false,
    },
    (request, response) => void answer(request, response),
  );
  server.maxConnections = maxConnections;
  // Of one that sends no request: what the client did wrong is its own affair.
  server.on('clientError', (_error, socket) => socket.destroy());
  return server;
}

/** Whoever is connected is cut off. */
export function closeNow(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  return closed;
}

/** Gives where it listens: port 0 takes a free one. Throws NodeError `NETWORK`; its cause has the system's code. */
export async function listenOn(server: Server, endpoint: Endpoint, what: string): Promise<Endpoint> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const where = endpointText(endpoint);
      reject(new NodeError('NETWORK', `${what} cannot listen on ${where}: ${errorText(cause)}`, { cause }));
    });
    server.listen(endpoint.port, endpoint.host, resolve);
  });
  const { address, port } = server.address() as AddressInfo;
  return { host: address, port };
}

/** Does nothing where the client went away, or was answered. */
export function endAnswer(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  body: string | Uint8Array,
): void {
  if (response.headersSent || response.destroyed) return;
  response.statusCode = status;
  // What was not read would be taken for the next request.
  if (!request.complete) response.setHeader('Connection', 'close');
  if (status !== 204) response.setHeader('Content-Length', Buffer.byteLength(body));
  response.end(body);
}
