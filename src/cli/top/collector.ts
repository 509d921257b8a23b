/**
 * Asks a node for everything that a frame shows, and remembers what one answer does not tell: earlier traffic, headers of
 * blocks, and what events said of the sync and of who told of a block first.
 *
 * Bounds: headers of as many blocks as are shown; news of as many blocks; samples of some seconds.
 */
import type { NodeStatus } from '#node';
import type { JsonValue, NodeEvent } from '#rpc';
import type { Clock } from '#util';
import type { Answer } from '../rpc-client.ts';
import { type BlockFigures, FEE_RATES, type Figures, figuresOf, listOf, sampleOf } from './figures.ts';
import { ratesBetween, type Sample } from './rates.ts';

/** Recent blocks that are shown at the most. */
export const MAX_BLOCKS = 10;
const MAX_NEWS = 100;
/** Rates over less time jump. */
const RATE_MS = 1_800;

export type Ask = (method: string, params?: readonly JsonValue[]) => Promise<Answer>;

type News = { readonly delayMs: number | undefined; readonly firstPeer: string | undefined };
type Header = Omit<BlockFigures, keyof News> & { readonly parent: string | undefined };

export class Collector {
  readonly #ask: Ask;
  readonly #clock: Clock;
  readonly #news = new Map<string, News>();
  #headers = new Map<string, Header>();
  /** The oldest first; the newest is that of the last call. */
  #samples: readonly Sample[] = [];
  #sync: NodeStatus['sync'] | undefined;

  constructor(ask: Ask, clock: Clock) {
    this.#ask = ask;
    this.#clock = clock;
  }

  /** What an event says beyond that something has changed. */
  hear({ name, data }: NodeEvent): void {
    if (name === 'sync') this.#sync = data as NodeStatus['sync'];
    if (name === 'state') this.#sync = data['sync'] as NodeStatus['sync'];
    const blocks = name === 'state' ? [data['tip'] as Answer] : name === 'blocks' ? listOf(data['blocks']) : [];
    for (const { hash, firstPeer, delayMs } of blocks) {
      if (typeof hash !== 'string' || typeof firstPeer !== 'string') continue;
      const [oldest] = this.#news.keys();
      if (this.#news.size >= MAX_NEWS && oldest !== undefined) this.#news.delete(oldest);
      this.#news.set(hash, { firstPeer, delayMs: typeof delayMs === 'number' ? delayMs : undefined });
    }
  }

  /** Without events, nothing is known of the sync but the heights. */
  forgetSync(): void {
    this.#sync = undefined;
  }

  /** Throws NodeError. */
  async collect(): Promise<Figures> {
    const chain = await this.#ask('getblockchaininfo');
    const answers = {
      chain,
      network: await this.#ask('getnetworkinfo'),
      mempool: await this.#ask('getmempoolinfo', [FEE_RATES]),
      totals: await this.#ask('getnettotals'),
      peers: listOf(await this.#ask('getpeerinfo')),
      uptimeSeconds: Number(await this.#ask('uptime')),
      blocks: await this.#recentBlocks(String(chain['bestblockhash'])),
    };
    const sample = sampleOf(answers, this.#clock.monotonicMs());
    const before = this.#samples.findLast(({ atMs }) => atMs <= sample.atMs - RATE_MS) ?? this.#samples[0];
    this.#samples = [...this.#samples.filter(({ atMs }) => before === undefined || atMs >= before.atMs), sample];
    const rates = before && ratesBetween(before, sample);
    return figuresOf(answers, sample, rates, this.#sync, Math.floor(this.#clock.now() / 1000));
  }

  async #recentBlocks(tip: string): Promise<readonly BlockFigures[]> {
    const headers = new Map<string, Header>();
    for (let hash: string | undefined = tip; hash !== undefined && headers.size < MAX_BLOCKS; ) {
      const header: Header = this.#headers.get(hash) ?? headerOf(await this.#ask('getblockheader', [hash]));
      headers.set(hash, header);
      hash = header.parent;
    }
    this.#headers = headers;
    const unheard: News = { delayMs: undefined, firstPeer: undefined };
    return [...headers.values()].map(({ parent: _, ...block }) => ({
      ...block,
      ...(this.#news.get(block.hash) ?? unheard),
    }));
  }
}

function headerOf(answer: Answer): Header {
  const parent = answer['previousblockhash'];
  return {
    hash: String(answer['hash']),
    height: Number(answer['height']),
    timeSeconds: Number(answer['time']),
    transactions: Number(answer['nTx']),
    parent: typeof parent === 'string' ? parent : undefined,
  };
}
