/**
 * Whether a peer's header chain has the work that it takes to be stored, found out in bounded memory: Core's
 * HeadersSyncState (headerssync.h). The chain is downloaded twice. `presync` checks what can be checked of a header
 * without its ancestors, adds up the work, and keeps one secret bit of every 606th header. `redownload` checks that the
 * same chain comes again by those bits, and releases a header once the bits of so many behind it agreed that nobody
 * can have guessed them. No network, no clock, no tree.
 * Invariants: nothing is released before the chain has shown `minimumWork`; at most one bit for each 606 headers that
 * can exist by now, and the redownload queue, is kept.
 */
import {
  blockProof,
  checkBlockHeader,
  failure,
  limits,
  type NetworkParams,
  permittedDifficultyTransition,
  type ValidationFailure,
} from '#consensus';
import { siphash24 } from '#crypto';
import { type BlockHash, type BlockHeader, blockHashFromBytes, idToBytes } from '#primitives';
import { byteAt, equalBytes, type Random } from '#util';
import { BitQueue } from './bit-queue.ts';
import { HeaderQueue } from './header-queue.ts';
import type { PresyncOptions } from './options.ts';

/** The fastest that a chain can grow for long: each block later than the median of the eleven before it. */
const MAX_BLOCKS_PER_SECOND = 6;

/** The stored header that the peer's chain starts behind. */
export type PresyncStart = {
  readonly hash: BlockHash;
  readonly height: number;
  readonly header: { readonly bits: number };
  readonly chainWork: bigint;
  readonly medianTimePast: number;
};

export type PresyncDeps = {
  readonly params: NetworkParams;
  readonly random: Random;
  /** Our clock, Unix seconds. */
  readonly nowSeconds: number;
};

export type PresyncVerdict =
  /** Ask for what follows `lastHash`. */
  | { readonly kind: 'more' }
  /** The chain has the work; all that is left of it here is released. */
  | { readonly kind: 'proved' }
  /** The peer's chain ended before it had the work. */
  | { readonly kind: 'low-work' }
  /** A header breaks a rule. */
  | { readonly kind: 'invalid'; readonly failure: ValidationFailure }
  /** Headers that do not follow what was asked for. */
  | { readonly kind: 'unconnected' }
  /** Another chain than the first time. */
  | { readonly kind: 'changed' }
  /** More headers than can be valid by now, if our clock is right. */
  | { readonly kind: 'too-long' };

export class Presync {
  readonly #start: PresyncStart;
  readonly #minimumWork: bigint;
  readonly #params: NetworkParams;
  readonly #options: PresyncOptions;
  readonly #saltKey: Uint8Array;
  readonly #commitOffset: number;
  readonly #commitments: BitQueue;
  readonly #scratch = new Uint8Array(8);
  #phase: 'presync' | 'redownload' = 'presync';
  /** The last header of the present pass. */
  #height: number;
  #lastHash: Uint8Array;
  #lastBits: number;
  #work: bigint;
  #proofOfLastBits: bigint;
  #queue: HeaderQueue | undefined;

  constructor(start: PresyncStart, minimumWork: bigint, deps: PresyncDeps, options: PresyncOptions) {
    this.#start = start;
    this.#minimumWork = minimumWork;
    this.#params = deps.params;
    this.#options = options;
    this.#saltKey = deps.random.bytes(16);
    this.#commitOffset = deps.random.below(options.commitmentPeriod);
    const seconds = deps.nowSeconds - start.medianTimePast + limits.MAX_FUTURE_BLOCK_SECONDS;
    this.#commitments = new BitQueue(
      Math.max(0, Math.floor((MAX_BLOCKS_PER_SECOND * seconds) / options.commitmentPeriod)),
    );
    this.#height = start.height;
    this.#lastHash = idToBytes(start.hash);
    this.#lastBits = start.header.bits;
    this.#work = start.chainWork;
    this.#proofOfLastBits = blockProof(this.#lastBits);
  }

  get phase(): 'presync' | 'redownload' {
    return this.#phase;
  }

  /** How far the present pass is. */
  get height(): number {
    return this.#height;
  }

  /** Total work up to there. */
  get work(): bigint {
    return this.#work;
  }

  /** What the next request goes on from; behind it in the locator comes that of `start` (Core's NextHeadersRequestLocator). */
  get lastHash(): BlockHash {
    return blockHashFromBytes(this.#lastHash);
  }

  /** The chain has shown its work twice. */
  get isProved(): boolean {
    return this.#phase === 'redownload' && this.#work >= this.#minimumWork;
  }

  /** Memory that commitments and queue take. */
  get bytes(): number {
    return this.#commitments.bytes + (this.#queue?.bytes ?? 0);
  }

  /** Takes one answer, at least one header. `isFull`: the peer may have more. After any but `more` it is over. */
  take(headers: readonly BlockHeader[], isFull: boolean): PresyncVerdict {
    const isRedownload = this.#phase === 'redownload';
    for (const header of headers) {
      const verdict = this.#check(header);
      if (verdict !== undefined) return verdict;
      this.#advance(header);
      if (!this.#agrees(header)) return { kind: isRedownload ? 'changed' : 'too-long' };
      this.#queue?.push(header);
    }
    if (this.isProved) return { kind: 'proved' };
    if (this.#work >= this.#minimumWork) this.#beginRedownload();
    else if (!isFull) return { kind: 'low-work' };
    return { kind: 'more' };
  }

  /** Up to `max` headers that may be stored now; each is the child of the one before. */
  release(max: number): BlockHeader[] {
    const queue = this.#queue;
    if (queue === undefined) return [];
    const kept = this.isProved ? 0 : this.#options.redownloadBuffer;
    return queue.take(Math.min(max, queue.size - kept));
  }

  #check(header: BlockHeader): PresyncVerdict | undefined {
    if (!equalBytes(header.prevHashBytes, this.#lastHash)) return { kind: 'unconnected' };
    const invalid = checkBlockHeader(header, this.#params);
    if (invalid !== undefined) return { kind: 'invalid', failure: invalid };
    if (permittedDifficultyTransition(this.#params, this.#height + 1, this.#lastBits, header.bits)) return undefined;
    return { kind: 'invalid', failure: failure('invalid-header', 'bad-diffbits', 'difficulty changes too fast') };
  }

  #advance(header: BlockHeader): void {
    if (header.bits !== this.#lastBits) {
      this.#lastBits = header.bits;
      this.#proofOfLastBits = blockProof(header.bits);
    }
    this.#work += this.#proofOfLastBits;
    this.#height += 1;
    this.#lastHash = header.hashBytes;
  }

  /** Commits to the header, or compares it with what was committed to. */
  #agrees(header: BlockHeader): boolean {
    if (this.#height % this.#options.commitmentPeriod !== this.#commitOffset) return true;
    if (this.#phase === 'presync') return this.#commitments.push(this.#saltedBit(header.hashBytes));
    // Once the work is there no more is compared: the chain may have grown since the first pass.
    return this.isProved || this.#commitments.shift() === this.#saltedBit(header.hashBytes);
  }

  #saltedBit(hash: Uint8Array): 0 | 1 {
    siphash24(hash, this.#saltKey, this.#scratch);
    return (byteAt(this.#scratch, 0) & 1) === 1 ? 1 : 0;
  }

  #beginRedownload(): void {
    const { hash, height, header, chainWork } = this.#start;
    this.#phase = 'redownload';
    this.#height = height;
    this.#lastHash = idToBytes(hash);
    this.#lastBits = header.bits;
    this.#proofOfLastBits = blockProof(header.bits);
    this.#work = chainWork;
    this.#queue = new HeaderQueue(this.#options.redownloadBuffer + this.#options.maxHeadersPerRequest);
  }
}
