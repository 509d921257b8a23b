/**
 * One simulated synchronisation, all of it drawn from a seed: a real chain on memory stores that syncs from peers of
 * every kind over links of every speed, with peers coming and going, until it stands at the right tip.
 */
import type { Chain } from '#chain';
import { BLOCK_HEADER_BYTES, type Block, type BlockHash, BlockHeader } from '#primitives';
import { type BlockItem, createSync, type Sync, syncDefaults } from '#sync';
import { nullLogger, type Random, seededRandom, sleep } from '#util';
import { type ChainBuilder, createChainBuilder, regtest } from '../support/chain-builder.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { type Behaviour, SimNetwork, type SimPeer } from '../support/sim-peers.ts';
import { openTestChain } from '../support/test-chain.ts';

/** The chains that peers of all seeds share; building them is the slow part. Genesis first in each. */
export type Blocks = {
  /** The right one: most work among the valid. */
  readonly main: readonly Block[];
  /** Valid, parts from `main` in the middle, less work. */
  readonly stale: readonly Block[];
  /** More work than `main`, with one invalid block. */
  readonly invalid: readonly Block[];
  /** More work than `main`; shown by peers that have the headers only. */
  readonly bodiless: readonly Block[];
};

export type Outcome = {
  readonly seed: number;
  readonly tookMs: number;
  /** What the steady honest peers' bandwidth allows at best. */
  readonly idealMs: number;
  readonly peers: number;
  readonly bytesSent: number;
  /** Most bytes received and not decided on at any moment, and what may be. */
  readonly mostBuffered: number;
  readonly allowedBuffered: number;
  readonly height: number;
  readonly isRightTip: boolean;
  readonly honestCharges: readonly string[];
  readonly liarsCharged: number;
  readonly leftOpen: number;
  readonly leftTimers: number;
  readonly fatal: readonly unknown[];
};

const LIARS: readonly Behaviour[] = [
  'silent',
  'silent-after-one',
  'bad-bytes',
  'wrong-order',
  'headers-only',
  'short-answers',
  'mute',
  'boaster',
  'unconnected',
  'repeater',
  'broken',
];

const MAX_HEADERS = 100;
const BUFFER_BYTES = 400_000;
const LARGEST_BLOCK = 40_000;
const SUBMIT_DEPTH = 2;
const START_MS = 1_700_000_000_000;
/** A day of simulated time: far more than any of the scenarios may need. */
const LIMIT_MS = 86_400_000;

export function buildBlocks(length: number, seed: number): Blocks {
  const random = seededRandom(seed);
  const main = createChainBuilder(regtest(), { seed });
  const mine = (builder: ChainBuilder, count: number, isInvalid = false): void => {
    for (let i = 0; i < count; i++) {
      const size = random.below(4) === 0 ? random.below(LARGEST_BLOCK - 1000) + 1 : random.below(2000) + 1;
      const coinbaseScript = new Uint8Array(size).fill(0x6a);
      builder.mine({ coinbaseScript, ...(isInvalid && i === 0 ? { coinbaseValue: 10n ** 12n } : {}) });
    }
  };
  mine(main, length);
  const stale = main.fork(length >> 1);
  mine(stale, (length >> 1) - 5);
  const invalid = main.fork(Math.floor(length * 0.8));
  mine(invalid, 1, true);
  mine(invalid, length >> 1);
  const bodiless = main.fork(Math.floor(length * 0.6));
  mine(bodiless, length);
  const all = (builder: ChainBuilder): Block[] => [regtest().genesis, ...builder.blocks];
  return { main: all(main), stale: all(stale), invalid: all(invalid), bodiless: all(bodiless) };
}

/** Log-uniform between `low` and `high`. */
function spread(random: Random, low: number, high: number): number {
  return low * (high / low) ** (random.below(1000) / 1000);
}

export async function runWorld(seed: number, blocks: Blocks, maxPeers: number): Promise<Outcome> {
  const random = seededRandom(seed);
  const chain = await openTestChain(regtest(), undefined, { nowSeconds: START_MS / 1000 });
  const clock = createManualClock(START_MS, { settle: () => chain.idle() });
  const world = new World(clock, chain, random, blocks);
  world.populate(1 + random.below(maxPeers));
  await world.run();
  const outcome = world.outcome(seed);
  await world.stop();
  await chain[Symbol.asyncDispose]();
  return { ...outcome, leftOpen: world.net.openRequests, leftTimers: clock.pending() };
}

class World {
  readonly net: SimNetwork;
  readonly #clock: ManualClock;
  readonly #chain: Chain;
  readonly #random: Random;
  readonly #blocks: Blocks;
  readonly #sync: Sync;
  readonly #fatal: unknown[] = [];
  readonly #banned = new Set<string>();
  readonly #churning: SimPeer[] = [];
  readonly #held = new Map<BlockHash, number>();
  /** What the chain needs for a block, in some of the worlds. */
  readonly #submitMs: number;
  #mostBuffered = 0;
  #bodyBytes = 0;
  #isOver = false;

  constructor(clock: ManualClock, chain: Chain, random: Random, blocks: Blocks) {
    this.#clock = clock;
    this.#chain = chain;
    this.#random = random;
    this.#blocks = blocks;
    this.#submitMs = random.below(4) === 0 ? random.below(100) : 0;
    const workOf = (peerBlocks: readonly Block[]): bigint => BigInt(peerBlocks.length) * 2n;
    this.net = new SimNetwork({ clock, random, workOf, maxHeaders: MAX_HEADERS });
    const deps = this.net.deps();
    this.#sync = createSync(
      {
        ...deps,
        chain: { ...chain, submitBlock: (block) => this.#submit(block) },
        requestBlocks: (peer, hashes, signal) => this.#counted(deps.requestBlocks(peer, hashes, signal)),
        charge: (peer, offence, detail) => {
          deps.charge(peer, offence, detail);
          this.#judgePeer(peer);
        },
        judge: (peer, what, failure) => {
          deps.judge(peer, what, failure);
          this.#judgePeer(peer);
        },
        disconnect: (peer, reason) => {
          deps.disconnect(peer, reason);
          this.#leave(peer);
        },
        fatal: (error) => this.#fatal.push(error),
        clock,
        random,
        log: nullLogger,
      },
      {
        headers: { ...syncDefaults.headers, maxHeadersPerRequest: MAX_HEADERS },
        blocks: { ...syncDefaults.blocks, windowBlocks: 64, intake: { maxBytes: BUFFER_BYTES, depth: SUBMIT_DEPTH } },
      },
    );
  }

  /** One honest peer stays all the time; the others are drawn. */
  populate(count: number): void {
    const liarShare = this.#random.below(80);
    const churnShare = this.#random.below(60);
    for (let i = 0; i < count; i++) {
      const isLiar = i > 0 && this.#random.below(100) < liarShare;
      const peer = isLiar ? this.#addLiar(`liar${i}`) : this.#addHonest(`peer${i}`, i > 0);
      if (i > 0 && this.#random.below(100) < churnShare) this.#churning.push(peer);
    }
    // In random order of hello.
    for (const peer of [...this.net.peers.values()].sort(() => this.#random.below(3) - 1)) this.#join(peer);
    if (this.#churning.length > 0) this.#churn();
  }

  async run(): Promise<void> {
    const goal = this.#blocks.main.at(-1)?.hash;
    await this.#clock.runUntil(() => this.#fatal.length > 0 || this.#chain.tip().hash === goal, LIMIT_MS);
  }

  outcome(seed: number): Omit<Outcome, 'leftOpen' | 'leftTimers'> {
    const steady = [...this.net.peers.values()].filter(
      (peer) =>
        peer.options.behaviour === 'honest' && !this.#churning.includes(peer) && peer.chain === this.#blocks.main,
    );
    const bandwidth = steady.reduce((sum, peer) => sum + peer.options.bytesPerSecond, 0);
    const bytes = this.#blocks.main.reduce((sum, block) => sum + block.size + 80, 0);
    return {
      seed,
      tookMs: this.#clock.monotonicMs(),
      idealMs: Math.max((bytes / bandwidth) * 1000, (this.#blocks.main.length * this.#submitMs) / SUBMIT_DEPTH),
      peers: this.net.peers.size,
      bytesSent: this.#bodyBytes,
      mostBuffered: this.#mostBuffered,
      allowedBuffered: BUFFER_BYTES + this.net.peers.size * LARGEST_BLOCK,
      height: this.#chain.tip().height,
      isRightTip: this.#chain.tip().hash === this.#blocks.main.at(-1)?.hash,
      honestCharges: this.net.charges
        .filter(({ peer }) => peer.startsWith('peer'))
        .map(({ peer, offence, detail }) => `${peer} ${offence}: ${detail}`),
      liarsCharged: new Set(this.net.charges.map(({ peer }) => peer).filter((peer) => peer.startsWith('liar'))).size,
      fatal: this.#fatal,
    };
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#clock.runUntil(Promise.resolve(this.#sync[Symbol.asyncDispose]()));
    // What simulated peers still sleep on ends with their signals, churn with its next turn.
    await this.#clock.advance(20_000);
  }

  #addHonest(id: string, mayBeStale: boolean): SimPeer {
    const isStale = mayBeStale && this.#random.below(6) === 0;
    return this.net.add(id, {
      chain: isStale ? this.#blocks.stale : this.#blocks.main,
      latencyMs: spread(this.#random, 2, 300),
      bytesPerSecond: spread(this.#random, 20_000, 2_000_000),
      isOutbound: this.#random.below(2) === 0,
    });
  }

  #addLiar(id: string): SimPeer {
    const behaviour = LIARS[this.#random.below(LIARS.length)] ?? 'silent';
    const { main, invalid, bodiless } = this.#blocks;
    // A liar with honest answers serves the invalid chain.
    const servesInvalid = this.#random.below(6) === 0;
    const silentOwnChain = behaviour === 'headers-only' || (behaviour === 'silent' && this.#random.below(2) === 0);
    return this.net.add(id, {
      chain: servesInvalid ? invalid : silentOwnChain ? bodiless : main,
      behaviour: servesInvalid ? 'honest' : behaviour,
      latencyMs: spread(this.#random, 2, 300),
      bytesPerSecond: spread(this.#random, 20_000, 2_000_000),
      isOutbound: this.#random.below(2) === 0,
    });
  }

  #join(peer: SimPeer): void {
    if (this.#banned.has(peer.id)) return;
    peer.isConnected = true;
    this.#sync.peerReady(peer.id, this.net.hello(peer));
  }

  #leave(id: string): void {
    const peer = this.net.peers.get(id);
    if (peer?.isConnected !== true) return;
    peer.isConnected = false;
    this.#sync.peerGone(id);
  }

  #churn(): void {
    this.#clock.after(1000 + this.#random.below(9000), () => {
      const peer = this.#churning[this.#random.below(this.#churning.length)];
      if (peer === undefined || this.#isOver) return;
      if (peer.isConnected) this.#leave(peer.id);
      else this.#join(peer);
      this.#churn();
    });
  }

  /** As the network does: fatal offences ban at once, serious ones at the third, minor ones at the tenth. */
  #judgePeer(id: string): void {
    const points = this.net.charged(id).reduce((sum, offence) => {
      if (offence.startsWith('invalid')) return sum + 100;
      return sum + (offence === 'wrong-response' ? 34 : 10);
    }, 0);
    if (points < 100) return;
    this.#banned.add(id);
    this.#leave(id);
  }

  /** Counts what arrives, and what of it sync holds: bodies that it believes and the chain has not decided on. */
  async *#counted(items: AsyncIterable<BlockItem>): AsyncIterable<BlockItem> {
    for await (const item of items) {
      const { hash, bytes } = item;
      if (bytes !== undefined) {
        this.#bodyBytes += bytes.length;
        const isBelieved = new BlockHeader(bytes.subarray(0, BLOCK_HEADER_BYTES)).hash === hash;
        if (isBelieved && !this.#chain.hasBlock(hash) && !this.#chain.isInvalid(hash))
          this.#held.set(hash, bytes.length);
        const held = [...this.#held.values()].reduce((sum, length) => sum + length, 0);
        this.#mostBuffered = Math.max(this.#mostBuffered, held);
      }
      yield item;
    }
  }

  async #submit(block: Block): ReturnType<Chain['submitBlock']> {
    if (this.#submitMs > 0) await sleep(this.#clock, this.#submitMs);
    const verdict = await this.#chain.submitBlock(block);
    this.#held.delete(block.hash);
    return verdict;
  }
}
