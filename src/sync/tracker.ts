/**
 * Small bounded memories about single blocks: who served it, who hurries for it, and until when its body is left to
 * the compact-block path. The oldest entry goes when a memory is full.
 */
import type { BlockHash } from '#primitives';
import type { PeerId } from './port.ts';

/** More than the window, so that a block found invalid late is still charged to its server. */
const MAX_SERVERS = 4096;
const MAX_URGENT = 16;
const MAX_LEFT_ALONE = 64;
const MAX_PREFERRED = 8;

export class Tracker {
  readonly #graceMs: number;
  readonly #servers = new Map<BlockHash, PeerId>();
  readonly #urgent = new Map<BlockHash, readonly PeerId[]>();
  readonly #leftAlone = new Map<BlockHash, number>();

  constructor(graceMs: number) {
    this.#graceMs = graceMs;
  }

  servedBy(hash: BlockHash, peer: PeerId): void {
    remember(this.#servers, hash, peer, MAX_SERVERS);
  }

  /** Who served the block; forgotten with that, so that nobody is charged twice. */
  takeServer(hash: BlockHash): PeerId | undefined {
    const peer = this.#servers.get(hash);
    this.#servers.delete(hash);
    return peer;
  }

  /** Does nothing once the block was called urgent or announced before: the grace is given once. */
  leaveAlone(hash: BlockHash, nowMs: number): void {
    if (this.#urgent.has(hash) || this.#leftAlone.has(hash)) return;
    remember(this.#leftAlone, hash, nowMs + this.#graceMs, MAX_LEFT_ALONE);
  }

  isLeftAlone(hash: BlockHash, nowMs: number): boolean {
    return (this.#leftAlone.get(hash) ?? nowMs) > nowMs;
  }

  /** Gossip told of it, and it is not connected yet. */
  isAnnounced(hash: BlockHash): boolean {
    return this.#urgent.has(hash) || this.#leftAlone.has(hash);
  }

  hurry(hash: BlockHash, peers: readonly PeerId[]): void {
    this.#leftAlone.delete(hash);
    remember(this.#urgent, hash, peers.slice(0, MAX_PREFERRED), MAX_URGENT);
  }

  /** Blocks to fetch at once, each with the peers to ask first. A copy. */
  urgent(): [BlockHash, readonly PeerId[]][] {
    return [...this.#urgent];
  }

  calm(hash: BlockHash): void {
    this.#urgent.delete(hash);
  }

  /** The block is connected. */
  forget(hash: BlockHash): void {
    this.#servers.delete(hash);
    this.#urgent.delete(hash);
    this.#leftAlone.delete(hash);
  }
}

function remember<Value>(memory: Map<BlockHash, Value>, hash: BlockHash, value: Value, most: number): void {
  const oldest = memory.keys().next();
  if (memory.size >= most && !memory.has(hash) && !oldest.done) memory.delete(oldest.value);
  memory.set(hash, value);
}
