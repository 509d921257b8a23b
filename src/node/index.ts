export type { BlockOrigin } from './block-origins.ts';
export { loadNetwork, type NetworkOverrides, overrideNetwork } from './networks.ts';
export { createNode } from './node.ts';
export type { NodePeerDetails, NodePeers } from './operator.ts';
export type { PeerClaims } from './peer-claims.ts';
export type {
  MiningOptions,
  NodeDeps,
  NodeMempool,
  NodeMempoolFile,
  NodeMining,
  NodeOptions,
  NodeStatus,
  PackageSubmitResult,
  PeerEvent,
  StarlingNode,
  SubmitResult,
  TxSubmitResult,
} from './port.ts';
