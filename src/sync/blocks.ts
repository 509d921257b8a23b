/**
 * Block download: keeps every peer busy with the blocks of the window, takes what arrives in any order, and finds
 * another source for what holds up the rest.
 * Invariants: a body is believed only if its header hashes to what was asked; bad bytes are charged to who served
 * them and fetched elsewhere; no request is open that nobody needs; memory is bounded by `intake.maxBytes` and one body
 * a reader.
 */
import type { HeaderEntry } from '#chain';
import type { ValidationFailure } from '#consensus';
import { Tally } from '#meter';
import { BLOCK_HEADER_BYTES, type BlockHash, BlockHeader } from '#primitives';
import { AssertionFailure, errorText } from '#util';
import type { Plan } from './assign.ts';
import { BATCH_ENDS, Batch, type BatchEnd, type Slot } from './batches.ts';
import { BlockPeer, BlockPeers } from './block-peer.ts';
import { isTimeout } from './errors.ts';
import type { SyncFigures } from './figures.ts';
import { forkHeight } from './fork-height.ts';
import { type Body, type BodyVerdict, Intake } from './intake.ts';
import type { BlockOptions } from './options.ts';
import type { Peers } from './peers.ts';
import { Planner } from './planner.ts';
import type { BlockItem, PeerId, SyncDeps } from './port.ts';
import { MovingAverage } from './rates.ts';
import { Tracker } from './tracker.ts';
import { DownloadWindow } from './window.ts';

const BLOCK_BYTES_WEIGHT = 0.1;
/** Core's factor: the stall time shrinks as blocks connect. */
const STALL_DECAY = 0.85;
const NOT_FOUND_MS = 60_000;
/** Of an announced block: peers pass headers on before they have the body. */
const NOT_YET_FOUND_MS = 1_000;
const SHORT_ANSWER_MS = 30_000;
const BAD_COPY_MS = 600_000;

type BlockDeps = Pick<
  SyncDeps,
  'chain' | 'requestBlocks' | 'charge' | 'judge' | 'disconnect' | 'fatal' | 'clock' | 'log'
> & {
  readonly peers: Peers;
  readonly poke: () => void;
  /** A body arrived, bytes. */
  readonly arrived: (bytes: number) => void;
};

export class BlockSync {
  readonly #deps: BlockDeps;
  readonly #options: BlockOptions;
  readonly #window: DownloadWindow;
  readonly #intake: Intake;
  readonly #tracker: Tracker;
  readonly #peers = new BlockPeers();
  readonly #planner: Planner;
  readonly #blockBytes: MovingAverage;
  readonly #ends = new Tally<BatchEnd>(BATCH_ENDS);
  #receivedBlocks = 0;
  #receivedBytes = 0;
  #stallMs: number;
  /** The branches may have changed. */
  #isStale = true;
  /** Something happened after which somebody may be asked for something. */
  #isPlanDue = true;

  constructor(deps: BlockDeps, options: BlockOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#blockBytes = new MovingAverage(BLOCK_BYTES_WEIGHT, options.firstBlockBytes);
    this.#stallMs = options.minStallMs;
    this.#window = new DownloadWindow(deps.chain, options.windowBlocks, options.maxBranches);
    this.#tracker = new Tracker(options.announceGraceMs);
    this.#planner = new Planner(
      {
        window: this.#window,
        peers: this.#peers,
        tracker: this.#tracker,
        start: (plan, nowMs) => this.#start(plan, nowMs),
      },
      options,
    );
    this.#intake = new Intake(
      {
        ...deps,
        decided: (body, verdict) => this.#decided(body, verdict),
        paused: () => this.#dropAll(),
        resumed: () => this.#resumed(),
      },
      options.intake,
    );
  }

  peerReady(id: PeerId): void {
    this.#peers.add(new BlockPeer(id, this.#deps.peers.lowestHeightServed(id), this.#options.patienceMs));
    this.targetsChanged();
  }

  peerGone(id: PeerId): void {
    const peer = this.#peers.get(id);
    if (peer === undefined) return;
    for (const batch of [...peer.batches]) this.#end(batch, 'dropped');
    this.#peers.remove(id);
    this.targetsChanged();
  }

  /** Heights, in the order asked for. */
  owedBy(id: PeerId): readonly number[] {
    const batches = [...(this.#peers.get(id)?.batches ?? [])];
    return batches.flatMap(({ owed }) => owed.map(({ height }) => height));
  }

  /** What peers are known to have may have changed. */
  targetsChanged(): void {
    this.#isStale = true;
    this.#isPlanDue = true;
  }

  /** Time has passed: deadlines are due to be looked at. */
  ticked(): void {
    this.#isPlanDue = true;
  }

  /** A known header was announced: its body may come by another way. */
  announced(hash: BlockHash): void {
    this.#tracker.leaveAlone(hash, this.#deps.clock.monotonicMs());
    this.targetsChanged();
  }

  /** Ask for the body now; the peers were seen to have it. */
  wanted(hash: BlockHash, peers: readonly PeerId[]): void {
    this.#tracker.hurry(hash, peers);
    this.targetsChanged();
  }

  /** Blocks were connected; `isReorganised` if others were disconnected first. */
  connected(hashes: readonly BlockHash[], isReorganised: boolean): void {
    this.#stallMs = Math.max(this.#options.minStallMs, this.#stallMs * STALL_DECAY ** hashes.length);
    for (const hash of hashes) this.#tracker.forget(hash);
    if (isReorganised) this.#restart();
    else if (this.#window.hasLost()) this.targetsChanged();
  }

  /** The chain found a stored block invalid. */
  blockInvalid(hash: BlockHash, failure: ValidationFailure): void {
    const server = this.#tracker.takeServer(hash);
    if (server !== undefined) this.#deps.judge(server, 'block', failure);
    this.#restart();
  }

  /** The first missing block of the heaviest branch, if some peer keeps it; undefined also when nothing is missing. */
  get nextMissing(): HeaderEntry | undefined {
    for (const branch of this.#window.branches) {
      const { front } = branch;
      if (front !== undefined && [...this.#peers.all()].some((peer) => peer.keeps(branch, front))) return front.entry;
    }
    return undefined;
  }

  get pausedReason(): string {
    return this.#intake.pausedReason;
  }

  figures(): SyncFigures {
    return {
      window: this.#window.states(),
      windowBlocks: this.#options.windowBlocks,
      requestsInFlight: [...this.#peers.batches()].length,
      requests: this.#ends.figures(),
      receivedBlocks: this.#receivedBlocks,
      receivedBytes: this.#receivedBytes,
      heldBytes: this.#intake.bytes,
      maxHeldBytes: this.#options.intake.maxBytes,
      stallMs: this.#stallMs,
    };
  }

  /** Asks whom it can for what is needed. Cheap when nothing happened that frees a place. */
  step(): void {
    if (!this.#isPlanDue || this.#intake.isPaused) return;
    this.#isPlanDue = false;
    const nowMs = this.#deps.clock.monotonicMs();
    if (this.#isStale) this.#setTargets(nowMs);
    else this.#window.advance(nowMs);
    this.#endIdleBatches(nowMs);
    this.#planner.plan({
      nowMs,
      blockBytes: this.#blockBytes.value,
      heldBytes: this.#intake.bytes,
      stallMs: this.#stallMs,
      sizing: this.#options.sizing,
      holder: (batch) => this.#peers.get(batch.peer),
    });
  }

  async dispose(): Promise<void> {
    this.#dropAll();
    await this.#intake.dispose();
  }

  #resumed(): void {
    this.#isPlanDue = true;
    this.#deps.poke();
  }

  #restart(): void {
    this.#window.reset();
    this.targetsChanged();
    this.#deps.poke();
  }

  #setTargets(nowMs: number): void {
    this.#isStale = false;
    const { peers, chain } = this.#deps;
    const sources = this.#peers.unbenched(nowMs);
    this.#window.setTargets(
      sources.flatMap((peer) => peers.known(peer.id) ?? []),
      nowMs,
    );
    for (const peer of this.#peers.all()) {
      peer.lowestHeight = peers.lowestHeightServed(peer.id);
      peer.reach.clear();
      const known = peers.known(peer.id);
      if (known === undefined) continue;
      for (const branch of this.#window.branches) peer.reach.set(branch, forkHeight(chain, known, branch.target));
    }
  }

  /** Gives up what nobody needs, and what brought nothing for too long. */
  #endIdleBatches(nowMs: number): void {
    for (const batch of this.#peers.batches()) {
      const peer = this.#peers.get(batch.peer);
      if (batch.isOver || peer === undefined) continue;
      if (!batch.owesAny((slot) => slot.isMissing && this.#window.covers(slot))) this.#end(batch, 'dropped');
      else if (batch.silentMs(nowMs) >= peer.patienceMs) {
        peer.growPatience();
        this.#end(batch, 'silent');
      }
    }
  }

  #start(plan: Plan, nowMs: number): void {
    const batch = new Batch(plan.peer.id, plan.slots, nowMs, plan.isHedge);
    plan.peer.batches.add(batch);
    plan.peer.account(nowMs);
    this.#run(batch).catch(this.#deps.fatal);
  }

  async #run(batch: Batch): Promise<void> {
    const { requestBlocks, clock } = this.#deps;
    const hashes = batch.slots.map((slot) => slot.hash);
    try {
      for await (const item of requestBlocks(batch.peer, hashes, batch.controller.signal)) {
        if (batch.isOver) return;
        this.#answered(batch, item);
        if (batch.isOver) return;
        if (!this.#intake.isFull) continue;
        batch.hold(clock.monotonicMs());
        this.#peers.get(batch.peer)?.account(clock.monotonicMs());
        await this.#intake.room();
        batch.resume(clock.monotonicMs());
        this.#peers.get(batch.peer)?.account(clock.monotonicMs());
      }
    } catch (error) {
      if (error instanceof AssertionFailure) throw error;
      if (batch.isOver) return;
      this.#deps.log.debug('blocks request failed', { peer: batch.peer, reason: errorText(error) });
      this.#end(batch, isTimeout(error) ? 'silent' : 'failed');
      return;
    }
    this.#end(batch, batch.owedCount === 0 ? 'complete' : 'short');
  }

  #answered(batch: Batch, item: BlockItem): void {
    const { clock, chain } = this.#deps;
    const nowMs = clock.monotonicMs();
    const slot = batch.head;
    const peer = this.#peers.get(batch.peer);
    if (peer === undefined) return;
    if (slot === undefined || item.hash !== slot.hash) {
      this.#wrong(batch, slot, 'a block that was not asked for');
      return;
    }
    if (item.bytes === undefined) {
      batch.advance(0, nowMs);
      slot.release(batch);
      const isEarly = this.#tracker.isAnnounced(slot.hash);
      slot.refuse(batch.peer, nowMs + (isEarly ? NOT_YET_FOUND_MS : NOT_FOUND_MS));
      if (!isEarly && peer.missed(nowMs)) this.#bench(peer);
      return;
    }
    if (headerHash(item.bytes) !== slot.hash) {
      this.#wrong(batch, slot, 'bytes of another block');
      return;
    }
    batch.advance(item.bytes.length, nowMs);
    peer.delivered(item.bytes.length, nowMs);
    this.#blockBytes.add(item.bytes.length);
    if (peer.room(this.#options.sizing, this.#blockBytes.value, this.#options.maxBatchesPerPeer) > 0) {
      this.#isPlanDue = true;
      this.#deps.poke();
    }
    this.#receivedBlocks += 1;
    this.#receivedBytes += item.bytes.length;
    this.#deps.arrived(item.bytes.length);
    slot.release(batch);
    if (!slot.isMissing || chain.isInvalid(slot.hash)) return;
    const losers = slot.receive(batch);
    this.#settleRace(batch, slot, losers, nowMs);
    this.#tracker.servedBy(slot.hash, batch.peer);
    this.#intake.add({ slot, rank: this.#window.rank(slot), from: batch.peer, bytes: item.bytes });
  }

  /** Learns from who was first, and frees the slower peers of what they owe in vain. */
  #settleRace(winner: Batch, slot: Slot, losers: readonly Batch[], nowMs: number): void {
    for (const loser of losers) {
      // The first source was not stalling after all: the next hedge waits longer.
      if (loser.isHedge && !winner.isHedge && loser.answered === 0 && loser.head === slot)
        this.#stallMs = Math.min(this.#options.maxStallMs, this.#stallMs * 2);
      const peer = this.#peers.get(loser.peer);
      const isSilent = peer?.isSilent(loser, this.#blockBytes.value, this.#options.minStallMs, nowMs) ?? false;
      if (loser.head === slot && isSilent && winner.isHedge) this.#end(loser, 'silent');
      else if (loser.head === slot && winner.isHedge) this.#outrunAtFront(loser, nowMs);
      else if (!loser.owesAny((owed) => owed.isMissing)) this.#end(loser, 'outrun');
    }
  }

  /**
   * The block that held up the rest came from elsewhere. Of a peer whose pace on blocks of this size is not known, what
   * else it is as silent on would hold it up next, for another stall time, and so would what it is asked for now: its
   * first two requests lie in front, side by side. So it gives back all of it, and rests; a strike it is not.
   */
  #outrunAtFront(batch: Batch, nowMs: number): void {
    const peer = this.#peers.get(batch.peer);
    const { minStallMs } = this.#options;
    const isStill = batch.silentMs(nowMs) >= minStallMs;
    this.#end(batch, 'outrun');
    if (peer === undefined || !isStill || peer.hasShownPace(this.#blockBytes.value)) return;
    peer.broke(nowMs);
    for (const other of [...peer.batches]) if (other.silentMs(nowMs) >= minStallMs) this.#end(other, 'dropped');
  }

  #wrong(batch: Batch, slot: Slot | undefined, detail: string): void {
    this.#deps.charge(batch.peer, 'wrong-response', detail);
    slot?.refuse(batch.peer, this.#deps.clock.monotonicMs() + BAD_COPY_MS);
    this.#end(batch, 'wrong');
  }

  #bench(peer: BlockPeer): void {
    const { peers, disconnect, log } = this.#deps;
    log.debug('peer has headers but no bodies', { peer: peer.id });
    for (const batch of [...peer.batches]) this.#end(batch, 'dropped');
    this.targetsChanged();
    // An outbound slot is worth more than a peer that cannot serve its own chain.
    if (peers.isExpendable(peer.id)) disconnect(peer.id, 'serves no blocks of the chain that it claims');
  }

  #end(batch: Batch, why: BatchEnd): void {
    const { clock, charge, poke } = this.#deps;
    const nowMs = clock.monotonicMs();
    const peer = this.#peers.get(batch.peer);
    if (batch.isOver) return;
    if (why === 'short') for (const slot of batch.owed) slot.refuse(batch.peer, nowMs + SHORT_ANSWER_MS);
    batch.end(why);
    this.#ends.add(why);
    if (peer === undefined) return;
    peer.batches.delete(batch);
    this.#isPlanDue = true;
    peer.account(nowMs);
    if (why === 'complete') peer.completed(batch);
    if (why === 'short' || why === 'failed' || why === 'wrong') peer.broke(nowMs);
    if (why === 'silent' && peer.strike(nowMs)) {
      charge(batch.peer, 'stalled', 'blocks that others had to deliver');
      this.targetsChanged();
    }
    if (why === 'silent') for (const other of [...peer.batches]) this.#end(other, 'dropped');
    poke();
  }

  #dropAll(): void {
    for (const batch of this.#peers.batches()) this.#end(batch, 'dropped');
  }

  #decided({ slot, from }: Body, verdict: BodyVerdict): void {
    const { clock, poke } = this.#deps;
    if (verdict.kind === 'stored') slot.store();
    else {
      slot.refuse(from, clock.monotonicMs() + BAD_COPY_MS);
      slot.reject();
      this.blockInvalid(slot.hash, verdict.failure);
    }
    // Of the ordinary block nobody needs to hear at once; it matters to a peer without work, and at the end.
    const isLast = this.#window.branches.some((branch) => branch.target.hash === slot.hash);
    if (!isLast && !this.#planner.isAnyStarved) return;
    this.#isPlanDue = true;
    poke();
  }
}

function headerHash(bytes: Uint8Array): BlockHash | undefined {
  return bytes.length < BLOCK_HEADER_BYTES ? undefined : new BlockHeader(bytes.subarray(0, BLOCK_HEADER_BYTES)).hash;
}
