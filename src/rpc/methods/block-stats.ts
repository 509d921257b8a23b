/** Statistics of one block: getblockstats. */
import type { ChainReader, HeaderEntry } from '#chain';
import { blockSubsidy, type NetworkParams } from '#consensus';
import { type BlockStats, blockStats } from '../core-io/block-stats.ts';
import { invalidParameter } from '../errors.ts';
import type { JsonObject } from '../json/value.ts';
import { stringOf } from '../table/args.ts';
import type { RpcCall, RpcMethod } from '../table/method.ts';
import { param } from '../table/param.ts';
import { type Result, type ResultOptions, result } from '../table/result.ts';
import { blockByHashOrHeight, bodyOf, spentCoinsOf } from './find-block.ts';

const MAY_LACK: ResultOptions = { optional: true };
const figure = (key: string, about: string): Result => result.number(key, about, MAY_LACK);

/** In the order in which they are given. */
const FIGURES: readonly Result[] = [
  figure('avgfee', 'Average fee in the block'),
  figure('avgfeerate', 'Average feerate (in satoshis per virtual byte)'),
  figure('avgtxsize', 'Average transaction size'),
  result.hex('blockhash', 'The block hash (to check for potential reorgs)', MAY_LACK),
  result.fixed(
    'feerate_percentiles',
    'Feerates at the 10th, 25th, 50th, 75th, and 90th percentile weight unit (in satoshis per virtual byte)',
    ['10th', '25th', '50th', '75th', '90th'].map((nth) => result.number('', `The ${nth} percentile feerate`)),
    MAY_LACK,
  ),
  figure('height', 'The height of the block'),
  figure('ins', 'The number of inputs (excluding coinbase)'),
  figure('maxfee', 'Maximum fee in the block'),
  figure('maxfeerate', 'Maximum feerate (in satoshis per virtual byte)'),
  figure('maxtxsize', 'Maximum transaction size'),
  figure('medianfee', 'Truncated median fee in the block'),
  figure('mediantime', 'The block median time past'),
  figure('mediantxsize', 'Truncated median transaction size'),
  figure('minfee', 'Minimum fee in the block'),
  figure('minfeerate', 'Minimum feerate (in satoshis per virtual byte)'),
  figure('mintxsize', 'Minimum transaction size'),
  figure('outs', 'The number of outputs'),
  figure('subsidy', 'The block subsidy'),
  figure('swtotal_size', 'Total size of all segwit transactions'),
  figure('swtotal_weight', 'Total weight of all segwit transactions'),
  figure('swtxs', 'The number of segwit transactions'),
  figure('time', 'The block time'),
  figure('total_out', 'Total amount in all outputs (excluding coinbase and thus reward [ie subsidy + totalfee])'),
  figure('total_size', 'Total size of all non-coinbase transactions'),
  figure('total_weight', 'Total weight of all non-coinbase transactions'),
  figure('totalfee', 'The fee total'),
  figure('txs', 'The number of transactions (including coinbase)'),
  figure(
    'utxo_increase',
    'The increase/decrease in the number of unspent outputs (not discounting op_return and similar)',
  ),
  figure('utxo_size_inc', 'The increase/decrease in size for the utxo index (not discounting op_return and similar)'),
  figure('utxo_increase_actual', 'The increase/decrease in the number of unspent outputs, not counting unspendables'),
  figure('utxo_size_inc_actual', 'The increase/decrease in size for the utxo index, not counting unspendables'),
];

export const BLOCK_STATS_METHODS: readonly RpcMethod[] = [
  {
    name: 'getblockstats',
    category: 'blockchain',
    about:
      'Compute per block statistics for a given window. All amounts are in satoshis.\n' +
      "It won't work for some heights with pruning.",
    params: [
      param.number('hash_or_height', 'The block hash or height of the target block', {
        anyType: true,
        typeText: ['', 'string or numeric'],
      }),
      param.array('stats', 'Values to plot (see result below)', {
        hint: 'all values',
        inner: [
          param.string('height', 'Selected statistic', { optional: true }),
          param.string('time', 'Selected statistic', { optional: true }),
        ],
        oneLine: 'stats',
      }),
    ],
    results: [result.object('', '', FIGURES)],
    examples: [{ cli: '1000 \'["minfeerate","avgfeerate"]\'', json: '1000, ["minfeerate","avgfeerate"]' }],
    handler: getBlockStats,
  },
];

async function getBlockStats({ args, node: { chain } }: RpcCall): Promise<JsonObject> {
  const entry = blockByHashOrHeight(chain, args, 'hash_or_height');
  const wanted = args.has('stats') ? args.array('stats').map(stringOf) : [];
  const all = await statsOf(chain, entry);
  if (wanted.length === 0) return Object.fromEntries(FIGURES.map(({ key }) => [key, all[key]]));
  const unknown = wanted.find((key) => !(key in all));
  if (unknown !== undefined) throw invalidParameter(`Invalid selected statistic '${unknown}'`);
  return Object.fromEntries([...new Set(wanted)].sort().map((key) => [key, all[key]]));
}

async function statsOf(chain: ChainReader, entry: HeaderEntry): Promise<BlockStats> {
  const { params } = chain;
  const { hash, height, header, medianTimePast } = entry;
  const block = await bodyOf(chain, entry);
  const spent = await spentCoinsOf(chain, entry);
  const isLost = height === 0 || repeatsCoinbase(params, entry);
  return {
    ...blockStats({ block, spent, isCoinbaseLost: (index) => isLost && index === 0 }),
    blockhash: hash,
    height,
    mediantime: medianTimePast,
    subsidy: blockSubsidy(height, params),
    time: header.time,
  };
}

function repeatsCoinbase({ bip30Exceptions }: NetworkParams, { hash, height }: HeaderEntry): boolean {
  return bip30Exceptions.get(height) === hash;
}
