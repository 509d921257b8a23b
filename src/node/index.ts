export { loadNetwork, type NetworkOverrides, overrideNetwork } from './networks.ts';
export { createNode } from './node.ts';
export type {
  MiningOptions,
  NodeDeps,
  NodeMempool,
  NodeOptions,
  NodeStatus,
  PackageSubmitResult,
  StarlingNode,
  SubmitResult,
  TxSubmitResult,
} from './port.ts';
