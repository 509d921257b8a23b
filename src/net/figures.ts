/**
 * What the network counts for who scrapes: plain numbers, so that they cross threads; counts are since the start. All names
 * are of our own tables, so that no peer makes a new one.
 */

import type { HistogramFigures, ThreadFigures } from '#meter';
import type { OffenceName, StreamName, TopicName } from '#protocol';
import type { ByteCounts } from './operator-port.ts';
import type { Net } from './port.ts';
import type { OutboundKind } from './slots/port.ts';

export type NetFigures = {
  readonly gossip: GossipFigures;
  /** Requests of ours, and those of others, by the row of their stream. */
  readonly asked: Readonly<Record<StreamName, ExchangeFigures>>;
  readonly served: Readonly<Record<StreamName, ExchangeFigures>>;
  /** What responses hold, and who waits for room: large ones are blocks. */
  readonly serving: Readonly<Record<'large' | 'small', { readonly heldBytes: number; readonly waiting: number }>>;
  /** By protocol: rows, what libp2p itself speaks, and `other`. */
  readonly protocols: Readonly<Record<string, ProtocolFigures>>;
  readonly dials: Readonly<Record<OutboundKind, DialFigures>>;
  readonly offences: Readonly<Record<OffenceName, number>>;
  /** The tables of the address manager. */
  readonly addresses: { readonly tried: number; readonly new: number };
  /** Connections that we want of a kind, or that have a place. */
  readonly places: Readonly<Record<'inbound' | 'full-relay' | 'block-only', number>>;
  /** Undefined where the network runs in the node's own thread. */
  readonly thread: NetThreadFigures | undefined;
};

export type GossipFigures = {
  readonly topics: Readonly<Record<TopicName, TopicFigures>>;
  /** Ids, grafts and prunes. */
  readonly control: Readonly<Record<'in' | 'out', Readonly<Record<ControlKind, number>>>>;
};

export type ControlKind = 'ihave' | 'iwant' | 'idontwant' | 'graft' | 'prune';

export type TopicFigures = TopicCounts & {
  readonly meshPeers: number;
  readonly subscribers: number;
  /** In front of the node, and with it. */
  readonly waiting: number;
  readonly withNode: number;
  /** From the first arrival to the node's verdict. */
  readonly verdictSeconds: HistogramFigures;
};

/** Messages. */
export type TopicCounts = {
  /** Copies counted. */
  readonly received: number;
  readonly duplicates: number;
  readonly accepted: number;
  readonly ignored: number;
  readonly rejected: number;
  /** Found the queue in front of the node full; ignored then. */
  readonly dropped: number;
  readonly published: number;
};

export type ExchangeFigures = {
  readonly running: number;
  readonly results: Readonly<Record<string, number>>;
  readonly seconds: HistogramFigures;
};

/** Before encryption. */
export type ProtocolFigures = ByteCounts & { readonly openedIn: number; readonly openedOut: number };

export type DialFigures = { readonly connected: number; readonly failed: number; readonly seconds: HistogramFigures };

export type NetThreadFigures = {
  readonly use: ThreadFigures;
  /** From asking for these figures to the answer. */
  readonly answerMs: number;
  readonly messages: { readonly toNet: number; readonly fromNet: number };
  /** In that thread: gossip that waits for the node's verdict, exchanges that are asked, and served, through the node. */
  readonly judging: number;
  readonly asking: number;
  readonly serving: number;
  /** Large frames of requests that the node has not taken yet. */
  readonly windowBytes: number;
};

/** A network that tells what it counts. */
export type MeteredNet = Net & { readonly figures: () => Promise<NetFigures> };
