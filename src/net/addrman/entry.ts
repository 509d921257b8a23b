/**
 * One address of one peer, and what we think of it: Core's AddrInfo. Core's key is ip and port; ours is peer id and
 * address, because whoever answers under another id is another peer. Pure.
 */
import type { PeerIdText, SourceKind } from '../port.ts';

export const SOURCE_KINDS: readonly SourceKind[] = [
  'manual',
  'seed',
  'dht',
  'provider',
  'record',
  'identify',
  'mdns',
  'inbound',
];

/** Where we heard of it: the kind, for the statistics, and the netgroup of the peer that told us (or `seed:…`). */
export type AddressSource = { readonly kind: SourceKind; readonly group: string };

/** One way to reach one peer. */
export type PeerAddress = {
  readonly id: PeerIdText;
  /** Multiaddr without /p2p/ id. */
  readonly address: string;
};

/** Times are Unix milliseconds, 0 for never. */
export type Entry = PeerAddress & {
  /** The netgroup of the address. */
  readonly group: string;
  /** Who told us. In the new table one for each place that it has there; the first is what counts otherwise. */
  sources: AddressSource[];
  isTried: boolean;
  /** When it was last said, or seen, to be alive. */
  lastSeenMs: number;
  lastTryMs: number;
  /** The last failed try that was counted. */
  lastCountedTryMs: number;
  lastSuccessMs: number;
  /** Failures that counted, since the last success. */
  attempts: number;
  /** Its place in the list of all entries; -1 when it is in no list. */
  index: number;
};

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Core's ADDRMAN_HORIZON, ADDRMAN_RETRIES, ADDRMAN_MAX_FAILURES, ADDRMAN_MIN_FAIL. */
const HORIZON_MS = 30 * DAY_MS;
const RETRIES = 3;
const MAX_FAILURES = 10;
const MIN_FAIL_MS = 7 * DAY_MS;

/** Core's AddrInfo::IsTerrible: of no use, so that any other address may have its place. */
export function isTerrible(entry: Entry, nowMs: number): boolean {
  if (nowMs - entry.lastTryMs <= MINUTE_MS) return false;
  if (entry.lastSeenMs > nowMs + 10 * MINUTE_MS || nowMs - entry.lastSeenMs > HORIZON_MS) return true;
  if (entry.lastSuccessMs === 0) return entry.attempts >= RETRIES;
  return nowMs - entry.lastSuccessMs > MIN_FAIL_MS && entry.attempts >= MAX_FAILURES;
}

/** Core's AddrInfo::GetChance: how likely it is taken when it was drawn, 0 to 1. */
export function chanceOf(entry: Entry, nowMs: number): number {
  const recency = nowMs - entry.lastTryMs < 10 * MINUTE_MS ? 0.01 : 1;
  return recency * 0.66 ** Math.min(entry.attempts, 8);
}

/** Core takes two hours off what peers say of others: who was alive then may be gone. What a peer says of itself is fresh. */
export function hearsayAgeMs(kind: SourceKind): number {
  return kind === 'dht' || kind === 'provider' || kind === 'record' ? 120 * MINUTE_MS : 0;
}
