/**
 * Who is asked for what next. Pure choices over the window and the peers; `blocks.ts` acts on them.
 * Rules: the block that blocks the window first; fast peers in front, laggards from the back; a block asked of two
 * peers only if it blocks the window, is urgent, or the second peer is idle and will clearly be sooner.
 */
import type { Batch, Slot } from './batches.ts';
import type { BlockPeer } from './block-peer.ts';
import type { PeerId } from './port.ts';
import type { BatchSizing } from './rates.ts';
import type { Branch } from './window.ts';

/** Peers asked for one block at a time, and with those that race for it: each of these is twice as soon as the last. */
export const MAX_ASKED = 3;
const MAX_RACED = 6;
/** Batches of one peer, hedges included; the protocol allows one stream more. */
const MAX_STREAMS = 3;
/** A batch younger than this is not raced for its later blocks. */
const MIN_RACE_MS = 500;

export type Plan = { readonly peer: BlockPeer; readonly slots: readonly Slot[]; readonly isHedge: boolean };

export type Situation = {
  readonly nowMs: number;
  /** What a block weighs at the moment. */
  readonly blockBytes: number;
  readonly stallMs: number;
  readonly sizing: BatchSizing;
  readonly holder: (batch: Batch) => BlockPeer | undefined;
};

/** Up to `count` slots that nobody was asked for and the peer can serve, those needed first, or last for a laggard. */
export function pickWanted(
  peer: BlockPeer,
  branches: readonly Branch[],
  count: number,
  isLeftAlone: (slot: Slot) => boolean,
  at: Situation,
): Slot[] {
  const fromBack = peer.isLaggard(at.blockBytes, at.stallMs);
  const picked: Slot[] = [];
  for (const branch of fromBack ? branches.toReversed() : branches) {
    const { slots } = branch;
    // Heights are consecutive: what it has of the window is a range.
    const base = slots[0]?.height ?? 0;
    const first = Math.max(0, peer.lowestHeight - base);
    const last = Math.min(slots.length - 1, (peer.reach.get(branch) ?? -1) - base);
    for (let i = first; i <= last && picked.length < count; i++) {
      const slot = slots[fromBack ? last - (i - first) : i];
      if (slot?.state.kind !== 'wanted' || isLeftAlone(slot) || picked.includes(slot)) continue;
      if (peer.canServe(branch, slot, at.nowMs)) picked.push(slot);
    }
  }
  return fromBack ? picked.reverse() : picked;
}

/** A second source for blocks that hold up a branch: the first one, and what the same batch owes behind it. */
export function planFrontHedges(branches: readonly Branch[], ready: readonly BlockPeer[], at: Situation): Plan[] {
  return branches.flatMap((branch) => {
    const front = branch.front;
    const [batch] = front?.batches ?? [];
    if (front === undefined || batch === undefined || front.batches.length >= MAX_ASKED) return [];
    const blockedMs = at.nowMs - branch.frontSinceMs;
    if (front.batches.some((other) => Math.min(other.silentMs(at.nowMs), blockedMs) < at.stallMs)) return [];
    const peer = secondSource(front, branch, ready, at);
    if (peer === undefined) return [];
    const most = Math.max(1, peer.room(at.sizing, at.blockBytes, MAX_STREAMS));
    const slots = batch.owed.filter(
      (slot) => slot === front || (slot.batches.length === 1 && peer.canServe(branch, slot, at.nowMs)),
    );
    return [{ peer, slots: slots.slice(0, most), isHedge: true }];
  });
}

/** The first of `ready` (the fastest) that can serve the slot and was not asked for it. */
export function secondSource(
  slot: Slot,
  branch: Branch,
  ready: readonly BlockPeer[],
  at: Situation,
): BlockPeer | undefined {
  const asked = new Set<PeerId>(slot.batches.map((batch) => batch.peer));
  return ready.find(
    (peer) => !asked.has(peer.id) && peer.batches.size < MAX_STREAMS && peer.canServe(branch, slot, at.nowMs),
  );
}

/** Whether a batch is old enough to be raced at all: spares the search in the ordinary case. */
export function isRaceable(batch: Batch, nowMs: number): boolean {
  return batch.state.kind === 'downloading' && batch.activeMs(nowMs) >= MIN_RACE_MS;
}

/** Work for a peer that has none: blocks that others owe and that it will have much sooner than all of them. */
export function pickRace(peer: BlockPeer, branches: readonly Branch[], at: Situation): Slot[] {
  if (!peer.rate.isMeasured) return [];
  const most = peer.room(at.sizing, at.blockBytes, 1);
  const picked: Slot[] = [];
  for (const branch of branches) {
    for (const slot of branch.slots) {
      if (picked.length >= most) return picked;
      const { batches } = slot;
      if (batches.length === 0 || batches.length >= MAX_RACED || picked.includes(slot)) continue;
      if (batches.some((batch) => batch.peer === peer.id) || !peer.canServe(branch, slot, at.nowMs)) continue;
      const mineMs = peer.etaMs(picked.length + 1, at.blockBytes);
      if (batches.every((batch) => isMuchLater(batch, slot, mineMs, at))) picked.push(slot);
    }
  }
  return picked;
}

function isMuchLater(batch: Batch, slot: Slot, mineMs: number, at: Situation): boolean {
  return isRaceable(batch, at.nowMs) && leftMs(batch, slot, at) > 2 * mineMs + MIN_RACE_MS;
}

/** In how long a batch will bring a slot. What is overdue, or unknown, may take as long again. */
function leftMs(batch: Batch, slot: Slot, at: Situation): number {
  const ahead = batch.owed.indexOf(slot) + 1;
  const holder = at.holder(batch);
  if (!holder?.rate.isMeasured) return (batch.activeMs(at.nowMs) / Math.max(batch.answered, 1)) * ahead;
  // Its batches share its link.
  const expectedMs = holder.etaMs(ahead * holder.batches.size, at.blockBytes);
  return Math.abs(expectedMs - batch.silentMs(at.nowMs));
}
