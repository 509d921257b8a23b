/** What can be looked up: blocks, transactions, peers, and which of these a text means. */
import type { StarlingNode } from '#node';
import type { serving } from '#rpc';
import type { Explorer } from '../port.ts';
import { answerBlock } from './block-answer.ts';
import { BlockBodies } from './block-bodies.ts';
import { answerPeer } from './peer-answer.ts';
import { RecentTxids } from './recent-txids.ts';
import { answerSearch } from './search-answer.ts';
import { answerTx } from './tx-answer.ts';

export function createExplorer(node: StarlingNode, news: Pick<serving.BlockNews, 'of'>): Explorer {
  const bodies = new BlockBodies(node.chain);
  const lookup = { node, bodies, recent: new RecentTxids(node.chain, bodies) };
  return {
    block: (hashOrHeight, page) => answerBlock(node, bodies, news, hashOrHeight, page),
    tx: (txid, block) => answerTx(lookup, txid, block),
    search: (text) => answerSearch(lookup, text),
    peer: (id) => answerPeer(node, id),
  };
}
