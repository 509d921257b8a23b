/**
 * The two things that block download is made of: a slot (one block that is needed) and a batch (one request for some
 * slots to one peer). Both are unions of states; each method is one transition, and a wrong one is a bug.
 * Invariants: a slot is `asked` exactly while a batch that is not over still owes it; a batch owes the slots from
 * `next` on, in the order asked; who served wrong bytes for a slot is remembered while that matters.
 */
import type { HeaderEntry } from '#chain';
import type { BlockHash } from '#primitives';
import { assert } from '#util';
import type { PeerId } from './port.ts';

const NONE: readonly Batch[] = [];

/** One for all: an abort without a reason makes an error with a stack each time. */
const ENDED = new Error('the batch is over');

/** Peers remembered a slot as not to be asked again for a while. */
const MAX_REFUSALS = 64;

export type SlotState =
  | { readonly kind: 'wanted' }
  /** One batch, or more when it was hedged. */
  | { readonly kind: 'asked'; readonly batches: readonly Batch[] }
  /** The body is here; the chain has not decided yet. */
  | { readonly kind: 'received' }
  /** The chain has the body. */
  | { readonly kind: 'stored' };

export class Slot {
  readonly entry: HeaderEntry;
  /** The entry's, computed once. */
  readonly hash: BlockHash;
  readonly height: number;
  #state: SlotState = { kind: 'wanted' };
  readonly #refusals = new Map<PeerId, number>();

  constructor(entry: HeaderEntry) {
    this.entry = entry;
    this.hash = entry.hash;
    this.height = entry.height;
  }

  get state(): SlotState {
    return this.#state;
  }

  /** The batches that owe this block. */
  get batches(): readonly Batch[] {
    return this.#state.kind === 'asked' ? this.#state.batches : NONE;
  }

  /** True while somebody still has to send the body. */
  get isMissing(): boolean {
    return this.#state.kind === 'wanted' || this.#state.kind === 'asked';
  }

  ask(batch: Batch): void {
    assert(this.isMissing, `a ${this.#state.kind} block is not asked for`);
    this.#state = { kind: 'asked', batches: [...this.batches, batch] };
  }

  /** The batch does not owe the block any more. Does nothing once the body came from elsewhere. */
  release(batch: Batch): void {
    if (this.#state.kind !== 'asked' || !this.#state.batches.includes(batch)) return;
    const batches = this.#state.batches.filter((other) => other !== batch);
    this.#state = batches.length === 0 ? { kind: 'wanted' } : { kind: 'asked', batches };
  }

  /** The body came. Gives the batches that lost the race, which do not owe it any more. */
  receive(from: Batch): readonly Batch[] {
    assert(this.isMissing, `a ${this.#state.kind} block is not received again`);
    const losers = this.batches.filter((other) => other !== from);
    this.#state = { kind: 'received' };
    return losers;
  }

  store(): void {
    this.#state = { kind: 'stored' };
  }

  /** The body that was received proved to be a bad copy: another is needed. */
  reject(): void {
    assert(this.#state.kind === 'received', `a ${this.#state.kind} block is not rejected`);
    this.#state = { kind: 'wanted' };
  }

  /** `peer` is not asked for this block before `untilMs`. */
  refuse(peer: PeerId, untilMs: number): void {
    const oldest = this.#refusals.keys().next();
    if (this.#refusals.size >= MAX_REFUSALS && !oldest.done) this.#refusals.delete(oldest.value);
    this.#refusals.set(peer, untilMs);
  }

  isRefusedBy(peer: PeerId, nowMs: number): boolean {
    return (this.#refusals.get(peer) ?? nowMs) > nowMs;
  }
}

export type BatchEnd =
  /** Everything asked was answered. */
  | 'complete'
  /** The answer ended early. */
  | 'short'
  /** The exchange broke. */
  | 'failed'
  /** Nothing came for too long. */
  | 'silent'
  /** Others delivered what it still owed. */
  | 'outrun'
  /** What came was not what was asked. */
  | 'wrong'
  /** We do not need it any more. */
  | 'dropped';

export const BATCH_ENDS: readonly BatchEnd[] = ['complete', 'short', 'failed', 'silent', 'outrun', 'wrong', 'dropped'];

export type BatchState =
  | { readonly kind: 'downloading' }
  /** Its reader waits for memory on our side: no time counts against the peer. */
  | { readonly kind: 'held' }
  | { readonly kind: 'over'; readonly end: BatchEnd };

export class Batch {
  readonly peer: PeerId;
  readonly slots: readonly Slot[];
  readonly isHedge: boolean;
  readonly startedMs: number;
  readonly controller = new AbortController();
  #state: BatchState = { kind: 'downloading' };
  #next = 0;
  #bytes = 0;
  #progressMs: number;
  #heldMs = 0;

  /** Takes the slots at once. */
  constructor(peer: PeerId, slots: readonly Slot[], nowMs: number, isHedge: boolean) {
    assert(slots.length > 0, 'a batch asks for something');
    this.peer = peer;
    this.slots = slots;
    this.isHedge = isHedge;
    this.startedMs = nowMs;
    this.#progressMs = nowMs;
    for (const slot of slots) slot.ask(this);
  }

  get state(): BatchState {
    return this.#state;
  }

  get isOver(): boolean {
    return this.#state.kind === 'over';
  }

  /** The slot that the next answer is for. */
  get head(): Slot | undefined {
    return this.slots[this.#next];
  }

  /** Answers that have come. */
  get answered(): number {
    return this.#next;
  }

  get owed(): readonly Slot[] {
    return this.slots.slice(this.#next);
  }

  get owedCount(): number {
    return this.slots.length - this.#next;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** True if it still owes a slot that `isNeeded`. Allocates nothing: asked often. */
  owesAny(isNeeded: (slot: Slot) => boolean): boolean {
    for (let i = this.#next; i < this.slots.length; i++) {
      const slot = this.slots[i];
      if (slot !== undefined && isNeeded(slot)) return true;
    }
    return false;
  }

  /** How long the peer has sent nothing while we were reading. */
  silentMs(nowMs: number): number {
    return this.#state.kind === 'downloading' ? nowMs - this.#progressMs : 0;
  }

  /** How long the peer has been at work, our own pauses left out. */
  activeMs(nowMs: number): number {
    return nowMs - this.startedMs - this.#heldMs;
  }

  /** An answer for the head came; `bytes` is 0 if the peer does not have the block. */
  advance(bytes: number, nowMs: number): void {
    assert(this.#state.kind === 'downloading', 'answers come while downloading');
    this.#next += 1;
    this.#bytes += bytes;
    this.#progressMs = nowMs;
  }

  hold(nowMs: number): void {
    assert(this.#state.kind === 'downloading', 'only what downloads is held');
    this.#state = { kind: 'held' };
    this.#progressMs = nowMs;
  }

  resume(nowMs: number): void {
    if (this.#state.kind !== 'held') return;
    this.#state = { kind: 'downloading' };
    this.#heldMs += nowMs - this.#progressMs;
    this.#progressMs = nowMs;
  }

  /** Stops the exchange and gives back what is owed. Once. */
  end(why: BatchEnd): void {
    assert(this.#state.kind !== 'over', 'a batch ends once');
    for (const slot of this.owed) slot.release(this);
    this.#state = { kind: 'over', end: why };
    this.controller.abort(ENDED);
  }
}
