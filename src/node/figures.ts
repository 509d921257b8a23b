/** What the parts of a node count, for who scrapes: numbers that are kept anyway, beside what `NodeStatus` tells. */
import type { openChain } from '#chain';
import type { Mempool } from '#mempool';
import { Histogram, type HistogramFigures } from '#meter';
import type { MeteredNet } from '#net';
import type { Sync } from '#sync';
import type { CachedVerifier } from '#verify';
import type { HedgeFigures } from './hedge-pace.ts';
import type { Ingest } from './ingest.ts';
import type { TxFetches } from './tx-ingest.ts';

export type OpenedChain = Awaited<ReturnType<typeof openChain>>;

export type NodeFigures = {
  readonly net: Awaited<ReturnType<MeteredNet['figures']>>;
  readonly chain: ReturnType<OpenedChain['figures']>;
  readonly stores: ReturnType<OpenedChain['stores']>;
  readonly sync: ReturnType<Sync['figures']>;
  readonly mempool: ReturnType<Mempool['figures']>;
  readonly verifier: ReturnType<CachedVerifier['figures']>;
  readonly relay: RelayFigures;
};

/** Of announced blocks and transactions. */
type RelayFigures = {
  /** From the first arrival of a gossiped block to its connection. */
  readonly blockDelaySeconds: HistogramFigures;
  /** What peers were asked for to rebuild blocks: their compact form, or single transactions. */
  readonly blockRequests: Readonly<Record<'form' | 'transactions', HedgeFigures>>;
  /** Transactions that were asked for. */
  readonly fetchedTransactions: TxFetches;
};

/** The delay of announced blocks: the last one, and how all of them were. */
export class BlockDelay {
  readonly #seconds = new Histogram();
  lastMs: number | undefined;

  add(ms: number): void {
    this.lastMs = ms;
    this.#seconds.add(ms / 1000);
  }

  figures(): HistogramFigures {
    return this.#seconds.figures();
  }
}

type Counting = {
  readonly net: Pick<MeteredNet, 'figures'>;
  readonly chain: Pick<OpenedChain, 'figures' | 'stores'>;
  readonly sync: Pick<Sync, 'figures'>;
  readonly mempool: Pick<Mempool, 'figures'>;
  readonly verifier: Pick<CachedVerifier, 'figures'>;
  readonly blockDelay: BlockDelay;
  readonly ingest: Pick<Ingest, 'blockRequests'> & { readonly txs: Pick<Ingest['txs'], 'fetches'> };
};

export async function figuresOf(parts: Counting): Promise<NodeFigures> {
  const { chain, sync, mempool, verifier, blockDelay, ingest } = parts;
  return {
    net: await parts.net.figures(),
    chain: chain.figures(),
    stores: chain.stores(),
    sync: sync.figures(),
    mempool: mempool.figures(),
    verifier: verifier.figures(),
    relay: {
      blockDelaySeconds: blockDelay.figures(),
      blockRequests: ingest.blockRequests(),
      fetchedTransactions: ingest.txs.fetches(),
    },
  };
}
