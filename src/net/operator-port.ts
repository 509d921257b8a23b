/**
 * What an operator asks of the network and decides about it: the part of the port that JSON-RPC stands on. Plain data.
 * All answers are bounded by what is kept: connections, `MAX_ADDED_PEERS`, `MAX_BANS`, the places of the address manager.
 */
import type { TopicName } from '#protocol';
import type { PeerIdText, PeerStatus } from './peer-info.ts';

/** Peers that are added while the node runs, beside those of --connect. */
export const MAX_ADDED_PEERS = 64;
/** Calls of `tryOnce` that wait for an answer. */
export const MAX_TRIES_AT_ONCE = 8;
/** What the operator says why he bans. Longer texts are cut. */
export const MAX_REASON_LENGTH = 64;

export type ByteCounts = { readonly bytesIn: number; readonly bytesOut: number };

/**
 * All that the network knows of one connection. Times are Unix milliseconds, undefined for never; `bytesIn` and `bytesOut`
 * count what the socket carried, so encrypted and with all framing.
 */
export type PeerDetails = PeerStatus & {
  /** `identifying`: which protocols it speaks is open; `announced`: no valid hello came yet; `confirmed`: it counts. */
  readonly phase: 'identifying' | 'announced' | 'confirmed';
  /** Our end of its connection; undefined over a relay. */
  readonly localEndpoint: { readonly host: string; readonly port: number } | undefined;
  /** The part of the internet it is in, as the slots see it; undefined for local addresses. */
  readonly netgroup: string | undefined;
  /** Protocol ids, as identify listed them. */
  readonly protocols: readonly string[];
  /** What streams carried, before encryption, by protocol id. What is too seldom for a row of its own is under `other`. */
  readonly bytesByProtocol: Readonly<Record<string, ByteCounts>>;
  readonly lastSentAt: number | undefined;
  readonly lastReceivedAt: number | undefined;
  readonly minLatencyMs: number | undefined;
  /** Since when an answer to `pingAll` is missing, as a duration. */
  readonly pingWaitMs: number | undefined;
  /** When it last was the first to tell of a block, or brought a transaction that we took. */
  readonly lastBlockAt: number | undefined;
  readonly lastTxAt: number | undefined;
  /** Open streams. */
  readonly streams: number;
  /** Topics in whose mesh it is. */
  readonly meshTopics: readonly TopicName[];
};

/** A peer of --connect, or one that was added by hand. */
export type AddedPeer = {
  readonly id: PeerIdText;
  /** Multiaddrs, as they were given. */
  readonly addresses: readonly string[];
  /** How and where it is connected now. */
  readonly connected: { readonly address: string; readonly direction: 'inbound' | 'outbound' } | undefined;
};

/** An address that others may be told of. */
export type KnownAddress = {
  readonly id: PeerIdText;
  /** Multiaddr without /p2p/ id. */
  readonly address: string;
  /** When it was last said, or seen, to be alive: Unix milliseconds. */
  readonly lastSeenAt: number;
};

/**
 * One that stands. `address` is a peer id, or a subnet in the form `1.2.3.0/24`; a single host ends with /32 or /128.
 * Times are Unix milliseconds.
 */
export type Ban = {
  readonly address: string;
  readonly createdAt: number;
  readonly bannedUntil: number;
  readonly reason: string;
  /** By the operator; otherwise for offences, which is what Core calls discouraged. */
  readonly isByHand: boolean;
};

export type BanOptions = {
  /** Unix milliseconds; default: a day from now, as Core. */
  readonly untilMs?: number;
  readonly reason?: string;
};

/** Counts of what became of peers. */
export type Standing = {
  /** Disconnected for offences, since the start. */
  readonly dropped: number;
  /** The operator's bans that stand. */
  readonly banned: number;
  /** Peer ids and hosts that are out for a while for their offences. */
  readonly discouraged: number;
};

/** `invalid` is text that is no address of a peer (a multiaddr with /p2p/ id), or no peer id, ip or subnet to ban. */
export type OperatorPeers = {
  /** Every connected peer, oldest first. */
  readonly list: () => Promise<readonly PeerDetails[]>;
  /** The operator's peers: those of --connect, and what was added since. */
  readonly added: () => Promise<readonly AddedPeer[]>;
  /** Stays connected with a peer from now on, as --connect does, until it is removed or the node stops. */
  readonly add: (address: string) => Promise<'added' | 'already-added' | 'full' | 'invalid'>;
  /** Forgets one of the operator's peers, by an address of it or its id. A connection stays. */
  readonly remove: (addressOrId: string) => Promise<'removed' | 'not-added'>;
  /** Dials once, whoever it is that is not banned; answers when that is over. */
  readonly tryOnce: (address: string) => Promise<'connected' | 'failed' | 'busy' | 'invalid'>;
  /** Ends connections, found by peer id, multiaddr or `ip:port`. Gives how many peers that were. */
  readonly disconnect: (peer: string) => Promise<number>;
  /**
   * Keeps a peer id, an ip or a subnet (`ip/bits`, `ip/netmask`) out until the ban ends, whoever it is: the operator's own
   * peers and local ones too. Disconnects whom it is about. `already-banned` as in Core: the same target, or a single
   * address in a banned subnet.
   */
  readonly ban: (
    target: string,
    options?: BanOptions,
  ) => Promise<'banned' | 'already-banned' | 'full' | 'in-the-past' | 'invalid'>;
  /** Lifts what stands for exactly this target, for offences or by hand, and forgets its penalty points. */
  readonly unban: (target: string) => Promise<'lifted' | 'not-banned' | 'invalid'>;
  /** The operator's first; of either kind oldest first. */
  readonly bans: () => Promise<readonly Ban[]>;
  /** Lifts all of either kind. */
  readonly clearBans: () => Promise<void>;
  /** Off: every connection is closed, none is opened or taken. On again by the same call, or by a restart. */
  readonly setActive: (isActive: boolean) => Promise<void>;
  /** Measures the latency of every peer now; answers show in `list`. */
  readonly pingAll: () => Promise<void>;
  /** Bytes that all sockets carried since the start. */
  readonly totals: () => Promise<ByteCounts>;
  /** Known addresses by chance, none that is terrible (Core's getnodeaddresses): `count` at most, 0 for all. */
  readonly addresses: (count: number) => Promise<readonly KnownAddress[]>;
};
