/** Where a transaction is: the mempool, the index if there is one, the newest blocks, or the block that the question names. */
import type { Coin, HeaderEntry } from '#chain';
import type { MempoolEntry } from '#mempool';
import type { StarlingNode } from '#node';
import type { Transaction, Txid } from '#primitives';
import type { BlockBodies } from './block-bodies.ts';
import { type RecentTxids, SEARCHED_BLOCKS } from './recent-txids.ts';

export type FoundTx =
  | { readonly kind: 'mempool'; readonly tx: Transaction; readonly entry: MempoolEntry }
  | {
      readonly kind: 'block';
      readonly tx: Transaction;
      readonly block: HeaderEntry;
      /** Undefined for a coinbase, and where they are not known. */
      readonly spent: readonly Coin[] | undefined;
    }
  /** `why` says what would be needed. */
  | { readonly kind: 'nowhere'; readonly why: string };

/** Where is looked. */
export type Lookup = {
  readonly node: StarlingNode;
  readonly bodies: BlockBodies;
  readonly recent: RecentTxids;
};

export async function findTx({ node, bodies, recent }: Lookup, txid: Txid): Promise<FoundTx> {
  const { chain, mempool, indexes } = node;
  const entry = mempool.get(txid);
  // The mempool also knows wtxids.
  if (entry?.txid === txid) return { kind: 'mempool', tx: entry.tx, entry };
  const indexed = await indexes.transaction(txid);
  const place = indexed && chain.getHeader(indexed.blockHash);
  if (place !== undefined) {
    return (await findInBlock(bodies, txid, place)) ?? { kind: 'nowhere', why: 'Its block was pruned' };
  }
  const block = await recent.find(txid);
  const inBlock = block && (await findInBlock(bodies, txid, block));
  return inBlock ?? { kind: 'nowhere', why: whyNowhere(node) };
}

export async function findInBlock(
  bodies: BlockBodies,
  txid: Txid,
  block: HeaderEntry,
): Promise<Extract<FoundTx, { kind: 'block' }> | undefined> {
  const body = await bodies.read(block);
  const at = body?.block.transactions.findIndex((tx) => tx.txid === txid) ?? -1;
  const tx = body?.block.transactions[at];
  return tx && { kind: 'block', tx, block, spent: at === 0 ? undefined : body?.spent?.[at - 1] };
}

function whyNowhere({ indexes }: StarlingNode): string {
  const index = indexes.info().find(({ name }) => name === 'txindex');
  if (index === undefined) {
    return `Not in the mempool, nor in the last ${SEARCHED_BLOCKS} blocks; older ones are found with --txindex, or from their block`;
  }
  return index.synced
    ? 'Neither in the mempool nor in the chain'
    : `Not in the mempool, and the transaction index is only at block ${index.bestBlockHeight}`;
}
