/**
 * How requests are cut out of a connection. Core's server (libevent) takes lines that end in LF alone, and tools send such;
 * Node.js does so only with its lenient parser, which also takes requests of two lengths. Those are refused here: a proxy
 * in between might see other requests than we do (RFC 9112 6.3).
 */
import type { IncomingMessage, ServerOptions } from 'node:http';

export const LENIENT_PARSER: ServerOptions = { insecureHTTPParser: true };

/** Whether its end is where everybody would see it. */
export function isFramedClearly({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  const coding = headers['transfer-encoding'];
  return coding === undefined || (coding.toLowerCase() === 'chunked' && headers['content-length'] === undefined);
}
