/**
 * A source for the dashboard that no node stands behind: invented peers, blocks and a full mempool, which change as fast as on
 * a busy network. For tests of the server, and of the page under load. Deterministic by its clock and its randomness.
 */
import { type DashboardServer, type DashboardSource, type Explorer, serveDashboard, type Tell } from '#dashboard';
import { type Clock, nullLogger, type Random, seededRandom, systemClock, type TimerHandle, toHex } from '#util';
import type { BlockAnswer, BlockRow, FeedState, Overview, PeerRow, TxAnswer } from '../../src/dashboard/contract.ts';
import { FeerateHistogram, type Priced } from '../../src/dashboard/watch/feerate-histogram.ts';
import { estimateBlocks } from '../../src/dashboard/watch/projected-blocks.ts';
import { inventBlock, inventOverview, inventPeer, PROTOCOLS } from './invented-rows.ts';

export type SyntheticOptions = {
  readonly peers: number;
  readonly transactions: number;
  readonly transactionsPerSecond: number;
  readonly blockIntervalMs: number;
};

/** What the page has to stay smooth with. */
export const BUSY: SyntheticOptions = {
  peers: 100,
  transactions: 10_000,
  transactionsPerSecond: 20,
  blockIntervalMs: 15_000,
};

const FIRST_HEIGHT = 800_000;
const BLOCKS = 50;
const MAX_SAMPLES = 300;
const GATHER_MS = 200;
const SECOND_MS = 1_000;

export type SyntheticSource = DashboardSource & {
  /** Watches that are open. */
  readonly watches: () => number;
  /** The answers that `state` would give now. */
  readonly state: () => FeedState;
};

export function createSyntheticSource(
  options: SyntheticOptions = BUSY,
  clock: Clock = systemClock,
  random: Random = seededRandom(1),
): SyntheticSource {
  const world = new World(options, clock, random);
  let watches = 0;
  return {
    watch: async (tell) => {
      const timers = new Set<TimerHandle>();
      const every = (ms: number, task: () => void): void => {
        const timer = clock.after(ms, () => {
          timers.delete(timer);
          task();
          every(ms, task);
        });
        timers.add(timer);
      };
      watches++;
      every(SECOND_MS, () => world.second(tell));
      every(GATHER_MS, () => world.gather(tell));
      every(options.blockIntervalMs, () => world.block(tell));
      return {
        state: () => world.state(),
        [Symbol.dispose]: () => {
          watches--;
          for (const timer of timers) timer.cancel();
        },
      };
    },
    explorer: world.explorer,
    watches: () => watches,
    state: () => world.state(),
  };
}

/** Over real sockets, on a free port of loopback. `pageDirectory`: of a built page; default: where the build puts it. */
export function startSyntheticDashboard(
  options: SyntheticOptions = BUSY,
  pageDirectory?: string,
): Promise<DashboardServer> {
  const endpoint = { host: '127.0.0.1', port: 0 };
  const where = pageDirectory === undefined ? {} : { pageDirectory };
  const deps = { clock: systemClock, log: nullLogger };
  return serveDashboard(createSyntheticSource(options), { endpoint, allowHosts: [], ...where }, deps);
}

type Tx = Priced & { readonly txid: string; readonly atMs: number };

class World {
  readonly #options: SyntheticOptions;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #startedAtMs: number;
  readonly #histogram = new FeerateHistogram();
  readonly #peers: PeerRow[];
  #pool: Tx[] = [];
  #blocks: BlockRow[] = [];
  readonly #samples: FeedState['bandwidth']['samples'][number][] = [];
  readonly #logs: FeedState['logs'][number][] = [];
  #entered = 0;
  #left = 0;
  #told = 0;

  constructor(options: SyntheticOptions, clock: Clock, random: Random) {
    this.#options = options;
    this.#clock = clock;
    this.#random = random;
    this.#startedAtMs = clock.now();
    this.#peers = Array.from({ length: options.peers }, (_, at) => inventPeer(random, at, clock.now()));
    for (let at = 0; at < options.transactions; at++) this.#enter();
    for (let at = 0; at < BLOCKS; at++) this.#mine();
  }

  readonly explorer: Explorer = {
    block: async (name) => {
      const row = this.#blocks.find(({ hash, height }) => hash === name || String(height) === name);
      if (row === undefined) return { status: 404, body: { error: 'No such block is known here' } };
      return { status: 200, body: blockAnswer(row, this.#pool) };
    },
    tx: async (txid) => {
      const tx = this.#pool.find((each) => each.txid === txid);
      if (tx === undefined) return { status: 404, body: { error: 'Not in the mempool' } };
      return { status: 200, body: txAnswer(tx) };
    },
    search: async (text) => {
      const block = this.#blocks.find(({ hash, height }) => hash === text || String(height) === text);
      if (block !== undefined) {
        return { status: 200, body: { kind: 'block', hash: block.hash, height: block.height } };
      }
      if (this.#pool.some(({ txid }) => txid === text)) return { status: 200, body: { kind: 'tx', txid: text } };
      if (this.#peers.some(({ id }) => id === text)) return { status: 200, body: { kind: 'peer', id: text } };
      return {
        status: 200,
        body: { kind: 'nothing', reason: 'No block, transaction or connected peer has this name' },
      };
    },
    peer: async (id) => {
      const peer = this.#peers.find((each) => each.id === id);
      if (peer === undefined) return { status: 404, body: { error: 'No such peer is connected' } };
      const bytesByProtocol = PROTOCOLS.map((protocol) => ({ protocol, bytesIn: 1_000, bytesOut: 2_000 }));
      const unknown = { netgroup: null, lastSentAtMs: null, lastReceivedAtMs: null, claims: null };
      return { status: 200, body: { peer, protocols: PROTOCOLS, bytesByProtocol, ...unknown } };
    },
  };

  state(): FeedState {
    return {
      atMs: this.#clock.now(),
      gatherMs: GATHER_MS,
      overview: this.#overview(),
      blocks: this.#blocks,
      mempool: this.#mempool(),
      peers: this.#peers,
      bandwidth: { protocols: PROTOCOLS, samples: [...this.#samples] },
      logs: [...this.#logs],
    };
  }

  /** What a node is asked once a second: every peer has moved a little, and now and then one is another. */
  second(tell: Tell): void {
    const changed = this.#peers.map(({ id, bytesIn, bytesOut }) => ({
      id,
      bytesIn: bytesIn + this.#random.below(4_000),
      bytesOut: bytesOut + this.#random.below(4_000),
      latencyMs: 20 + this.#random.below(1_800) / 10,
    }));
    for (const [at, patch] of changed.entries()) this.#peers[at] = { ...this.#peers[at], ...patch } as PeerRow;
    tell('peers', { joined: [], changed, left: [] });
    const [gone] = this.#peers.splice(this.#random.below(this.#peers.length), 1);
    const next = inventPeer(this.#random, this.#entered + this.#peers.length, this.#clock.now());
    this.#peers.push(next);
    tell('peers', { joined: [next], changed: [], left: gone === undefined ? [] : [{ id: gone.id, reason: 'gone' }] });
    const rates = (): readonly number[] => PROTOCOLS.map(() => this.#random.below(50_000));
    const sample = { atMs: this.#clock.now(), inBytesPerSecond: rates(), outBytesPerSecond: rates() };
    this.#samples.push(sample);
    if (this.#samples.length > MAX_SAMPLES) this.#samples.shift();
    tell('bandwidth', { protocols: PROTOCOLS, sample });
    for (let at = 0; at < this.#options.transactionsPerSecond; at++) this.#enter();
    this.#shrink(this.#options.transactions);
    tell('mempool', this.#mempool());
    tell('overview', this.#overview());
  }

  /** What comes by itself: one more peer tells of the newest block, and a line is logged. */
  gather(tell: Tell): void {
    const [tip] = this.#blocks;
    const teller = this.#peers[this.#random.below(this.#peers.length)];
    if (tip !== undefined && teller !== undefined && tip.announcements.every(({ peerId }) => peerId !== teller.id)) {
      const delayMs = (tip.announcements.at(-1)?.delayMs ?? 0) + this.#random.below(30);
      const row = { ...tip, announcements: [...tip.announcements, { peerId: teller.id, delayMs }] };
      this.#blocks = [row, ...this.#blocks.slice(1)];
      tell('blocks', { changed: [row], removed: [] });
    }
    const text = `transaction accepted txid=${toHex(this.#random.bytes(32))}`;
    const line = { number: this.#told++, atMs: this.#clock.now(), level: 'info', module: 'mempool', text } as const;
    this.#logs.push(line);
    if (this.#logs.length > 500) this.#logs.shift();
    tell('logs', { lines: [line], leftOut: 0 });
  }

  block(tell: Tell): void {
    const removed = this.#mine();
    this.#shrink(Math.floor((this.#options.transactions * 4) / 5));
    tell('blocks', { changed: this.#blocks.slice(0, 1), removed });
    tell('overview', this.#overview());
    tell('mempool', this.#mempool());
  }

  #mine(): readonly string[] {
    const height = (this.#blocks[0]?.height ?? FIRST_HEIGHT) + 1;
    const peers = this.#peers.map(({ id }) => id);
    this.#blocks = [inventBlock(this.#random, height, peers, this.#clock.now()), ...this.#blocks];
    return this.#blocks.splice(BLOCKS).map(({ hash }) => hash);
  }

  #enter(): void {
    const vsize = 110 + this.#random.below(400);
    const rate = 1 + 200 * (this.#random.below(1_000_000) / 1_000_000) ** 4;
    const fee = BigInt(Math.ceil(rate * vsize));
    const tx = { txid: toHex(this.#random.bytes(32)), vsize, fee, atMs: this.#clock.now() };
    this.#pool.push(tx);
    this.#histogram.add(tx);
    this.#entered++;
  }

  /** The oldest go. */
  #shrink(count: number): void {
    for (const tx of this.#pool.splice(0, Math.max(0, this.#pool.length - count))) {
      this.#histogram.remove(tx);
      this.#left++;
    }
  }

  #overview(): Overview {
    const inbound = this.#peers.filter(({ direction }) => direction === 'inbound').length;
    const peers = { inbound, outbound: this.#peers.length - inbound, isNetworkActive: true };
    return { ...inventOverview(this.#blocks[0], this.#startedAtMs, this.#clock.now()), peers };
  }

  #mempool(): FeedState['mempool'] {
    const buckets = this.#histogram.buckets();
    const vsizeBytes = this.#pool.reduce((sum, { vsize }) => sum + vsize, 0);
    return {
      txCount: this.#pool.length,
      vsizeBytes,
      usageBytes: vsizeBytes * 4,
      maxBytes: 300_000_000,
      totalFeeSats: Number(this.#pool.reduce((sum, { fee }) => sum + fee, 0n)),
      minFeerateSatPerVb: 1,
      enteredCount: this.#entered,
      leftCount: this.#left,
      histogram: buckets.map(({ feesSats: _, ...bucket }) => bucket),
      projectedBlocks: estimateBlocks(buckets, 0),
      latest: this.#pool
        .slice(-10)
        .reverse()
        .map(({ txid, vsize, fee, atMs }) => ({ txid, vsizeBytes: vsize, feeSats: Number(fee), enteredAtMs: atMs })),
    };
  }
}

function blockAnswer(
  { hash, height, timeSeconds, txCount, announcements }: BlockRow,
  pool: readonly Tx[],
): BlockAnswer {
  const block = {
    ...{ hash, height, confirmations: 1, version: 0x2000_0000, versionHex: '20000000', merkleroot: hash },
    ...{ time: timeSeconds, mediantime: timeSeconds, nonce: 1, bits: '1703d869', difficulty: 8e13 },
    ...{ chainwork: hash, nTx: txCount, strippedsize: 800_000, size: 1_500_000, weight: 3_990_000 },
  };
  const transactions = pool.slice(0, 50).map(({ txid, vsize, fee }) => ({
    ...{ txid, vsizeBytes: vsize, inputCount: 1, outputCount: 2, outputSats: 100_000, feeSats: Number(fee) },
    isCoinbase: false,
  }));
  const money = { feesSats: 20_000_000, subsidySats: 625_000_000 };
  return { block, ...money, page: 0, pageCount: 1, transactions, firstHeardAtMs: null, announcements };
}

function txAnswer({ txid, vsize, fee, atMs }: Tx): TxAnswer {
  const scriptPubKey = { asm: 'OP_TRUE', hex: '51', type: 'nonstandard' };
  const size = { version: 2, size: vsize, vsize, weight: vsize * 4, locktime: 0 };
  const vin = [{ txid, vout: 0, scriptSig: { asm: '', hex: '' }, sequence: 0xffff_ffff }];
  const related = { ancestorCount: 1, descendantCount: 1, isReplaceable: true, depends: [], spentBy: [] };
  return {
    tx: { txid, hash: txid, ...size, vin, vout: [{ value: 0.001, n: 0, scriptPubKey }] },
    ...{ inputCount: 1, outputCount: 1, feeSats: Number(fee), block: null },
    mempool: { enteredAtMs: atMs, ...related },
  };
}
