/**
 * From where the server may be reached, and under which names. The Host header is checked so that no web page can have a
 * browser call it under a name of its own that it lets point to this machine (DNS rebinding).
 */
import { BlockList, isIP } from 'node:net';
import { NodeError } from '#util';

export type Endpoint = { readonly host: string; readonly port: number };

const LOOPBACK: readonly string[] = ['127.0.0.0/8', '::1/128'];

/** Loopback, and the IPs and subnets given. Throws NodeError `BAD_CONFIG`. */
export function allowedSources(allowIps: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const text of [...LOOPBACK, ...allowIps]) addSubnet(list, text);
  return (address) => {
    if (address === '127.0.0.1') return true;
    const plain = address.replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*$/, '');
    const version = isIP(plain);
    return version !== 0 && list.check(plain, version === 4 ? 'ipv4' : 'ipv6');
  };
}

function addSubnet(list: BlockList, text: string): void {
  const [address = '', mask, ...more] = text.split('/');
  const version = isIP(address);
  const bits = mask === undefined ? (version === 4 ? 32 : 128) : maskBits(mask);
  if (version === 0 || more.length > 0 || bits === undefined || bits > (version === 4 ? 32 : 128)) {
    throw new NodeError(
      'BAD_CONFIG',
      `Invalid -rpcallowip subnet specification: ${text.slice(0, 80)}. Valid values are a single IP (e.g. 1.2.3.4), a network/netmask (e.g. 1.2.3.4/255.255.255.0) or a network/CIDR (e.g. 1.2.3.4/24).`,
    );
  }
  list.addSubnet(address, bits, version === 4 ? 'ipv4' : 'ipv6');
}

/** 24, or 255.255.255.0. */
function maskBits(mask: string): number | undefined {
  if (/^\d{1,3}$/.test(mask)) return Number(mask);
  if (isIP(mask) !== 4) return undefined;
  const bits = mask.split('.').map((part) => Number(part).toString(2).padStart(8, '0'));
  const [, ones] = /^(1*)0*$/.exec(bits.join('')) ?? [];
  return ones?.length;
}

/** Whether a Host header names an IP address, localhost, or one of the names given. */
export function isAllowedHost(header: string | undefined, names: readonly string[]): boolean {
  // HTTP/1.0 has none, and plain tools send none; every browser does.
  if (header === undefined || header === '') return true;
  const host = /^(\[[^\]]*\]|[^:]*)(?::\d{1,5})?$/.exec(header)?.[1]?.toLowerCase();
  if (host === undefined) return false;
  if (isIP(host.replace(/^\[|\]$/g, '')) !== 0 || host === 'localhost') return true;
  return names.some((name) => name.toLowerCase() === host);
}

/** `127.0.0.1`, `127.0.0.1:8332`, `::1`, `[::1]:8332`, `localhost`. Throws NodeError `BAD_CONFIG`, which names the option. */
export function parseEndpoint(text: string, defaultPort: number, option = '-rpcbind'): Endpoint {
  if (isIP(text) !== 0) return { host: text, port: defaultPort };
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain ?? '';
  const number = port === undefined ? defaultPort : Number(port);
  if ((isIP(host) === 0 && host !== 'localhost') || number > 65_535) {
    throw new NodeError(
      'BAD_CONFIG',
      `Invalid ${option} address ${text.slice(0, 80)}: an IP address, with or without a port, is expected`,
    );
  }
  return { host, port: number };
}

export function endpointText({ host, port }: Endpoint): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}
