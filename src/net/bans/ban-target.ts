/** Who a ban is about: a peer id, or a part of the internet. Pure; the text of a target is its identity. */
import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import { peerIdFromString } from '@libp2p/peer-id';
import { expandIpv6, mappedIpv4 } from '../addresses.ts';
import type { PeerIdText } from '../port.ts';

export type Subnet = {
  readonly kind: 'subnet';
  readonly family: 'ipv4' | 'ipv6';
  /** The first address of it. */
  readonly network: string;
  readonly prefixBits: number;
  /** `network/prefixBits`, as Core lists bans: a single host ends with /32 or /128. */
  readonly text: string;
};

export type BanTarget = { readonly kind: 'peer'; readonly text: PeerIdText } | Subnet;

/** The longest text that is a subnet: an IPv6 address with an IPv4 tail, twice. */
const MAX_SUBNET_TEXT = 93;
const MAX_PEER_ID_TEXT = 80;

/** Undefined for what is no base58 text of a peer id. */
function parsePeerId(text: string): PeerIdText | undefined {
  if (text.length > MAX_PEER_ID_TEXT) return undefined;
  try {
    return peerIdFromString(text).toString();
  } catch {
    return undefined;
  }
}

/** A peer id, or what `parseSubnet` takes. */
export function parseBanTarget(text: string, toPeerId: typeof parsePeerId = parsePeerId): BanTarget | undefined {
  const id = toPeerId(text);
  return id === undefined ? parseSubnet(text) : { kind: 'peer', text: id };
}

/** Core's LookupSubNet: an ip, `ip/bits`, or `ip/netmask`. Undefined for all else, and for a zone (`fe80::1%eth0`). */
export function parseSubnet(text: string): Subnet | undefined {
  if (text.length > MAX_SUBNET_TEXT) return undefined;
  const [host = '', mask, ...rest] = text.split('/');
  if (rest.length > 0 || host.includes('%')) return undefined;
  // The system connects to the one for the other, so they are one here too.
  const mapped = mappedIpv4(host);
  if (mapped !== undefined) return mask === undefined ? subnetOf(mapped, 32) : undefined;
  const totalBits = isIPv4(host) ? 32 : isIPv6(host) ? 128 : undefined;
  if (totalBits === undefined) return undefined;
  const prefixBits = mask === undefined ? totalBits : prefixBitsOf(mask, totalBits);
  return prefixBits === undefined ? undefined : subnetOf(host, prefixBits);
}

function prefixBitsOf(mask: string, totalBits: number): number | undefined {
  if (/^\d{1,3}$/.test(mask)) return Number(mask) <= totalBits ? Number(mask) : undefined;
  const groups = groupsOf(mask);
  if (groups === undefined || groups.length * 16 !== totalBits) return undefined;
  const bits = groups.map((group) => group.toString(2).padStart(16, '0')).join('');
  return /^1*0*$/.test(bits) ? bits.lastIndexOf('1') + 1 : undefined;
}

function subnetOf(ip: string, prefixBits: number): Subnet | undefined {
  const groups = groupsOf(ip);
  if (groups === undefined) return undefined;
  const masked = groups.map((group, index) => {
    const kept = Math.min(16, Math.max(0, prefixBits - 16 * index));
    return group & (0xffff << (16 - kept)) & 0xffff;
  });
  const family = masked.length === 2 ? 'ipv4' : 'ipv6';
  const network = family === 'ipv4' ? dotted(masked) : compressed(masked);
  return { kind: 'subnet', family, network, prefixBits, text: `${network}/${prefixBits}` };
}

/** An address as numbers of 16 bits: two, or eight. */
function groupsOf(ip: string): number[] | undefined {
  if (!isIPv4(ip)) return expandIpv6(ip);
  const [a = 0, b = 0, c = 0, d = 0] = ip.split('.').map(Number);
  return [(a << 8) | b, (c << 8) | d];
}

function dotted(groups: readonly number[]): string {
  return groups.flatMap((group) => [group >> 8, group & 0xff]).join('.');
}

/** RFC 5952. */
function compressed(groups: readonly number[]): string {
  const address = groups.map((group) => group.toString(16)).join(':');
  return new SocketAddress({ address, family: 'ipv6' }).address;
}
