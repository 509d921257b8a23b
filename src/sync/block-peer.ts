/**
 * One peer as a source of blocks: what it can serve, how much it is trusted with, and what it did badly.
 * Invariants: a peer that never fails is never held back; a strike needs silence where others delivered; a charge for
 * stalling needs two strikes without a completed batch in between, so slowness alone costs at most one.
 */
import { Backoff } from './backoff.ts';
import type { Batch, Slot } from './batches.ts';
import type { PeerId } from './port.ts';
import { type BatchSizing, blocksInFlight, Throughput } from './rates.ts';
import type { Branch } from './window.ts';

const MIN_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 60_000;
const MIN_BENCH_MS = 5_000;
const MAX_BENCH_MS = 60_000;
/** Blocks "not found" in a row, all on the chain that the peer showed: it has headers but no bodies. */
const MAX_MISSES = 8;
const STRIKES_TO_CHARGE = 2;
/** Answering times its usual, after which a silence is more than slowness. */
const SILENCE_FACTOR = 4;
const MAX_PATIENCE_MS = 600_000;

export class BlockPeer {
  readonly id: PeerId;
  readonly batches = new Set<Batch>();
  readonly rate = new Throughput();
  /** Up to which height it has each branch. */
  readonly reach = new Map<Branch, number>();
  /** Bodies below this are not asked of it. */
  lowestHeight: number;
  readonly #pause = new Backoff(MIN_PAUSE_MS, MAX_PAUSE_MS);
  readonly #bench = new Backoff(MIN_BENCH_MS, MAX_BENCH_MS);
  #strikes = 0;
  /** It was benched and has delivered nothing since. */
  #isOnTrial = false;
  #misses = 0;
  #largestBytes = 0;
  #patienceMs: number;

  /** `patienceMs`: how long nothing may come, with nobody else to ask, before a batch is given up. */
  constructor(id: PeerId, lowestHeight: number, patienceMs: number) {
    this.id = id;
    this.lowestHeight = lowestHeight;
    this.#patienceMs = patienceMs;
  }

  /** False while it rests after a failure. */
  isReady(nowMs: number): boolean {
    return this.#pause.isReady(nowMs);
  }

  /** True after repeated stalling or missing bodies: asked only when there is nobody else. */
  isBenched(nowMs: number): boolean {
    return !this.#bench.isReady(nowMs);
  }

  get patienceMs(): number {
    return this.#patienceMs;
  }

  get owedCount(): number {
    let count = 0;
    for (const batch of this.batches) count += batch.owedCount;
    return count;
  }

  /** By what it says of itself. */
  keeps(branch: Branch, { height }: Slot): boolean {
    return height >= this.lowestHeight && height <= (this.reach.get(branch) ?? -1);
  }

  canServe(branch: Branch, slot: Slot, nowMs: number): boolean {
    return this.keeps(branch, slot) && !slot.isRefusedBy(this.id, nowMs);
  }

  /** Blocks to ask of it now. Half of its measure must be free, so that requests stay few and large. */
  room(sizing: BatchSizing, blockBytes: number, maxBatches: number): number {
    if (this.batches.size >= maxBatches) return 0;
    if (this.#isOnTrial) return this.batches.size === 0 ? 1 : 0;
    const most = blocksInFlight(sizing, this.rate, blockBytes);
    const owed = this.owedCount;
    return owed > most / 2 ? 0 : most - owed;
  }

  /** Milliseconds that it needs for `count` blocks, by its measured rate. */
  etaMs(count: number, blockBytes: number): number {
    return this.rate.isMeasured ? (count * blockBytes * 1000) / Math.max(this.rate.value, 1) : 0;
  }

  /** Too slow for the front of the window (`limitMs` a block), or struck: it is given the blocks needed last. */
  isLaggard(blockBytes: number, limitMs: number): boolean {
    return this.#strikes > 0 || this.#isOnTrial || this.etaMs(1, blockBytes) > limitMs;
  }

  /** True if this silence is more than its usual pace and `stallMs` explain. */
  isSilent(batch: Batch, blockBytes: number, stallMs: number, nowMs: number): boolean {
    return batch.silentMs(nowMs) >= Math.max(stallMs, SILENCE_FACTOR * this.etaMs(1, blockBytes));
  }

  /** Called after each change of its batches: books the time for the rate. */
  account(nowMs: number): void {
    let isHeld = false;
    for (const batch of this.batches) isHeld ||= batch.state.kind === 'held';
    this.rate.account(nowMs, this.batches.size > 0 && !isHeld);
  }

  /** Whether it has brought a block of about this size: small ones say little of how fast it is. */
  hasShownPace(blockBytes: number): boolean {
    return this.#largestBytes >= blockBytes / 2;
  }

  delivered(bytes: number, nowMs: number): void {
    this.#largestBytes = Math.max(this.#largestBytes, bytes);
    this.#misses = 0;
    this.account(nowMs);
    this.rate.add(bytes);
  }

  completed(batch: Batch): void {
    if (batch.bytes === 0) return;
    this.#strikes = 0;
    this.#isOnTrial = false;
    this.#pause.succeed();
    this.#bench.succeed();
  }

  /** It does not have a block of its own chain. True if that is now too often. */
  missed(nowMs: number): boolean {
    this.#misses += 1;
    if (this.#misses < MAX_MISSES) return false;
    this.#misses = 0;
    this.#sendOff(nowMs);
    return true;
  }

  broke(nowMs: number): void {
    this.#pause.fail(nowMs);
  }

  /**
   * It was silent where others delivered, or for longer than our patience. True if it is to be charged: once until it
   * delivers again, since a link that is dead for a while is no offence.
   */
  strike(nowMs: number): boolean {
    this.#pause.fail(nowMs);
    if (this.#isOnTrial) {
      this.#sendOff(nowMs);
      return false;
    }
    this.#strikes += 1;
    if (this.#strikes < STRIKES_TO_CHARGE) return false;
    this.#strikes = 0;
    this.#sendOff(nowMs);
    return true;
  }

  /** To the bench. The link may be dead for a minute only, so it is soon tried again, with a single block. */
  #sendOff(nowMs: number): void {
    this.#isOnTrial = true;
    this.#bench.fail(nowMs);
  }

  /** The link may be slow rather than dead: the next wait is longer. */
  growPatience(): void {
    this.#patienceMs = Math.min(MAX_PATIENCE_MS, this.#patienceMs * 2);
  }
}

/** All peers as sources of blocks. */
export class BlockPeers {
  readonly #peers = new Map<PeerId, BlockPeer>();

  add(peer: BlockPeer): void {
    this.#peers.set(peer.id, peer);
  }

  remove(id: PeerId): void {
    this.#peers.delete(id);
  }

  get(id: PeerId): BlockPeer | undefined {
    return this.#peers.get(id);
  }

  all(): IterableIterator<BlockPeer> {
    return this.#peers.values();
  }

  /** A copy: batches may be ended while it is walked. */
  batches(): Batch[] {
    const batches: Batch[] = [];
    for (const peer of this.#peers.values()) batches.push(...peer.batches);
    return batches;
  }

  /** Benched peers count only when there are no others. */
  unbenched(nowMs: number): BlockPeer[] {
    const all = [...this.#peers.values()];
    const good = all.filter((peer) => !peer.isBenched(nowMs));
    return good.length > 0 ? good : all;
  }

  /** Those that may be asked now, fastest first; peers not measured yet come last. */
  ready(nowMs: number): BlockPeer[] {
    return this.unbenched(nowMs)
      .filter((peer) => peer.isReady(nowMs))
      .sort((a, b) => b.rate.value - a.rate.value);
  }
}
