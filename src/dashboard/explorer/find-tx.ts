/** Where a transaction is: the mempool, the index if there is one, the newest blocks, or the block that the question names. */
import type { Coin, HeaderEntry } from '#chain';
import type { MempoolEntry } from '#mempool';
import type { StarlingNode } from '#node';
import type { Transaction, Txid } from '#primitives';
import { nextTurn } from '#util';
import type { BlockBodies } from './block-bodies.ts';

/** Without an index. Reading and decoding a full one takes tens of milliseconds. */
const SEARCHED_BLOCKS = 6;

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

type Lookup = Pick<StarlingNode, 'chain' | 'mempool' | 'indexes'>;

export async function findTx(node: Lookup, bodies: BlockBodies, txid: Txid): Promise<FoundTx> {
  const { chain, mempool, indexes } = node;
  const entry = mempool.get(txid);
  // The mempool also knows wtxids.
  if (entry?.txid === txid) return { kind: 'mempool', tx: entry.tx, entry };
  const indexed = await indexes.transaction(txid);
  const place = indexed && chain.getHeader(indexed.blockHash);
  if (place !== undefined) {
    return (await findInBlock(bodies, txid, place)) ?? { kind: 'nowhere', why: 'Its block was pruned' };
  }
  const { height } = chain.tip();
  for (let depth = 0; depth < Math.min(SEARCHED_BLOCKS, height + 1); depth++) {
    const block = chain.activeAt(height - depth);
    const inBlock = block && (await findInBlock(bodies, txid, block));
    if (inBlock !== undefined) return inBlock;
    await nextTurn();
  }
  return { kind: 'nowhere', why: whyNowhere(node) };
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

function whyNowhere({ indexes }: Lookup): string {
  const index = indexes.info().find(({ name }) => name === 'txindex');
  if (index === undefined) {
    return `Not in the mempool, nor in the last ${SEARCHED_BLOCKS} blocks; older ones are found with --txindex, or from their block`;
  }
  return index.synced
    ? 'Neither in the mempool nor in the chain'
    : `Not in the mempool, and the transaction index is only at block ${index.bestBlockHeight}`;
}
