/**
 * Outbound peers whose chain falls behind ours are replaced (Core's ConsiderEviction), so that nobody can hold our slots
 * with peers that keep blocks from us; and when no block has come for long the network is told to look for one more peer
 * (Core's CheckForStaleTipAndEvictPeers). A few peers that showed a chain as good as ours are kept in any case: an attacker
 * with a better chain of its own must not make us drop them all.
 */
import type { ChainReader, HeaderEntry } from '#chain';
import type { Net, PeerIdText } from '#net';
import type { Clock, TimerHandle } from '#util';
import type { ReadyPeer } from './peers.ts';

/** Core's CHAIN_SYNC_TIMEOUT, HEADERS_RESPONSE_TIME, MAX_OUTBOUND_PEERS_TO_PROTECT_FROM_DISCONNECT. */
const BEHIND_MS = 20 * 60_000;
const ANSWER_MS = 2 * 60_000;
const MAX_PROTECTED = 4;
/** Core's EXTRA_PEER_CHECK_INTERVAL and STALE_CHECK_INTERVAL. */
const CHECK_MS = 45_000;
const STALE_CHECK_MS = 10 * 60_000;
/** Blocks missed in a row that make a tip stale. */
const STALE_BLOCKS = 3;

export type ChainQualityDeps = {
  readonly chain: Pick<ChainReader, 'tip' | 'params'>;
  readonly peers: () => readonly ReadyPeer[];
  readonly knownHeader: (peer: PeerIdText) => HeaderEntry | undefined;
  /** Asks a peer anew what it has. */
  readonly ask: (peer: PeerIdText) => void;
  readonly net: Pick<Net, 'disconnect' | 'noteChain' | 'noteUseful'>;
  readonly isSynced: () => boolean;
  /** Blocks are on their way: the tip is old because we are slow. */
  readonly isDownloading: () => boolean;
  readonly clock: Clock;
};

/** A peer that is behind: until when it may be, and behind what. */
type Behind = { deadlineMs: number; work: bigint; wasAsked: boolean };

export class ChainQuality {
  readonly #deps: ChainQualityDeps;
  readonly #behind = new Map<PeerIdText, Behind>();
  readonly #protected = new Set<PeerIdText>();
  #timer: TimerHandle;
  #tipMovedMs: number;
  #nextStaleCheckMs: number;
  #wasSynced = false;

  constructor(deps: ChainQualityDeps) {
    this.#deps = deps;
    this.#tipMovedMs = deps.clock.monotonicMs();
    this.#nextStaleCheckMs = this.#tipMovedMs + STALE_CHECK_MS;
    this.#timer = this.#schedule();
  }

  tipMoved(): void {
    this.#tipMovedMs = this.#deps.clock.monotonicMs();
  }

  peerGone(peer: PeerIdText): void {
    this.#behind.delete(peer);
    this.#protected.delete(peer);
  }

  close(): void {
    this.#timer.cancel();
  }

  #schedule(): TimerHandle {
    return this.#deps.clock.after(CHECK_MS, () => {
      for (const peer of this.#deps.peers()) {
        if (peer.isOutbound && peer.kind !== 'manual') this.#consider(peer);
      }
      this.#lookAtTip();
      this.#timer = this.#schedule();
    });
  }

  #consider({ id, kind }: ReadyPeer): void {
    const { chain, knownHeader, ask, net, clock } = this.#deps;
    if (this.#protected.has(id)) return;
    const now = clock.monotonicMs();
    const tipWork = chain.tip().chainWork;
    const work = knownHeader(id)?.chainWork ?? 0n;
    const behind = this.#behind.get(id);
    if (work >= tipWork) {
      this.#behind.delete(id);
      if (kind === 'block-only') net.noteUseful(id, 'chain');
      else this.#protect(id);
    } else if (behind === undefined || work >= behind.work) {
      // Newly behind, or it has reached what was our tip then: it gets its time for the tip of now.
      this.#behind.set(id, { deadlineMs: now + BEHIND_MS, work: tipWork, wasAsked: false });
    } else if (now > behind.deadlineMs) {
      if (behind.wasAsked) net.disconnect(id, 'its chain has been behind ours for too long');
      else {
        ask(id);
        behind.wasAsked = true;
        behind.deadlineMs = now + ANSWER_MS;
      }
    }
  }

  #protect(id: PeerIdText): void {
    if (this.#protected.size >= MAX_PROTECTED) return;
    this.#protected.add(id);
    this.#deps.net.noteUseful(id, 'chain');
  }

  #lookAtTip(): void {
    const { chain, net, clock, isDownloading } = this.#deps;
    const now = clock.monotonicMs();
    const isSynced = this.#deps.isSynced();
    if (now < this.#nextStaleCheckMs && isSynced === this.#wasSynced) return;
    this.#nextStaleCheckMs = now + STALE_CHECK_MS;
    this.#wasSynced = isSynced;
    const ageMs = now - this.#tipMovedMs;
    const isTipStale = ageMs > STALE_BLOCKS * chain.params.pow.targetSpacingSeconds * 1000 && !isDownloading();
    net.noteChain({ isSynced, isTipStale });
  }
}
