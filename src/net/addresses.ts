/** What we need to know about multiaddrs: who, where, whether public, and which part of the internet. Pure. */
import { isIPv4, isIPv6 } from 'node:net';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import type { PeerIdText } from './port.ts';

/** Text longer than this is no address that we would dial. */
const MAX_ADDRESS_TEXT = 300;

export function peerIdOf(address: Multiaddr): PeerIdText | undefined {
  return address.getComponents().findLast((part) => part.name === 'p2p')?.value;
}

/** As the addresses of the address manager are written. */
export function withoutPeerId(address: Multiaddr): string {
  return address.toString().replace(/\/p2p\/[^/]+$/, '');
}

/** What comes after the port, by how the bytes travel over the TCP connection. */
const CARRIERS: Readonly<Record<string, Carrier>> = {
  '': 'tcp',
  '/ws': 'ws',
  '/wss': 'wss',
  '/tls/ws': 'wss',
  '/tls/sni/ws': 'wss',
};

/** Plain, or in a WebSocket, without or in TLS. */
export type Carrier = 'tcp' | 'ws' | 'wss';

/** How an address is reached by a TCP connection of our own; undefined for all others, relayed ones among them. */
export function carrierOf(address: Multiaddr): Carrier | undefined {
  const [host = '', tcp, ...rest] = address.getComponents().map((part) => part.name);
  if (!['ip4', 'ip6', 'dns', 'dns4', 'dns6'].includes(host) || tcp !== 'tcp') return undefined;
  if (rest.at(-1) === 'p2p') rest.pop();
  return CARRIERS[rest.map((name) => `/${name}`).join('')];
}

/** Ip or dns name, tcp port, perhaps a WebSocket, at most a peer id after it. No relays. */
export function isTcpAddress(address: Multiaddr): boolean {
  return carrierOf(address) !== undefined;
}

/** A TCP address of a relay, /p2p-circuit, at most the id of a peer that it leads to. */
export function isRelayedAddress(address: Multiaddr): boolean {
  const names = address.getComponents().map((part) => part.name);
  const at = names.indexOf('p2p-circuit');
  const isEnd = at === names.length - 1 || (at === names.length - 2 && names.at(-1) === 'p2p');
  if (at < 0 || names[at - 1] !== 'p2p' || !isEnd) return false;
  return isTcpAddress(multiaddr(address.toString().split('/p2p-circuit')[0] ?? ''));
}

/** The ip of an address; undefined for names. */
export function ipOf(address: Multiaddr): string | undefined {
  const host = address.getComponents()[0];
  return host?.name === 'ip4' || host?.name === 'ip6' ? host.value : undefined;
}

/** Parses text from a peer or a file; undefined if it is no TCP address. */
export function parseTcpAddress(text: string): Multiaddr | undefined {
  if (text.length > MAX_ADDRESS_TEXT) return undefined;
  try {
    const address = multiaddr(text);
    return isTcpAddress(address) ? address : undefined;
  } catch {
    return undefined;
  }
}

/** A name, or an ip that is neither loopback nor private nor unspecified nor link-local. */
export function hasPublicAddress(address: Multiaddr): boolean {
  const ip = ipOf(address);
  if (ip === undefined) return true;
  return !isLocalIp(ip);
}

const SUFFIXES: Readonly<Record<Carrier, string>> = { tcp: '', ws: '/ws', wss: '/tls/ws' };

/** The text that we keep of an address, without its peer id; undefined if we would never dial it. */
export function dialableText(
  address: Multiaddr,
  { allowPrivate, names }: { readonly allowPrivate: boolean; readonly names: 'allowed' | 'refused' },
): string | undefined {
  const [host, port] = address.getComponents();
  const carrier = carrierOf(address);
  if (carrier === undefined || port?.value === '0') return undefined;
  const ip = ipOf(address);
  if (ip === undefined ? names === 'refused' : !allowPrivate && !isRoutableIp(ip)) return undefined;
  const text = `/${host?.name}/${host?.value}/tcp/${port?.value}${SUFFIXES[carrier]}`;
  return text.length > MAX_ADDRESS_TEXT ? undefined : text;
}

/** 0.0.0.0 or ::, every interface of the machine. */
export function isUnspecified(address: Multiaddr): boolean {
  const ip = ipOf(address);
  return ip !== undefined && /^[0:.]+$/.test(ip);
}

/** Of benchmarks (RFC 2544) and of examples (RFC 5737). */
const RESERVED_IPV4 = ['198.18.', '198.19.', '192.0.2.', '198.51.100.', '203.0.113.', '255.255.255.255'];

/** Core's IsRoutable: neither local nor reserved for what is nowhere. */
export function isRoutableIp(ip: string): boolean {
  if (isLocalIp(ip)) return false;
  const v4 = isIPv4(ip) ? ip : mappedIpv4(ip);
  if (v4 !== undefined) return !RESERVED_IPV4.some((prefix) => v4.startsWith(prefix));
  const [first = 0, second = 0] = expandIpv6(ip) ?? [];
  // Examples (RFC 3849), hashes (RFC 4843, RFC 7343).
  return first !== 0x2001 || (second !== 0xdb8 && (second & 0xfff0) !== 0x10 && (second & 0xfff0) !== 0x20);
}

/** Loopback, private, link-local, shared (100.64/10), unspecified: addresses that mean another host elsewhere. */
export function isLocalIp(ip: string): boolean {
  if (isIPv4(ip)) return isLocalIpv4(ip);
  const mapped = mappedIpv4(ip);
  if (mapped !== undefined) return isLocalIpv4(mapped);
  const groups = expandIpv6(ip);
  if (groups === undefined) return true;
  const first = groups[0] ?? 0;
  const isLoopbackOrUnspecified = groups.slice(0, 7).every((group) => group === 0) && (groups[7] ?? 0) <= 1;
  return isLoopbackOrUnspecified || (first & 0xfe00) === 0xfc00 || (first & 0xffc0) === 0xfe80;
}

function isLocalIpv4(ip: string): boolean {
  const [a = 0, b = 0] = ip.split('.').map(Number);
  if (a === 0 || a === 10 || a === 127) return true;
  if (a === 169) return b === 254;
  if (a === 172) return b >= 16 && b < 32;
  if (a === 192) return b === 168;
  return a === 100 && b >= 64 && b < 128;
}

/**
 * What counts as one host when we limit or ban: the IPv4 address, or the IPv6 /64, since whoever has one address
 * of a /64 has them all. Undefined for text that is no ip.
 */
export function hostKey(ip: string): string | undefined {
  if (isIPv4(ip)) return ip;
  const mapped = mappedIpv4(ip);
  if (mapped !== undefined) return mapped;
  const groups = expandIpv6(ip);
  return groups && `${groups.slice(0, 4).map(toGroupText).join(':')}::/64`;
}

function toGroupText(group: number): string {
  return group.toString(16);
}

/** The IPv4 address in ::ffff:a.b.c.d, however that is written: the system connects to the one for the other. */
export function mappedIpv4(ip: string): string | undefined {
  const groups = expandIpv6(ip);
  if (groups === undefined || groups[5] !== 0xffff || groups.slice(0, 5).some((group) => group !== 0)) return undefined;
  const [high = 0, low = 0] = groups.slice(6);
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}

/** The eight 16-bit numbers of an IPv6 address; undefined for text that is none. */
export function expandIpv6(ip: string): number[] | undefined {
  const bare = ip.split('%')[0] ?? '';
  if (!isIPv6(bare)) return undefined;
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(bare);
  const text = dotted
    ? `${dotted[1]}${((Number(dotted[2]) << 8) | Number(dotted[3])).toString(16)}:${((Number(dotted[4]) << 8) | Number(dotted[5])).toString(16)}`
    : bare;
  const [head = '', tail] = text.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...Array<string>(zeros).fill('0'), ...right].map((group) => Number.parseInt(group, 16));
}
