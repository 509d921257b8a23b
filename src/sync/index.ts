export { type BlockOptions, type HeaderOptions, type SyncOptions, syncDefaults } from './options.ts';
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
export { createSync } from './sync.ts';
