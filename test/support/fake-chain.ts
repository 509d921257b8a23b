/**
 * A small chain in memory for tests of what stands above it: headers need no work, a block is one transaction, and its
 * validity is written in it. Behaves as the chain port says: bodies in any order, most work wins, invalid ones marked.
 */
import type { BlockVerdict, ChainObserver, ConnectedBlock, HeaderEntry, HeadersVerdict } from '#chain';
import { failure, type NetworkParams, type ValidationFailure } from '#consensus';
import { hash256 } from '#crypto';
import { Block, type BlockHash, BlockHeader, blockHashFromBytes, Writer } from '#primitives';
import type { SyncChain } from '#sync';
import { assert } from '#util';
import { lowWorkRefusal } from '../../src/chain/low-work.ts';
import { checkProofOfWork, targetToCompact } from '../../src/consensus/pow.ts';
import { regtest } from './chain-builder.ts';

const INVALID_LOCK_TIME = 0xdead;
const NO_HASH = blockHashFromBytes(new Uint8Array(32));

export type FakeBlockOptions = {
  /** Serialised size in bytes, at least 150. */
  readonly size?: number;
  /** Connecting it fails with a consensus code. */
  readonly isInvalid?: boolean;
  /** Tells blocks on the same parent apart. */
  readonly salt?: number;
  /** Of the header; default 1. */
  readonly work?: number;
};

/** Every hash meets it, or nearly. */
const ANY_HASH = 2n ** 256n - 1n;

/** Work of a header: its version, and what its bits stand for. */
export function fakeBlock(parent: BlockHash, options: FakeBlockOptions = {}): Block {
  const { size = 200, isInvalid = false, salt = 0, work = 1 } = options;
  const tx = new Writer(size).i32(1).compactSize(1).bytes(new Uint8Array(36));
  const scriptBytes = Math.max(0, size - 80 - 1 - 4 - 1 - 36 - 5 - 4 - 1 - 9 - 4);
  tx.compactSize(scriptBytes).bytes(new Uint8Array(scriptBytes)).u32(salt);
  tx.compactSize(1)
    .u64(0n)
    .compactSize(0)
    .u32(isInvalid ? INVALID_LOCK_TIME : 0);
  const body = tx.finish();
  const header = solvedHeader(parent, hash256(body), work, salt);
  return new Block(new Writer(81 + body.length).bytes(header.raw).compactSize(1).bytes(body).finish());
}

/** More work than one is done. */
function solvedHeader(prevHash: BlockHash, merkleRoot: Uint8Array, work: number, salt: number): BlockHeader {
  const target = 2n ** 256n / BigInt(Math.max(work, 1)) - 1n;
  const fields = { version: work, prevHash, merkleRoot, time: 0, bits: targetToCompact(target) };
  for (let nonce = salt; ; nonce += 2 ** 12) {
    const header = BlockHeader.fromFields({ ...fields, nonce });
    if (work <= 1 || checkProofOfWork(header.hashBytes, fields.bits, ANY_HASH)) return header;
  }
}

export const fakeGenesis: Block = fakeBlock(NO_HASH);

/** `count` blocks on `parent` (default: genesis). */
export function fakeBlocks(
  count: number,
  parent: BlockHash = fakeGenesis.hash,
  options: FakeBlockOptions = {},
): Block[] {
  const blocks: Block[] = [];
  for (let i = 0; i < count; i++) {
    const block = fakeBlock(parent, options);
    blocks.push(block);
    parent = block.hash;
  }
  return blocks;
}

/** The same header with another body. */
export function mutated(block: Block): Block {
  const raw = block.raw.slice();
  const last = raw.length - 1;
  raw[last] = (raw[last] ?? 0) ^ 1;
  return new Block(raw);
}

export type FakeChain = Omit<SyncChain, 'submitBlock'> & {
  /** May be replaced, to interfere. */
  submitBlock: SyncChain['submitBlock'];
  /** Thrown by submitBlock while set. */
  fault: Error | undefined;
  /** Awaited before each submitBlock decides. */
  delay: (() => Promise<void>) | undefined;
  /** Heights in the order in which bodies were handed in. */
  readonly submitted: readonly number[];
};

export function createFakeChain(options: { readonly minimumChainWork?: bigint } = {}): FakeChain {
  return new MemoryChain(options.minimumChainWork ?? 0n);
}

class MemoryChain implements FakeChain {
  readonly params: NetworkParams;
  fault: Error | undefined;
  delay: (() => Promise<void>) | undefined;
  readonly submitted: number[] = [];
  readonly #entries = new Map<BlockHash, HeaderEntry>();
  readonly #bodies = new Map<BlockHash, Block>([[fakeGenesis.hash, fakeGenesis]]);
  readonly #complete = new Set<BlockHash>([fakeGenesis.hash]);
  readonly #candidates = new Set<HeaderEntry>();
  readonly #waiting = new Map<BlockHash, HeaderEntry[]>();
  readonly #failed = new Set<BlockHash>();
  /** The branch of the best header by height, for fast ancestors. */
  readonly #line: HeaderEntry[] = [];
  readonly #observers = new Set<ChainObserver>();
  #queue: Promise<unknown> = Promise.resolve();
  #tip: HeaderEntry;
  #best: HeaderEntry;

  constructor(minimumChainWork: bigint) {
    this.params = { ...regtest(), pow: { ...regtest().pow, limit: ANY_HASH }, minimumChainWork };
    const { header, hash } = fakeGenesis;
    this.#tip = { hash, height: 0, header, chainWork: 1n, medianTimePast: 0 };
    this.#best = this.#tip;
    this.#entries.set(hash, this.#tip);
    this.#line.push(this.#tip);
  }

  tip = (): HeaderEntry => this.#tip;
  bestHeader = (): HeaderEntry => this.#best;
  getHeader = (hash: BlockHash): HeaderEntry | undefined => this.#entries.get(hash);
  hasBlock = (hash: BlockHash): boolean => this.#bodies.has(hash);

  isInvalid = (hash: BlockHash): boolean => {
    if (this.#failed.size === 0) return false;
    for (let entry = this.#entries.get(hash); entry !== undefined; entry = this.#parent(entry)) {
      if (this.#failed.has(entry.hash)) return true;
    }
    return false;
  };

  ancestor = (entry: HeaderEntry, height: number): HeaderEntry => {
    let at = entry;
    while (at.height > height && this.#line[at.height] !== at) at = this.#parent(at) ?? at;
    return at.height > height ? (this.#line[height] ?? at) : at;
  };

  locator = (from: HeaderEntry = this.#best): BlockHash[] => {
    const hashes: BlockHash[] = [];
    for (let height = from.height, step = 1; ; height = Math.max(0, height - step)) {
      hashes.push(this.ancestor(from, height).hash);
      if (height === 0) return hashes;
      if (hashes.length > 10) step *= 2;
    }
  };

  observe = (observer: ChainObserver): (() => void) => {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  };

  submitHeaders = (...[headers, { minimumWork = 0n } = {}]: Parameters<SyncChain['submitHeaders']>): HeadersVerdict => {
    const workOf = (hash: BlockHash): bigint | undefined => this.#entries.get(hash)?.chainWork;
    const refusal = lowWorkRefusal({ params: this.params, workOf }, headers, minimumWork);
    if (refusal !== undefined) return { kind: 'rejected', ...refusal };
    let last = this.#best;
    let added = 0;
    for (const [index, header] of headers.entries()) {
      const known = this.#entries.get(header.hash);
      const parent = this.#entries.get(header.prevHash);
      const wrong = this.#headerFailure(header, parent);
      if (known === undefined && wrong !== undefined) return { kind: 'rejected', index, failure: wrong };
      last = known ?? this.#add(header, parent);
      added += known === undefined ? 1 : 0;
    }
    return { kind: 'accepted', last, added };
  };

  submitBlock = (block: Block): Promise<BlockVerdict> => {
    const task = this.#queue.then(() => this.#take(block));
    this.#queue = task.catch(() => undefined);
    return task;
  };

  #headerFailure(header: BlockHeader, parent: HeaderEntry | undefined): ValidationFailure | undefined {
    if (parent === undefined) return failure('missing-prev', 'prev-blk-not-found');
    if (this.isInvalid(parent.hash)) return failure('invalid-prev', 'bad-prevblk');
    return header.version <= 0 ? failure('invalid-header', 'high-hash') : undefined;
  }

  #add(header: BlockHeader, parent: HeaderEntry | undefined): HeaderEntry {
    assert(parent !== undefined, 'the parent is known');
    const chainWork = parent.chainWork + BigInt(header.version);
    const entry = { hash: header.hash, height: parent.height + 1, header, chainWork, medianTimePast: 0 };
    this.#entries.set(entry.hash, entry);
    if (chainWork > this.#best.chainWork) this.#setBest(entry);
    return entry;
  }

  #setBest(entry: HeaderEntry): void {
    this.#best = entry;
    this.#line.length = entry.height + 1;
    for (let at: HeaderEntry | undefined = entry; at !== undefined; at = this.#parent(at)) {
      if (this.#line[at.height] === at) return;
      this.#line[at.height] = at;
    }
  }

  async #take(block: Block): Promise<BlockVerdict> {
    await this.delay?.();
    if (this.fault !== undefined) throw this.fault;
    const entry = this.#entries.get(block.hash);
    if (entry === undefined) return { kind: 'invalid', failure: failure('missing-prev', 'prev-blk-not-found') };
    this.submitted.push(entry.height);
    if (this.#bodies.has(block.hash)) return { kind: 'duplicate', entry };
    const root = blockHashFromBytes(hash256(block.raw.subarray(81)));
    if (root !== blockHashFromBytes(block.header.merkleRoot)) {
      return { kind: 'invalid', failure: failure('mutated', 'bad-txnmrklroot') };
    }
    this.#bodies.set(block.hash, block);
    this.#bodyStored(entry);
    await this.#activate();
    if (this.#failed.has(block.hash)) return { kind: 'invalid', failure: failure('consensus', 'bad-fake') };
    return this.ancestor(this.#tip, Math.min(entry.height, this.#tip.height)) === entry
      ? { kind: 'connected', entry }
      : { kind: 'stored', entry };
  }

  async #activate(): Promise<void> {
    for (;;) {
      const target = this.#bestComplete();
      if (target === undefined) return;
      const fork = this.#fork(target);
      const disconnected = this.#between(fork, this.#tip).reverse();
      const connected: ConnectedBlock[] = [];
      let bad: HeaderEntry | undefined;
      for (const step of this.#between(fork, target)) {
        if (step.block.transactions[0]?.lockTime === INVALID_LOCK_TIME) bad = step.entry;
        if (bad !== undefined) break;
        connected.push(step);
      }
      this.#tip = connected.at(-1)?.entry ?? fork;
      if (bad !== undefined) this.#fail(bad);
      const change = { disconnected, connected, tip: this.#tip, isSettled: true };
      for (const observer of this.#observers) await observer.changed?.(change);
    }
  }

  #fail(entry: HeaderEntry): void {
    this.#failed.add(entry.hash);
    let best = this.#tip;
    for (const other of this.#entries.values()) {
      if (other.chainWork > best.chainWork && !this.isInvalid(other.hash)) best = other;
    }
    this.#setBest(best);
    for (const observer of this.#observers) observer.blockInvalid?.(entry.hash, failure('consensus', 'bad-fake'));
  }

  /** The header with most work above the tip's whose bodies are all here. */
  #bestComplete(): HeaderEntry | undefined {
    let best = this.#tip;
    for (const entry of this.#candidates) {
      if (this.isInvalid(entry.hash) || entry.chainWork <= this.#tip.chainWork) this.#candidates.delete(entry);
      else if (entry.chainWork > best.chainWork) best = entry;
    }
    return best === this.#tip ? undefined : best;
  }

  /** The body is here: the block, and those that waited for it, are complete if the parent is. */
  #bodyStored(entry: HeaderEntry): void {
    if (!this.#complete.has(entry.header.prevHash)) {
      const waiting = this.#waiting.get(entry.header.prevHash) ?? [];
      this.#waiting.set(entry.header.prevHash, [...waiting, entry]);
      return;
    }
    for (const queue = [entry]; ; ) {
      const next = queue.pop();
      if (next === undefined) return;
      this.#complete.add(next.hash);
      this.#candidates.add(next);
      queue.push(...(this.#waiting.get(next.hash) ?? []));
      this.#waiting.delete(next.hash);
    }
  }

  #fork(target: HeaderEntry): HeaderEntry {
    let a = this.#tip;
    let b = target;
    while (a !== b) {
      if (a.height >= b.height) a = this.#parent(a) ?? a;
      else b = this.#parent(b) ?? b;
    }
    return a;
  }

  /** Blocks above `below` up to `top`, upwards. */
  #between(below: HeaderEntry, top: HeaderEntry): ConnectedBlock[] {
    const found: ConnectedBlock[] = [];
    for (let at = top; at !== below; at = this.#parent(at) ?? below) {
      const block = this.#bodies.get(at.hash);
      assert(block !== undefined, 'the body is here');
      found.push({ entry: at, block });
    }
    return found.reverse();
  }

  #parent(entry: HeaderEntry): HeaderEntry | undefined {
    return this.#entries.get(entry.header.prevHash);
  }
}
