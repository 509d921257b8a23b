/**
 * Which blocks are needed: for each branch of headers with more work than the tip that some peer has, the blocks
 * behind the fork whose bodies are missing, up to a count. There is mostly one branch; a second one matters when the
 * heaviest headers have bodies that nobody serves, so that whoever shows headers only cannot hold us up.
 * Invariants: a branch's slots are consecutive heights, the first one's body is missing; one slot a block, shared by
 * the branches.
 */
import type { HeaderEntry } from '#chain';
import type { BlockHash } from '#primitives';
import { Slot, type SlotState } from './batches.ts';
import { forkHeight } from './fork-height.ts';
import type { SyncChain } from './port.ts';

/** A branch whose first missing body has not come for this long does not get on. */
const STUCK_MS = 10_000;

export class Branch {
  target: HeaderEntry;
  slots: Slot[] = [];
  /** The next height to take into the window. */
  nextHeight: number;
  /** When the first slot became the first. */
  frontSinceMs: number;

  constructor(target: HeaderEntry, nextHeight: number, nowMs: number) {
    this.target = target;
    this.nextHeight = nextHeight;
    this.frontSinceMs = nowMs;
  }

  /** The block that all later ones wait for. */
  get front(): Slot | undefined {
    return this.slots[0];
  }
}

export class DownloadWindow {
  readonly #chain: SyncChain;
  readonly #maxBlocks: number;
  readonly #maxBranches: number;
  readonly #slots = new Map<BlockHash, Slot>();
  #branches: Branch[] = [];

  constructor(chain: SyncChain, maxBlocks: number, maxBranches: number) {
    this.#chain = chain;
    this.#maxBlocks = maxBlocks;
    this.#maxBranches = maxBranches;
  }

  /** Most work first. */
  get branches(): readonly Branch[] {
    return this.#branches;
  }

  slot(hash: BlockHash): Slot | undefined {
    return this.#slots.get(hash);
  }

  /** How many blocks are in each state. Looks at all of them. */
  states(): Record<SlotState['kind'], number> {
    const counts = { wanted: 0, asked: 0, received: 0, stored: 0 };
    for (const { state } of this.#slots.values()) counts[state.kind] += 1;
    return counts;
  }

  /** True if a branch needs this block. */
  covers(slot: Slot): boolean {
    return this.#branches.some((branch) => covers(branch, slot));
  }

  /** True if the tip has as much work as one of the branches: that one is of no use any more. */
  hasLost(): boolean {
    const { chainWork } = this.#chain.tip();
    return this.#branches.some((branch) => branch.target.chainWork <= chainWork);
  }

  /** Place of the heaviest branch that needs this block; behind all when none does. */
  rank(slot: Slot): number {
    const rank = this.#branches.findIndex((branch) => covers(branch, slot));
    return rank < 0 ? this.#branches.length : rank;
  }

  /** The heaviest branch that gets on, and those above it: all when none does. */
  leading(nowMs: number): readonly Branch[] {
    const lead = this.#branches.findIndex((branch) => nowMs - branch.frontSinceMs < STUCK_MS);
    return lead < 0 ? this.#branches : this.#branches.slice(0, lead + 1);
  }

  /** Sets the branches from the headers that peers are known to have, valid ones only. */
  setTargets(candidates: Iterable<HeaderEntry>, nowMs: number): void {
    const targets = this.#heaviestTips(candidates);
    this.#branches = targets.map((target) => {
      const old = this.#branches.find((branch) => this.#extends(target, branch.target));
      if (old === undefined) return new Branch(target, forkHeight(this.#chain, this.#chain.tip(), target) + 1, nowMs);
      old.target = target;
      return old;
    });
    this.advance(nowMs);
    this.#forgetSlots();
  }

  /** Starts anew from the tip: after blocks were disconnected or proved invalid. Slots keep their states. */
  reset(): void {
    this.#branches = [];
  }

  /** Lets go of what the chain has, and takes in what follows. */
  advance(nowMs: number): void {
    for (const branch of this.#branches) {
      const before = branch.front;
      do {
        this.#dropStored(branch);
        this.#fill(branch);
      } while (branch.front !== undefined && this.#isStored(branch.front));
      if (branch.front !== before) branch.frontSinceMs = nowMs;
    }
  }

  #isStored(slot: Slot): boolean {
    if (slot.isMissing && this.#chain.hasBlock(slot.hash)) slot.store();
    return slot.state.kind === 'stored';
  }

  #dropStored(branch: Branch): void {
    let count = 0;
    for (const slot of branch.slots) {
      if (!this.#isStored(slot)) break;
      this.#slots.delete(slot.hash);
      count += 1;
    }
    if (count > 0) branch.slots.splice(0, count);
  }

  #fill(branch: Branch): void {
    while (branch.slots.length < this.#maxBlocks && branch.nextHeight <= branch.target.height) {
      const entry = this.#chain.ancestor(branch.target, branch.nextHeight);
      branch.nextHeight += 1;
      const slot = this.#slots.get(entry.hash) ?? new Slot(entry);
      // After a restart many are stored, also behind the first missing one; at the very front they never enter.
      if (this.#isStored(slot) && branch.slots.length === 0) continue;
      this.#slots.set(entry.hash, slot);
      branch.slots.push(slot);
    }
  }

  #heaviestTips(candidates: Iterable<HeaderEntry>): HeaderEntry[] {
    const { params, tip } = this.#chain;
    const { chainWork } = tip();
    // As in Core: no bodies of a chain below the minimum, though a local source may have brought its headers.
    const isWorthIt = (entry: HeaderEntry): boolean =>
      entry.chainWork > chainWork && entry.chainWork >= params.minimumChainWork;
    const byHash = new Map<BlockHash, HeaderEntry>();
    for (const entry of candidates) if (isWorthIt(entry)) byHash.set(entry.hash, entry);
    const tips: HeaderEntry[] = [];
    for (const entry of [...byHash.values()].sort((a, b) => compareWork(b, a))) {
      if (tips.length >= this.#maxBranches) break;
      if (!tips.some((tip) => this.#extends(tip, entry))) tips.push(entry);
    }
    return tips;
  }

  /** True if `entry` is `older` or stands on it. */
  #extends(entry: HeaderEntry, older: HeaderEntry): boolean {
    return entry.height >= older.height && this.#chain.ancestor(entry, older.height).hash === older.hash;
  }

  /** Bodies on their way are remembered: their branch may come back. */
  #forgetSlots(): void {
    for (const [hash, slot] of this.#slots) {
      const isUnderWay = slot.state.kind === 'asked' || slot.state.kind === 'received';
      if (!isUnderWay && !this.covers(slot)) this.#slots.delete(hash);
    }
  }
}

function covers({ slots }: Branch, slot: Slot): boolean {
  return slots[slot.height - (slots[0]?.height ?? 0)] === slot;
}

function compareWork(a: HeaderEntry, b: HeaderEntry): number {
  return a.chainWork < b.chainWork ? -1 : a.chainWork > b.chainWork ? 1 : 0;
}
