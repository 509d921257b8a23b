/**
 * Hands out the blocks of the window, in this order: announced blocks that are waited for, a second source for what
 * holds up a branch, wanted blocks to whoever has room, and blocks that others owe to whoever has nothing to do.
 * Invariant: what is asked for stays within `maxAskedBytes`, by the blocks' average size, and within less the more waits
 * for the chain; hedges, which bring nothing new, are not counted.
 */
import {
  isRaceable,
  MAX_ASKED,
  type Plan,
  pickRace,
  pickWanted,
  planFrontHedges,
  type Situation,
  secondSource,
} from './assign.ts';
import type { Slot } from './batches.ts';
import type { BlockPeer, BlockPeers } from './block-peer.ts';
import type { Tracker } from './tracker.ts';
import type { DownloadWindow } from './window.ts';

/** With more of the memory in use than this, bodies wait for the chain. */
const BUSY_SHARE = 1 / 8;

export type PlannerOptions = {
  readonly maxBatchesPerPeer: number;
  readonly minStallMs: number;
  readonly urgentHedgeMs: number;
  readonly intake: { readonly maxBytes: number };
  readonly maxAskedBytes: number;
};

type PlannerDeps = {
  readonly window: DownloadWindow;
  readonly peers: BlockPeers;
  readonly tracker: Tracker;
  /** Takes the slots at once: the next choice sees them as asked. */
  readonly start: (plan: Plan, nowMs: number) => void;
};

type PlanSituation = Situation & {
  /** Bytes received and not decided. */
  readonly heldBytes: number;
};

export class Planner {
  readonly #deps: PlannerDeps;
  readonly #options: PlannerOptions;
  #isAnyStarved = false;

  constructor(deps: PlannerDeps, options: PlannerOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** At the last plan a peer had room and got nothing: it waits for the window or the budget. */
  get isAnyStarved(): boolean {
    return this.#isAnyStarved;
  }

  plan(at: PlanSituation): void {
    const ready = this.#deps.peers.ready(at.nowMs);
    this.#askUrgent(ready, at);
    for (const plan of planFrontHedges(this.#deps.window.branches, ready, at)) this.#deps.start(plan, at.nowMs);
    this.#askWanted(ready, at);
    this.#askRaces(ready, at);
  }

  #askUrgent(ready: readonly BlockPeer[], at: PlanSituation): void {
    const { window, tracker, start } = this.#deps;
    for (const [hash, preferred] of tracker.urgent()) {
      const slot = window.slot(hash);
      if (slot === undefined || !slot.isMissing) {
        tracker.calm(hash);
        continue;
      }
      const branch = window.branches.find((candidate) => candidate.slots.includes(slot));
      const ageMs = Math.min(...slot.batches.map((batch) => at.nowMs - batch.startedMs));
      if (branch === undefined || slot.batches.length >= MAX_ASKED || ageMs < this.#options.urgentHedgeMs) continue;
      const favoured = ready.filter((peer) => preferred.includes(peer.id));
      const peer = secondSource(slot, branch, favoured, at) ?? secondSource(slot, branch, ready, at);
      if (peer !== undefined) start({ peer, slots: [slot], isHedge: slot.batches.length > 0 }, at.nowMs);
    }
  }

  #askWanted(ready: readonly BlockPeer[], at: PlanSituation): void {
    const { window, tracker, start } = this.#deps;
    const room = (peer: BlockPeer): number => peer.room(at.sizing, at.blockBytes, this.#options.maxBatchesPerPeer);
    const isLeftAlone = (slot: Slot): boolean => tracker.isLeftAlone(slot.hash, at.nowMs);
    const free = ready.filter((peer) => room(peer) > 0);
    // A slow chain has no time for branches that lose against the one that gets on.
    const isChainBusy = at.heldBytes > this.#options.intake.maxBytes * BUSY_SHARE;
    const branches = isChainBusy ? window.leading(at.nowMs) : window.branches;
    this.#isAnyStarved = false;
    let affordable = this.#affordable(at);
    for (const [i, peer] of free.entries()) {
      // Who is not measured yet may be slow: it leaves to the others behind it their part of the budget.
      const share = peer.rate.isMeasured ? affordable : Math.ceil(affordable / (free.length - i));
      const count = Math.min(room(peer), share);
      const slots = count > 0 ? pickWanted(peer, branches, count, isLeftAlone, at) : [];
      affordable -= slots.length;
      if (slots.length > 0) start({ peer, slots, isHedge: false }, at.nowMs);
      else this.#isAnyStarved = true;
    }
  }

  #askRaces(ready: readonly BlockPeer[], at: PlanSituation): void {
    const { window, peers, start } = this.#deps;
    const idle = ready.filter((peer) => peer.batches.size === 0);
    if (idle.length === 0 || !peers.batches().some((batch) => isRaceable(batch, at.nowMs))) return;
    for (const peer of idle) {
      if (this.#affordable(at) < 1) return;
      const slots = pickRace(peer, window.branches, at);
      if (slots.length > 0) start({ peer, slots, isHedge: true }, at.nowMs);
    }
  }

  /**
   * Blocks that may be asked for within the budget. What a silent peer owes does not count: nothing comes from it, and
   * a crowd of silent peers must not take the budget from the others. One block is always affordable when nothing is
   * held and nothing is on its way.
   */
  #affordable(at: PlanSituation): number {
    const alive = this.#deps.peers
      .batches()
      .filter((batch) => !batch.isHedge && batch.silentMs(at.nowMs) < this.#options.minStallMs);
    const expected = alive.reduce((sum, batch) => sum + batch.owedCount * at.blockBytes, 0);
    const { intake, maxAskedBytes } = this.#options;
    const free = maxAskedBytes * (1 - at.heldBytes / intake.maxBytes) - expected;
    const blocks = Math.floor(free / at.blockBytes);
    return alive.length === 0 && at.heldBytes === 0 ? Math.max(1, blocks) : blocks;
  }
}
