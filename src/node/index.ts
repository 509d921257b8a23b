export { loadNetwork, type NetworkOverrides, overrideNetwork } from './networks.ts';
export { createNode } from './node.ts';
export type { NodeDeps, NodeOptions, NodeStatus, StarlingNode, SubmitResult } from './port.ts';
