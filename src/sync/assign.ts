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

/** Peers asked for one block at a time. */
export const MAX_ASKED = 3;
/** Batches of one peer, hedges included; the protocol allows one stream more. */
const MAX_STREAMS = 3;
/** A batch younger than this is not raced for its later blocks. */
const MIN_RACE_MS = 500;

export type Plan = { readonly peer: BlockPeer; readonly slots: readonly Slot[]; readonly isHedge: boolean };

export type Place = { readonly branch: Branch; readonly slot: Slot };

export type Situation = {
  readonly nowMs: number;
  /** What a block weighs at the moment. */
  readonly blockBytes: number;
  readonly stallMs: number;
  readonly sizing: BatchSizing;
  readonly holder: (batch: Batch) => BlockPeer | undefined;
};

/**
 * The slots that nobody was asked for, in the order in which they are needed. A block that two branches share has one
 * place: whoever reaches it on one branch reaches it on the other.
 */
export function wantedPlaces(branches: readonly Branch[], isLeftAlone: (slot: Slot) => boolean): Place[] {
  const places = new Map<Slot, Place>();
  for (const branch of branches) {
    for (const slot of branch.slots) {
      if (slot.state.kind !== 'wanted' || places.has(slot) || isLeftAlone(slot)) continue;
      places.set(slot, { branch, slot });
    }
  }
  return [...places.values()];
}

/** Up to `count` of `places` that the peer can serve and that are still wanted. */
export function pickWanted(peer: BlockPeer, places: readonly Place[], count: number, at: Situation): Slot[] {
  const fromBack = peer.isLaggard(at.blockBytes, at.stallMs);
  const picked: Slot[] = [];
  for (let i = 0; i < places.length && picked.length < count; i++) {
    const place = places[fromBack ? places.length - 1 - i : i];
    if (place === undefined || place.slot.state.kind !== 'wanted') continue;
    if (peer.canServe(place.branch, place.slot, at.nowMs)) picked.push(place.slot);
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

/** Work for a peer that has none: blocks that others owe and that it will have much sooner. */
export function pickRace(peer: BlockPeer, branches: readonly Branch[], at: Situation): Slot[] {
  const most = peer.room(at.sizing, at.blockBytes, 1);
  const picked: Slot[] = [];
  for (const branch of branches) {
    for (const slot of branch.slots) {
      if (picked.length >= most) return picked;
      const [batch] = slot.batches;
      if (batch === undefined || slot.batches.length > 1 || batch.peer === peer.id) continue;
      if (picked.includes(slot) || !peer.canServe(branch, slot, at.nowMs)) continue;
      if (isMuchSooner(peer, picked.length + 1, slot, batch, at)) picked.push(slot);
    }
  }
  return picked;
}

function isMuchSooner(peer: BlockPeer, count: number, slot: Slot, batch: Batch, at: Situation): boolean {
  if (!isRaceable(batch, at.nowMs)) return false;
  const silentMs = batch.silentMs(at.nowMs);
  if (silentMs >= at.stallMs) return true;
  const holder = at.holder(batch);
  if (holder === undefined || !peer.rate.isMeasured) return false;
  const ahead = batch.owed.indexOf(slot) + 1;
  const theirsMs = holder.rate.isMeasured ? holder.etaMs(ahead, at.blockBytes) : pace(batch, at) * ahead;
  return theirsMs - silentMs > 2 * peer.etaMs(count, at.blockBytes) + MIN_RACE_MS;
}

/** Milliseconds a block, by what this batch has brought so far. */
function pace(batch: Batch, at: Situation): number {
  return batch.activeMs(at.nowMs) / Math.max(batch.answered, 1);
}
