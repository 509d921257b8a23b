/** One block: its header as the RPC says it, and a page of its transactions. */
import type { Coin } from '#chain';
import { blockSubsidy } from '#consensus';
import type { StarlingNode } from '#node';
import type { Transaction } from '#primitives';
import { coreIo, type JsonObject, type serving } from '#rpc';
import type { BlockAnswer, BlockTx } from '../contract.ts';
import { type Answer, found, refused } from '../port.ts';
import type { BlockBodies, Body } from './block-bodies.ts';

const TXS_A_PAGE = 50;
const PAGE = /^\d{0,6}$/;

export async function answerBlock(
  { chain }: Pick<StarlingNode, 'chain'>,
  bodies: BlockBodies,
  news: Pick<serving.BlockNews, 'of'>,
  hashOrHeight: string,
  pageText: string,
): Promise<Answer> {
  const entry = bodies.find(hashOrHeight);
  if (entry === undefined) return refused(404, 'No such block is known here');
  if (!PAGE.test(pageText)) return refused(400, 'The page is a number, from 0 on');
  const body = await bodies.read(entry);
  if (body === undefined) {
    const wasHere = chain.txCount(entry.hash) > 0;
    return refused(404, wasHere ? 'The body of this block was pruned' : 'The body of this block is not here');
  }
  const { transactions } = body.block;
  const { block, ...answer }: Omit<BlockAnswer, 'block'> & { readonly block: JsonObject } = {
    block: coreIo.blockJson(chain, entry, body.block, null),
    feesSats: feesOf(body),
    subsidySats: Number(blockSubsidy(entry.height, chain.params)),
    page: Number(pageText),
    pageCount: Math.ceil(transactions.length / TXS_A_PAGE),
    transactions: pageOf(body, Number(pageText)),
    firstHeardAtMs: null,
    announcements: [],
    ...news.of(entry.hash),
  };
  return found({ ...answer, block: { ...block, tx: undefined } });
}

function pageOf({ block, spent }: Body, page: number): readonly BlockTx[] {
  const from = page * TXS_A_PAGE;
  return block.transactions
    .slice(from, from + TXS_A_PAGE)
    .map((tx, at) => txRow(tx, from + at === 0 ? undefined : spent?.[from + at - 1]));
}

function txRow(tx: Transaction, spent: readonly Coin[] | undefined): BlockTx {
  return {
    txid: tx.txid,
    vsizeBytes: Math.ceil(tx.weight / 4),
    inputCount: tx.inputs.length,
    outputCount: tx.outputs.length,
    outputSats: Number(tx.outputs.reduce((sum, { value }) => sum + value, 0n)),
    feeSats: spent === undefined ? null : Number(coreIo.feeOf(tx, spent)),
    isCoinbase: tx.isCoinbase,
  };
}

function feesOf({ block, spent }: Body): number | null {
  if (spent === undefined) return null;
  const [, ...others] = block.transactions;
  return Number(others.reduce((sum, tx, at) => sum + coreIo.feeOf(tx, spent[at] ?? []), 0n));
}
