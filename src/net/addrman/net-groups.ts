/**
 * Which part of the internet an address belongs to: whoever has one address of a group has many. Core's
 * NetGroupManager: IPv4 /16, IPv6 /32 (/36 for he.net, who give a /48 to anybody), the IPv4 address inside of a
 * tunnel's; or the number of the autonomous system where the operator gave a map. Pure.
 */
import { isIPv4 } from 'node:net';
import type { Multiaddr } from '@multiformats/multiaddr';
import { expandIpv6, ipOf, isLocalIp, mappedIpv4 } from '../addresses.ts';
import type { Asmap } from './asmap.ts';

export type NetGroups = {
  /** Never empty. Local addresses are all of LOCAL_GROUP, names of their zone's. */
  readonly of: (address: Multiaddr) => string;
};

export const LOCAL_GROUP = 'local';

export function createNetGroups(asmap?: Asmap): NetGroups {
  return {
    of: (address) => {
      const ip = ipOf(address);
      if (ip === undefined) return zoneGroup(address.getComponents()[0]?.value ?? '');
      if (isLocalIp(ip)) return LOCAL_GROUP;
      const v4 = isIPv4(ip) ? ip : linkedIpv4(ip);
      const asn = asmap?.asnOf(v4 === undefined ? ipv6Bytes(ip) : ipv4MappedBytes(v4)) ?? 0;
      if (asn !== 0) return `as${asn}`;
      return v4 === undefined ? ipv6Group(ip) : v4.split('.').slice(0, 2).join('.');
    },
  };
}

/** The owner of a zone makes as many names as he likes: they count as one, by the last two labels. */
function zoneGroup(name: string): string {
  return `name:${name.toLowerCase().split('.').filter(Boolean).slice(-2).join('.')}`;
}

function ipv6Group(ip: string): string {
  const [first = 0, second = 0, third = 0] = expandIpv6(ip) ?? [];
  const text = `${first.toString(16)}:${second.toString(16)}`;
  const isHurricane = first === 0x2001 && second === 0x0470;
  return isHurricane ? `${text}:${(third >> 12).toString(16)}` : text;
}

/** Core's GetLinkedIPv4: the IPv4 address that an IPv6 one stands for, by whose owner it is reached. */
function linkedIpv4(ip: string): string | undefined {
  const mapped = mappedIpv4(ip);
  if (mapped !== undefined) return mapped;
  const words = expandIpv6(ip);
  if (words === undefined) return undefined;
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = words;
  const isTranslated = a === 0 && b === 0 && c === 0 && d === 0 && e === 0xffff && f === 0; // RFC 6145
  const isNat64 = a === 0x64 && b === 0xff9b && c === 0 && d === 0 && e === 0 && f === 0; // RFC 6052
  if (isTranslated || isNat64) return dotted(g, h);
  if (a === 0x2002) return dotted(b, c); // 6to4, RFC 3964
  if (a === 0x2001 && b === 0) return dotted(g ^ 0xffff, h ^ 0xffff); // Teredo, RFC 4380
  return undefined;
}

function dotted(high: number, low: number): string {
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}

function ipv6Bytes(ip: string): Uint8Array {
  const words = expandIpv6(ip) ?? [];
  return Uint8Array.from(words.flatMap((word) => [word >> 8, word & 0xff]));
}

/** ::ffff:a.b.c.d, as which an asmap looks up IPv4. */
function ipv4MappedBytes(ip: string): Uint8Array {
  return Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...ip.split('.').map(Number));
}
