/** What `slots` decides on, kept up to date: one object a peer, for as long as it is connected. */
import type { Connection } from '@libp2p/interface';
import { withoutPeerId } from './addresses.ts';
import type { ConnectionKind, PeerIdText, Usefulness } from './port.ts';
import type { ConnectionFacts } from './slots/port.ts';

export type LiveFacts = { -readonly [Key in keyof ConnectionFacts]: ConnectionFacts[Key] };

export function newFacts(id: PeerIdText, isManual: boolean, nowMs: number): LiveFacts {
  return {
    id,
    kind: 'inbound',
    address: '',
    group: undefined,
    isAdmitted: false,
    isConfirmed: false,
    isManual,
    openedMs: nowMs,
    minPingMs: undefined,
    lastBlockMs: Number.NEGATIVE_INFINITY,
    lastTxMs: Number.NEGATIVE_INFINITY,
    relaysTransactions: false,
    hasGoodChain: false,
  };
}

/** With AutoNAT v2 (libp2p specs, autonat/autonat-v2.md) the answer to a request on one connection is another one. */
export const DIAL_REQUEST = '/libp2p/autonat/2/dial-request';

/** Whether a further connection of this peer is a dial back that one of us two asked for. */
export function isProbed(connection: Pick<Connection, 'streams'>): boolean {
  return connection.streams.some((stream) => stream.protocol === DIAL_REQUEST);
}

/** The peer is reached over this connection from now on. */
export function moveTo(
  facts: LiveFacts,
  connection: Pick<Connection, 'remoteAddr'>,
  kind: ConnectionKind,
  groupOf: (address: string) => string | undefined,
): void {
  facts.kind = kind;
  facts.address = withoutPeerId(connection.remoteAddr);
  facts.group = groupOf(facts.address);
}

export function useful(facts: LiveFacts, what: Usefulness, nowMs: number): void {
  if (what === 'block') facts.lastBlockMs = nowMs;
  else if (what === 'tx') facts.lastTxMs = nowMs;
  else facts.hasGoodChain = true;
}

export function measured(facts: LiveFacts, rttMs: number | undefined): LiveFacts {
  if (rttMs !== undefined) facts.minPingMs = Math.min(rttMs, facts.minPingMs ?? rttMs);
  return facts;
}
