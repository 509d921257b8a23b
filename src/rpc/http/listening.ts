/** What every HTTP listener of the node does alike: it takes an endpoint, and ends an answer. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { errorText, NodeError } from '#util';
import { type Endpoint, endpointText } from './hosts.ts';

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
