export type {
  NodeDeps,
  NodeOptions,
  NodeStatus,
  StarlingNode,
  SubmitResult,
  SyncPhase,
  SyncStatus,
} from './port.ts';
