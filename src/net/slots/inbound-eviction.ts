/**
 * Which inbound peer goes when a new one wants its place: Core's SelectNodeToEvict (node/eviction.cpp). Peers are kept
 * for what an attacker cannot have all at once: netgroup, latency, transactions, blocks, age. Of the rest the youngest of
 * the largest netgroup goes. Undefined if all are kept: then the new one is refused. Pure.
 */
import type { PeerIdText } from '../port.ts';

export type EvictionCandidate = {
  readonly id: PeerIdText;
  /** Netgroup; local addresses count as one. */
  readonly group: string;
  /** The group under a secret key: nobody outside can tell which groups sort last. */
  readonly keyedGroup: string;
  readonly connectedMs: number;
  /** Infinity if it was never measured. */
  readonly minPingMs: number;
  readonly lastBlockMs: number;
  readonly lastTxMs: number;
  readonly relaysTransactions: boolean;
  /** A way of connecting that would always lose by latency: Core's onion, I2P and local peers. */
  readonly disadvantage: 'local' | 'relayed' | undefined;
};

type Compare = (a: EvictionCandidate, b: EvictionCandidate) => number;

/** Core's figures. */
const PROTECTED_BY_GROUP = 4;
const PROTECTED_BY_PING = 8;
const PROTECTED_BY_TX = 4;
const PROTECTED_BLOCK_ONLY = 8;
const PROTECTED_BY_BLOCK = 4;

/** Sort orders: who is worth most comes last. Among equals the longest connected does. */
const byAge: Compare = (a, b) => b.connectedMs - a.connectedMs;
const byGroup: Compare = (a, b) => (a.keyedGroup < b.keyedGroup ? -1 : Number(a.keyedGroup > b.keyedGroup));
const byPing: Compare = (a, b) => later(b.minPingMs, a.minPingMs) || byAge(a, b);
const byTx: Compare = (a, b) =>
  later(a.lastTxMs, b.lastTxMs) || Number(a.relaysTransactions) - Number(b.relaysTransactions) || byAge(a, b);
const byBlock: Compare = (a, b) => later(a.lastBlockMs, b.lastBlockMs) || byAge(a, b);
const blockOnlyByBlock: Compare = (a, b) =>
  Number(b.relaysTransactions) - Number(a.relaysTransactions) || byBlock(a, b);

export function selectInboundToEvict(candidates: readonly EvictionCandidate[]): PeerIdText | undefined {
  let left = protect(candidates, byGroup, PROTECTED_BY_GROUP);
  left = protect(left, byPing, PROTECTED_BY_PING);
  left = protect(left, byTx, PROTECTED_BY_TX);
  left = protect(left, blockOnlyByBlock, PROTECTED_BLOCK_ONLY, (peer) => !peer.relaysTransactions);
  left = protect(left, byBlock, PROTECTED_BY_BLOCK);
  left = protectHalfByAge(left);
  return youngestOfLargestGroup(left);
}

/** Core's ProtectEvictionCandidatesByRatio: half stay for their age, up to half of these by their disadvantage. */
function protectHalfByAge(candidates: readonly EvictionCandidate[]): EvictionCandidate[] {
  const total = Math.floor(candidates.length / 2);
  const most = Math.floor(total / 2);
  const count = (kind: EvictionCandidate['disadvantage'], among: readonly EvictionCandidate[]): number =>
    among.filter(({ disadvantage }) => disadvantage === kind).length;
  // Who is rarest chooses first.
  const kinds = (['relayed', 'local'] as const).toSorted((a, b) => count(a, candidates) - count(b, candidates));
  let left = [...candidates];
  let done = 0;
  while (done < most) {
    const present = kinds.filter((kind) => count(kind, left) > 0);
    if (present.length === 0) break;
    const share = Math.max(1, Math.floor((most - done) / present.length));
    for (const kind of present) {
      const isKind = ({ disadvantage }: EvictionCandidate): boolean => disadvantage === kind;
      const before = left.length;
      const order: Compare = (a, b) => Number(isKind(a)) - Number(isKind(b)) || byAge(a, b);
      left = protect(left, order, Math.min(share, most - done), isKind);
      done += before - left.length;
    }
  }
  return protect(left, byAge, total - done);
}

function youngestOfLargestGroup(candidates: readonly EvictionCandidate[]): PeerIdText | undefined {
  const groups = new Map<string, EvictionCandidate[]>();
  for (const peer of candidates.toSorted(byAge)) {
    const members = groups.get(peer.group) ?? [];
    members.push(peer);
    groups.set(peer.group, members);
  }
  let largest: readonly EvictionCandidate[] = [];
  // The group with the youngest member comes first, and stays unless another is larger.
  for (const members of groups.values()) if (members.length > largest.length) largest = members;
  return largest[0]?.id;
}

/** Without the last `count` in this order, as far as they satisfy the condition (Core's EraseLastKElements). */
function protect(
  candidates: readonly EvictionCandidate[],
  order: Compare,
  count: number,
  isMeant: (peer: EvictionCandidate) => boolean = () => true,
): EvictionCandidate[] {
  const sorted = candidates.toSorted(order);
  const from = Math.max(0, sorted.length - count);
  return sorted.filter((peer, index) => index < from || !isMeant(peer));
}

/** Not a difference: two may both be never, and their difference is no number. */
function later(a: number, b: number): number {
  return a === b ? 0 : a - b;
}
