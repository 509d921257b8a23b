/** Where mining stands, and how fast the network does it. */
import { toHex } from '#util';
import { difficultyOf } from '../core-io/block-json.ts';
import { DEFAULT_HASH_RATE_BLOCKS, networkHashesPerSecond } from '../core-io/network-hash-rate.ts';
import type { JsonObject } from '../json/value.ts';
import type { RpcCall, RpcMethod } from '../table/method.ts';
import { param } from '../table/param.ts';
import { result } from '../table/result.ts';

export const MINING_INFO_METHODS: readonly RpcMethod[] = [
  {
    name: 'getmininginfo',
    category: 'mining',
    about: 'Returns a json object containing mining-related information.',
    params: [],
    results: [
      result.object('', '', [
        result.number('blocks', 'The current block'),
        result.number(
          'currentblockweight',
          'The block weight of the last assembled block (only present if a block was ever assembled)',
          { optional: true },
        ),
        result.number(
          'currentblocktx',
          'The number of block transactions of the last assembled block (only present if a block was ever assembled)',
          { optional: true },
        ),
        result.number('difficulty', 'The current difficulty'),
        result.number('networkhashps', 'The network hashes per second'),
        result.number('pooledtx', 'The size of the mempool'),
        result.string('chain', 'current network name (main, test, testnet4, signet, regtest)'),
        result.hex(
          'signet_challenge',
          'The block challenge (aka. block script), in hexadecimal (only present if the current network is a signet)',
          { optional: true },
        ),
        result.string('warnings', 'any network and blockchain warnings'),
      ]),
    ],
    examples: [{ cli: '', json: '' }],
    handler: miningInfo,
  },
  {
    name: 'getnetworkhashps',
    category: 'mining',
    about:
      'Returns the estimated network hashes per second based on the last n blocks.\n' +
      'Pass in [blocks] to override # of blocks, -1 specifies since last difficulty change.\n' +
      'Pass in [height] to estimate the network speed at the time when a certain block was found.',
    params: [
      param.number(
        'nblocks',
        'The number of previous blocks to calculate estimate from, or -1 for blocks since last difficulty change.',
        { default: DEFAULT_HASH_RATE_BLOCKS },
      ),
      param.number('height', 'To estimate at the time of the given height.', { default: -1 }),
    ],
    results: [result.number('', 'Hashes per second estimated')],
    examples: [{ cli: '', json: '' }],
    handler: ({ args, node }) => networkHashesPerSecond(node.chain, args.int('nblocks'), args.int('height')),
  },
];

function miningInfo({ node }: RpcCall): JsonObject {
  const { chain, mempool, mining } = node;
  const { signetChallenge, chainName } = chain.params;
  const tip = chain.tip();
  const last = mining.lastTemplate();
  return {
    blocks: tip.height,
    currentblockweight: last?.weight,
    currentblocktx: last?.transactions,
    difficulty: difficultyOf(tip.header.bits),
    networkhashps: networkHashesPerSecond(chain, DEFAULT_HASH_RATE_BLOCKS, -1),
    pooledtx: mempool.stats().count,
    chain: chainName,
    signet_challenge: signetChallenge && toHex(signetChallenge),
    warnings: '',
  };
}
