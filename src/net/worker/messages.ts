/** What crosses between the threads. Plain data; large byte arrays are transferred, small ones packed together. */
import type { OffenceName, StreamName, TopicName } from '#protocol';
import type { LogFields, NodeError } from '#util';
import type { NetFigures, NetThreadFigures } from '../figures.ts';
import type { CompleteNetOptions } from '../options.ts';
import type {
  ChainNews,
  GossipVerdict,
  NetStatus,
  NodeStreamName,
  PeerIdText,
  PeerInfo,
  RequestErrorCode,
  ResponseFrame,
  Usefulness,
} from '../port.ts';
import type { OperatorCall } from './operator-calls.ts';

export type WorkerData = { readonly options: CompleteNetOptions };

/** What the network's thread says of itself; the node's side adds the rest. */
export type ThreadShare = Omit<NetThreadFigures, 'answerMs' | 'messages'>;

/** Frames of one exchange, and whether it is over. */
export type FrameBatch = {
  readonly id: number;
  readonly frames: readonly ResponseFrame[];
  readonly end: FrameEnd | undefined;
};

export type FrameEnd =
  | { readonly kind: 'complete' }
  | { readonly kind: 'failed'; readonly code: RequestErrorCode; readonly text: string };

/** From the node's thread to the network's. */
export type ToWorker =
  | { readonly kind: 'status'; readonly id: number }
  | { readonly kind: 'figures'; readonly id: number }
  | { readonly kind: 'publish'; readonly id: number; readonly topic: TopicName; readonly data: Uint8Array }
  | { readonly kind: 'operate'; readonly id: number; readonly call: OperatorCall }
  | { readonly kind: 'stop'; readonly id: number }
  | {
      readonly kind: 'request';
      readonly id: number;
      readonly peer: PeerIdText;
      readonly name: StreamName;
      readonly bytes: Uint8Array;
    }
  | { readonly kind: 'request-credit'; readonly id: number; readonly bytes: number }
  | { readonly kind: 'request-cancel'; readonly id: number }
  | { readonly kind: 'serve-frames'; readonly batch: FrameBatch }
  | { readonly kind: 'verdict'; readonly id: number; readonly verdict: GossipVerdict }
  | {
      readonly kind: 'charge';
      readonly peer: PeerIdText;
      readonly offence: OffenceName;
      readonly detail: string;
    }
  | { readonly kind: 'disconnect'; readonly peer: PeerIdText; readonly reason: string }
  | { readonly kind: 'confirm'; readonly peer: PeerIdText; readonly relaysTransactions: boolean }
  | { readonly kind: 'useful'; readonly peer: PeerIdText; readonly what: Usefulness }
  | { readonly kind: 'chain'; readonly news: ChainNews };

/** From the network's thread to the node's. */
export type FromWorker =
  | { readonly kind: 'ready'; readonly peerId: PeerIdText }
  | { readonly kind: 'fatal'; readonly code: NodeError['code']; readonly text: string }
  | { readonly kind: 'status'; readonly id: number; readonly status: NetStatus }
  | {
      readonly kind: 'figures';
      readonly id: number;
      readonly figures: NetFigures;
      readonly thread: ThreadShare;
    }
  | { readonly kind: 'published'; readonly id: number; readonly recipients: number }
  | { readonly kind: 'operated'; readonly id: number; readonly answer: unknown }
  | { readonly kind: 'call-failed'; readonly id: number; readonly text: string }
  | { readonly kind: 'stopped'; readonly id: number }
  | { readonly kind: 'connected'; readonly peer: PeerInfo }
  | { readonly kind: 'disconnected'; readonly peer: PeerIdText; readonly reason: string }
  | { readonly kind: 'response'; readonly batch: FrameBatch }
  | {
      readonly kind: 'serve';
      readonly id: number;
      readonly name: NodeStreamName;
      readonly from: PeerIdText;
      readonly request: Uint8Array;
    }
  | { readonly kind: 'serve-credit'; readonly id: number; readonly bytes: number }
  | { readonly kind: 'serve-abort'; readonly id: number }
  | {
      readonly kind: 'gossip';
      readonly id: number;
      readonly topic: TopicName;
      readonly from: PeerIdText;
      readonly data: Uint8Array;
    }
  | { readonly kind: 'gossip-copy'; readonly topic: TopicName; readonly from: PeerIdText; readonly data: Uint8Array }
  | {
      readonly kind: 'log';
      readonly level: 'debug' | 'info' | 'warn' | 'error';
      readonly module: string;
      readonly text: string;
      readonly fields: LogFields | undefined;
    };

/** The two ends of the channel, as both threads see it. */
export type Post<Message> = (message: Message, transfer?: readonly ArrayBuffer[]) => void;
