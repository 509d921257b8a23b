/**
 * Peers of a simulated network, seen from one node that syncs: each has a chain, a latency, a bandwidth and a way of
 * behaving. All waiting is the clock's. What peers are charged with is recorded, and a ban can be simulated.
 */
import type { Block, BlockHash, BlockHeader } from '#primitives';
import type { BlockItem, PeerId, SyncDeps, SyncPeer } from '#sync';
import { type Clock, NodeError, type Random, sleep } from '#util';
import { CheapHeaders } from './cheap-headers.ts';
import { mutated } from './fake-chain.ts';
import { SimLink } from './sim-link.ts';

export type Behaviour =
  | 'honest'
  /** Never answers a request for blocks. */
  | 'silent'
  /** Answers one block of each request, then nothing. */
  | 'silent-after-one'
  /** Real headers over changed bodies. */
  | 'bad-bytes'
  | 'wrong-order'
  /** Has headers, and "not found" for every body. */
  | 'headers-only'
  /** Ends each answer after the first block. */
  | 'short-answers'
  /** Never answers a request for headers. */
  | 'mute'
  /** Claims far more work than it has. */
  | 'boaster'
  /** Headers that lead nowhere. */
  | 'unconnected'
  /** The same headers again and again. */
  | 'repeater'
  /** Every exchange breaks. */
  | 'broken'
  /** Claims far more work than anybody and shows an endless chain of cheap, valid headers from genesis on. */
  | 'low-work-flood'
  /** Honest, but refuses each third request for headers: its quota is used up. */
  | 'busy'
  /** A byte every few seconds: never silent for the network, and never done. */
  | 'slow-drip';

export type SimPeerOptions = {
  /** Genesis first. */
  readonly chain: readonly Block[];
  readonly behaviour?: Behaviour;
  /** Behaves well until it has sent `afterBlocks`. */
  readonly turn?: { readonly afterBlocks: number; readonly into: Behaviour } | undefined;
  /** One way. */
  readonly latencyMs?: number;
  readonly bytesPerSecond?: number;
  /** Of 10,000 blocks, how many are held up by a lost packet, and in how many the exchange breaks. */
  readonly lossesIn10k?: number;
  readonly breaksIn10k?: number;
  readonly isOutbound?: boolean;
  readonly lowestHeightServed?: number;
  /** Chain work of the tip; default: what `workOf` of the network says. */
  readonly work?: bigint;
};

export type SimPeer = {
  readonly id: PeerId;
  readonly options: Required<Omit<SimPeerOptions, 'work'>>;
  /** May be replaced: the peer was reorganised or found a block. */
  chain: readonly Block[];
  index: ReadonlyMap<BlockHash, number>;
  /** Bodies that it can serve: those of former chains too, as a real node does. */
  readonly bodies: Map<BlockHash, Block>;
  isConnected: boolean;
  /** Its uplink. */
  readonly link: SimLink;
  bytesSent: number;
  blocksSent: number;
  /** What a `low-work-flood` shows; made when first asked for. */
  flood: CheapHeaders | undefined;
};

export type Charge = { readonly peer: PeerId; readonly offence: string; readonly detail: string };

export type SimNetworkOptions = {
  readonly clock: Clock;
  readonly random: Random;
  /** Total work of a chain, genesis included. */
  readonly workOf?: (chain: readonly Block[]) => bigint;
  /** Silence after which the network layer gives an exchange up. */
  readonly streamTimeoutMs?: number;
  readonly maxHeaders?: number;
  /** What a header weighs on the links. */
  readonly headerBytes?: number;
};

/** The row's time for a whole answer. */
const WHOLE_ANSWER_MS = 600_000;
/** What a lost packet costs: about the first retransmission timeouts. */
const MIN_LOSS_MS = 200;
const MAX_LOSS_MS = 800;

export class SimNetwork {
  readonly charges: Charge[] = [];
  readonly disconnects: PeerId[] = [];
  /** Who was asked for headers, in order. */
  readonly headerRequests: PeerId[] = [];
  readonly peers = new Map<PeerId, SimPeer>();
  /** Requests for blocks that are open now, and the most at any time. */
  openRequests = 0;
  mostOpenRequests = 0;
  /** Bytes of all answers. */
  bytesSent = 0;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #workOf: (chain: readonly Block[]) => bigint;
  readonly #streamTimeoutMs: number;
  readonly #maxHeaders: number;
  readonly #headerBytes: number;
  readonly #indexes = new WeakMap<readonly Block[], ReadonlyMap<BlockHash, number>>();

  constructor(options: SimNetworkOptions) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#workOf = options.workOf ?? ((chain) => chain.reduce((sum, block) => sum + BigInt(block.header.version), 0n));
    this.#streamTimeoutMs = options.streamTimeoutMs ?? 10_000;
    this.#maxHeaders = options.maxHeaders ?? 2000;
    this.#headerBytes = options.headerBytes ?? 80;
  }

  add(id: PeerId, options: SimPeerOptions): SimPeer {
    const peer: SimPeer = {
      id,
      options: {
        behaviour: 'honest',
        turn: undefined,
        latencyMs: 20,
        bytesPerSecond: 1_000_000,
        lossesIn10k: 0,
        breaksIn10k: 0,
        isOutbound: true,
        lowestHeightServed: 0,
        ...options,
      },
      chain: [],
      index: new Map(),
      bodies: new Map(),
      isConnected: true,
      link: new SimLink(this.#clock, options.bytesPerSecond ?? 1_000_000, this.#streamTimeoutMs),
      bytesSent: 0,
      blocksSent: 0,
      flood: undefined,
    };
    this.setChain(peer, options.chain);
    this.peers.set(id, peer);
    return peer;
  }

  setChain(peer: SimPeer, chain: readonly Block[]): void {
    const known = this.#indexes.get(chain);
    const index = known ?? new Map(chain.map((block, height) => [block.hash, height]));
    if (known === undefined) this.#indexes.set(chain, index);
    for (let height = chain.length - 1; height >= 0; height--) {
      const block = chain[height];
      // What it has already leads back to genesis.
      if (block === undefined || peer.bodies.has(block.hash)) break;
      peer.bodies.set(block.hash, block);
    }
    peer.chain = chain;
    peer.index = index;
  }

  /** What the peer says in hello. */
  hello(peer: SimPeer): SyncPeer {
    const tip = peer.chain.at(-1);
    if (tip === undefined) throw new Error('a chain has a genesis block');
    const behaviour = behaviourOf(peer);
    const isBoaster = behaviour === 'boaster' || behaviour === 'low-work-flood';
    return {
      tipHash: isBoaster ? (tip.hash.replace(/.$/, 'f').replace(/^./, 'f') as BlockHash) : tip.hash,
      tipHeight: peer.chain.length - 1 + (isBoaster ? 1_000_000 : 0),
      tipChainWork: this.#workOf(peer.chain) + (isBoaster ? 2n ** 200n : 0n),
      lowestHeightServed: peer.options.lowestHeightServed,
      isOutbound: peer.options.isOutbound,
    };
  }

  charged(peer: PeerId): string[] {
    return this.charges.filter((charge) => charge.peer === peer).map((charge) => charge.offence);
  }

  /** The network's side of what sync needs. */
  deps(): Pick<SyncDeps, 'requestHeaders' | 'requestBlocks' | 'charge' | 'judge' | 'disconnect'> {
    return {
      requestHeaders: (peer, locator, _stop, signal) => this.#headers(peer, locator, signal),
      requestBlocks: (peer, hashes, signal) => this.#blocks(peer, hashes, signal),
      charge: (peer, offence, detail) => this.charges.push({ peer, offence, detail }),
      judge: (peer, what, { kind, code }) => {
        if (kind === 'time-future') return;
        this.charges.push({ peer, offence: what === 'block' ? 'invalid-block' : 'invalid-header', detail: code });
      },
      disconnect: (peer) => this.disconnects.push(peer),
    };
  }

  async #headers(id: PeerId, locator: readonly BlockHash[], signal: AbortSignal): Promise<BlockHeader[]> {
    const peer = this.#connected(id);
    this.headerRequests.push(id);
    await this.#wait(2 * peer.options.latencyMs, signal);
    const behaviour = behaviourOf(peer);
    if (behaviour === 'mute') await this.#hang(signal);
    if (behaviour === 'broken') throw new Error('stream reset');
    if (behaviour === 'busy' && this.headerRequests.length % 3 === 0) throw new Error('the peer answered busy');
    if (behaviour === 'low-work-flood') return this.#flood(peer, locator, signal);
    if (behaviour === 'repeater') locator = [];
    const fork = locator.map((hash) => peer.index.get(hash)).find((height) => height !== undefined) ?? 0;
    const first = behaviour === 'unconnected' ? Math.floor(peer.chain.length / 2) + 1 : fork + 1;
    const headers = peer.chain.slice(first, first + this.#maxHeaders).map((block) => block.header);
    await this.#transfer(peer, (headers.length + 1) * this.#headerBytes, signal);
    if (behaviour !== 'repeater') return headers;
    return Array.from({ length: this.#maxHeaders }, (_, i) => headers[i]).filter((header) => header !== undefined);
  }

  /** Each peer has a chain of its own. */
  async #flood(peer: SimPeer, locator: readonly BlockHash[], signal: AbortSignal): Promise<BlockHeader[]> {
    const [genesis] = peer.chain;
    if (genesis === undefined) throw new Error('a chain has a genesis block');
    peer.flood ??= new CheapHeaders(genesis, { salt: [...this.peers.keys()].indexOf(peer.id) & 0xff });
    const headers = peer.flood.after(locator, this.#maxHeaders);
    await this.#transfer(peer, (headers.length + 1) * this.#headerBytes, signal);
    return headers;
  }

  async *#blocks(id: PeerId, hashes: readonly BlockHash[], signal: AbortSignal): AsyncGenerator<BlockItem> {
    const peer = this.#connected(id);
    this.openRequests += 1;
    this.mostOpenRequests = Math.max(this.mostOpenRequests, this.openRequests);
    try {
      await this.#wait(2 * peer.options.latencyMs, signal);
      for (const [position, hash] of hashes.entries()) {
        const behaviour = behaviourOf(peer);
        if (behaviour === 'silent' || (behaviour === 'silent-after-one' && position > 0)) await this.#hang(signal);
        if (behaviour === 'slow-drip') await this.#hang(signal, WHOLE_ANSWER_MS);
        if (behaviour === 'broken' || this.#isOneOf10k(peer.options.breaksIn10k)) throw new Error('stream reset');
        if (behaviour === 'short-answers' && position > 0) return;
        const sent = behaviour === 'wrong-order' ? hashes[hashes.length - 1 - position] : hash;
        const bytes = await this.#body(peer, sent ?? hash, signal);
        const givenMs = this.#clock.monotonicMs();
        yield { hash, bytes };
        // Who does not read for as long is given up by the other end.
        if (this.#clock.monotonicMs() - givenMs > this.#streamTimeoutMs) throw new Error('stream reset: not read');
      }
    } finally {
      this.openRequests -= 1;
    }
  }

  async #body(peer: SimPeer, hash: BlockHash, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const block = peer.bodies.get(hash);
    const { lowestHeightServed, lossesIn10k } = peer.options;
    const isPruned = (peer.index.get(hash) ?? lowestHeightServed) < lowestHeightServed;
    if (block === undefined || behaviourOf(peer) === 'headers-only' || isPruned) {
      await this.#transfer(peer, this.#headerBytes / 8, signal);
      return undefined;
    }
    if (this.#isOneOf10k(lossesIn10k)) {
      await this.#wait(MIN_LOSS_MS + this.#random.below(MAX_LOSS_MS - MIN_LOSS_MS), signal);
    }
    await this.#transfer(peer, block.size, signal);
    peer.blocksSent += 1;
    return behaviourOf(peer) === 'bad-bytes' ? mutated(block).raw : block.raw;
  }

  /** Takes its share of the peer's uplink for as long as the bytes need; a little jitter. */
  async #transfer(peer: SimPeer, bytes: number, signal: AbortSignal): Promise<void> {
    const jitter = 0.9 + this.#random.below(200) / 1000;
    await peer.link.send(bytes * jitter, signal);
    if (!peer.isConnected) throw new Error('disconnected');
    peer.bytesSent += bytes;
    this.bytesSent += bytes;
  }

  #isOneOf10k(count: number): boolean {
    return count > 0 && this.#random.below(10_000) < count;
  }

  async #hang(signal: AbortSignal, ms = this.#streamTimeoutMs): Promise<never> {
    await this.#wait(ms, signal);
    throw new NodeError('TIMEOUT', 'no byte in time');
  }

  #wait(ms: number, signal: AbortSignal): Promise<void> {
    return sleep(this.#clock, ms, signal);
  }

  #connected(id: PeerId): SimPeer {
    const peer = this.peers.get(id);
    if (peer === undefined || !peer.isConnected) throw new Error('not connected');
    return peer;
  }
}

function behaviourOf({ options: { behaviour, turn }, blocksSent }: SimPeer): Behaviour {
  return turn !== undefined && blocksSent >= turn.afterBlocks ? turn.into : behaviour;
}
