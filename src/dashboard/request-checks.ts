/**
 * Who may not ask. There is no login, so what stands between the figures and a web page in the same browser is this: the name
 * under which it asks, where it comes from, and headers that let a page do nothing but what ours does.
 */
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { isAllowedHost } from '#rpc';

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

export function setSecurityHeaders(response: ServerResponse): void {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
}

/** Why the request is refused; undefined if it is not. */
export function whyForbidden(headers: IncomingHttpHeaders, allowHosts: readonly string[]): string | undefined {
  if (!isAllowedHost(headers.host, allowHosts)) {
    return 'Host not allowed: use an IP address or localhost, or name it in --dashboard-allow-host';
  }
  // Browsers say it of every request, and no page can change it (https://www.w3.org/TR/fetch-metadata).
  const site = headers['sec-fetch-site'];
  if (site === undefined || site === 'same-origin' || site === 'none') return undefined;
  // Following a link shows the page to the person, and nothing of it to where the link stands.
  if (headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document') return undefined;
  return 'Requests of other sites are not answered';
}
