/** One transaction: of the mempool, or of any block where there is an index (Core's rest_tx). */
import type { StarlingNode } from '#node';
import { type BlockHash, parseTxid, type Transaction, type Txid } from '#primitives';
import { pooledTransaction } from '../core-io/spent-outputs.ts';
import { txJson } from '../core-io/tx-json.ts';
import { answerIn, hashIn, notFound, type RestHandler } from './rest-io.ts';

export const transaction: RestHandler = async ({ form, node, param }) => {
  const found = await find(node, parseTxid(hashIn(param)));
  if (found === undefined) throw notFound(`${param} not found`);
  const { blockHash, tx } = found;
  return answerIn(form, {
    bytes: () => tx.raw,
    json: () => {
      const { hex, ...json } = txJson(tx, node.chain.params.address);
      return { ...json, blockhash: blockHash, hex };
    },
  });
};

type Found = { readonly tx: Transaction; readonly blockHash?: BlockHash };

async function find({ indexes, mempool }: StarlingNode, txid: Txid): Promise<Found | undefined> {
  const tx = pooledTransaction(mempool, txid);
  return tx === undefined ? indexes.transaction(txid) : { tx };
}
