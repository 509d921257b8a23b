export type { BlockOptions } from './blocks.ts';
export type { HeaderOptions } from './headers.ts';
export type {
  BlockItem,
  PeerClaim,
  PeerId,
  Sync,
  SyncChain,
  SyncDeps,
  SyncPeer,
  SyncPhase,
  SyncStatus,
} from './port.ts';
export { createSync, type SyncOptions, syncDefaults } from './sync.ts';
