/** Multiaddrs in the words of Core: host:port, and the network that it belongs to. */
import { isIPv4 } from 'node:net';
import { type Endpoint, endpointText } from '../http/hosts.ts';

const ENDPOINT = /^\/(?:ip4|ip6|dns4?|dns6|dnsaddr)\/([^/]+)\/(?:tcp|udp)\/(\d{1,5})(?:\/|$)/;
/** What others cannot reach (CNetAddr::IsRoutable), by the first digits: loopback, private, link-local, unique local. */
const NOT_ROUTABLE =
  /^(?:127\.|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|169\.254\.|0\.|::1$|::$|f[cd][0-9a-f]{2}:|fe[89ab][0-9a-f]:)/i;

/** Undefined for one that names no host and port, as over a relay. */
export function endpointOf(multiaddr: string): Endpoint | undefined {
  const [, host, port] = ENDPOINT.exec(multiaddr) ?? [];
  return host === undefined ? undefined : { host, port: Number(port) };
}

/** As Core writes an address; the multiaddr itself where it has no such form. */
export function hostAndPort(multiaddr: string): string {
  const endpoint = endpointOf(multiaddr);
  return endpoint === undefined ? multiaddr : endpointText(endpoint);
}

/** Core's GetNetworkName of a connection's network. */
export function networkName(multiaddr: string): 'ipv4' | 'ipv6' | 'not_publicly_routable' {
  const host = endpointOf(multiaddr)?.host;
  if (host === undefined || NOT_ROUTABLE.test(host)) return 'not_publicly_routable';
  return isIPv4(host) ? 'ipv4' : host.includes(':') ? 'ipv6' : 'not_publicly_routable';
}
