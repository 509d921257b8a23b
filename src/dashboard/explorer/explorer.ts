/** What can be looked up: blocks, transactions, peers, and which of these a text means. */
import type { StarlingNode } from '#node';
import type { BlockNews } from '#rpc';
import type { Explorer } from '../port.ts';
import { answerBlock } from './block-answer.ts';
import { BlockBodies } from './block-bodies.ts';
import { answerPeer } from './peer-answer.ts';
import { answerSearch } from './search-answer.ts';
import { answerTx } from './tx-answer.ts';

export function createExplorer(node: StarlingNode, news: Pick<BlockNews, 'of'>): Explorer {
  const bodies = new BlockBodies(node.chain);
  return {
    block: (hashOrHeight, page) => answerBlock(node, bodies, news, hashOrHeight, page),
    tx: (txid, block) => answerTx(node, bodies, txid, block),
    search: (text) => answerSearch(node, bodies, text),
    peer: (id) => answerPeer(node, id),
  };
}
