export type { NetDeps } from './base.ts';
export { createNet } from './create-net.ts';
export { RequestError } from './errors.ts';
export type { MeteredNet } from './figures.ts';
export type { AddedPeer, Ban, OperatorPeers, PeerDetails } from './operator-port.ts';
export type { NetOptions, NetTuning } from './options.ts';
export type {
  ChainNews,
  ConnectionKind,
  GossipMessage,
  GossipVerdict,
  Net,
  NetHandlers,
  NetStatus,
  NodeStreamName,
  PeerIdText,
  PeerInfo,
  PeerStatus,
  Reachability,
  RequestErrorCode,
  ResponseFrame,
  ResponseStatus,
  Usefulness,
} from './port.ts';
export { MAX_GOSSIP_HOLD_MS } from './port.ts';
export type { ProxyAddress, ReachOptions } from './reach-options.ts';
export { createWorkerNet } from './worker/client.ts';
