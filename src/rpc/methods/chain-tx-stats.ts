/** How many transactions, and how fast: getchaintxstats. */
import type { HeaderEntry } from '#chain';
import { assert } from '#util';
import { invalidParameter } from '../errors.ts';
import type { JsonObject } from '../json/value.ts';
import type { RpcCall, RpcMethod } from '../table/method.ts';
import { param } from '../table/param.ts';
import { result } from '../table/result.ts';
import { blockHashParam } from './described.ts';
import { blockNamed } from './find-block.ts';

const MONTH_SECONDS = 30 * 24 * 60 * 60;

export const CHAIN_TX_STATS_METHODS: readonly RpcMethod[] = [
  {
    name: 'getchaintxstats',
    category: 'blockchain',
    about: 'Compute statistics about the total number and rate of transactions in the chain.',
    params: [
      param.number('nblocks', 'Size of the window in number of blocks', { hint: 'one month' }),
      blockHashParam('The hash of the block that ends the window.', { hint: 'chain tip' }),
    ],
    results: [
      result.object('', '', [
        result.time('time', 'The timestamp for the final block in the window, expressed in UNIX epoch time'),
        result.number('txcount', 'The total number of transactions in the chain up to that point'),
        result.hex('window_final_block_hash', 'The hash of the final block in the window'),
        result.number('window_final_block_height', 'The height of the final block in the window.'),
        result.number('window_block_count', 'Size of the window in number of blocks'),
        result.number('window_tx_count', 'The number of transactions in the window, if it has blocks', {
          optional: true,
        }),
        result.number('window_interval', 'The elapsed time in the window in seconds, if it has blocks', {
          optional: true,
        }),
        result.number('txrate', 'The average rate of transactions per second in the window, if time went by', {
          optional: true,
        }),
      ]),
    ],
    examples: [{ cli: '', json: '2016' }],
    handler: chainTxStats,
  },
];

function chainTxStats({ args, node: { chain } }: RpcCall): JsonObject {
  const last = args.has('blockhash') ? blockNamed(chain, args, 'blockhash') : chain.tip();
  if (chain.activeAt(last.height)?.hash !== last.hash) throw invalidParameter('Block is not in main chain');
  const month = Math.floor(MONTH_SECONDS / chain.params.pow.targetSpacingSeconds);
  let count = Math.max(0, Math.min(month, last.height - 1));
  if (args.has('nblocks')) {
    count = args.int('nblocks');
    if (count < 0 || (count > 0 && count >= last.height)) {
      throw invalidParameter("Invalid block count: should be between 0 and the block's height - 1");
    }
  }
  const first = chain.ancestor(last, last.height - count);
  const total = ({ height }: HeaderEntry): number => {
    const transactions = chain.totalTxCount(height);
    assert(transactions !== undefined, 'a block of the active chain is counted');
    return transactions;
  };
  const seconds = last.medianTimePast - first.medianTimePast;
  const transactions = total(last) - total(first);
  return {
    time: last.header.time,
    txcount: total(last),
    window_final_block_hash: last.hash,
    window_final_block_height: last.height,
    window_block_count: count,
    window_tx_count: count > 0 ? transactions : undefined,
    window_interval: count > 0 ? seconds : undefined,
    txrate: count > 0 && seconds > 0 ? transactions / seconds : undefined,
  };
}
