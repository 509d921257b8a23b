/** The active chain and its branches: tip, difficulty, progress, indexes. */
import { COINS_STORE_CACHE_BYTES, MANUAL_PRUNE_BYTES } from '#chain';
import type { Clock } from '#util';

import { difficultyOf, workHex } from '../core-io/block-json.ts';
import { verificationProgress } from '../core-io/verification-progress.ts';
import { invalidParameter } from '../errors.ts';
import type { JsonObject } from '../json/value.ts';
import type { RpcCall, RpcMethod } from '../table/method.ts';
import { param } from '../table/param.ts';
import { result } from '../table/result.ts';

/** Core's. */
const INDEX_ORDER: readonly string[] = ['txindex', 'coinstatsindex', 'basic block filter index'];

const NO_PARAMS = [{ cli: '', json: '' }];

const BLOCK_CHAIN_INFO = result.object('', '', [
  result.string('chain', 'current network name (main, test, testnet4, signet, regtest)'),
  result.number('blocks', 'the height of the most-work fully-validated chain. The genesis block has height 0'),
  result.number('headers', 'the current number of headers we have validated'),
  result.string('bestblockhash', 'the hash of the currently best block'),
  result.number('difficulty', 'the current difficulty'),
  result.time('time', 'The block time expressed in UNIX epoch time'),
  result.time('mediantime', 'The median block time expressed in UNIX epoch time'),
  result.number('verificationprogress', 'estimate of verification progress [0..1]'),
  result.boolean(
    'initialblockdownload',
    '(debug information) estimate of whether this node is in Initial Block Download mode',
  ),
  result.hex('chainwork', 'total amount of work in active chain, in hexadecimal'),
  result.number('size_on_disk', 'the estimated size of the block and undo files on disk'),
  result.boolean('pruned', 'if the blocks are subject to pruning'),
  result.number('pruneheight', 'height of the last block pruned, plus one (only present if pruning is enabled)', {
    optional: true,
  }),
  result.boolean('automatic_pruning', 'whether automatic pruning is enabled (only present if pruning is enabled)', {
    optional: true,
  }),
  result.number('prune_target_size', 'the target size used by pruning (only present if automatic pruning is enabled)', {
    optional: true,
  }),
  result.string('warnings', 'any network and blockchain warnings'),
]);

export const CHAIN_INFO_METHODS: readonly RpcMethod[] = [
  {
    name: 'getblockchaininfo',
    category: 'blockchain',
    about: 'Returns an object containing various state info regarding blockchain processing.',
    params: [],
    results: [BLOCK_CHAIN_INFO],
    examples: NO_PARAMS,
    handler: blockChainInfo,
  },
  {
    name: 'getchainstates',
    category: 'blockchain',
    about: 'Return information about chainstates.',
    params: [],
    results: [
      result.object('', '', [
        result.number('headers', 'the number of headers seen so far'),
        result.array('chainstates', 'list of the chainstates, with the most-work (active) one last', [
          result.object('', '', [
            result.number('blocks', 'number of blocks in this chainstate'),
            result.hex('bestblockhash', 'blockhash of the tip'),
            result.number('difficulty', 'difficulty of the tip'),
            result.number('verificationprogress', 'progress towards the network tip'),
            result.number('coins_db_cache_bytes', 'size of the coinsdb cache'),
            result.number('coins_tip_cache_bytes', 'size of the coinstip cache'),
            result.boolean('validated', 'whether the chainstate is fully validated: always, as no snapshot is loaded'),
          ]),
        ]),
      ]),
    ],
    examples: NO_PARAMS,
    handler: chainStates,
  },
  {
    name: 'getblockcount',
    category: 'blockchain',
    about: 'Returns the height of the most-work fully-validated chain.\nThe genesis block has height 0.',
    params: [],
    results: [result.number('', 'The current block count')],
    examples: NO_PARAMS,
    handler: ({ node }) => node.chain.tip().height,
  },
  {
    name: 'getbestblockhash',
    category: 'blockchain',
    about: 'Returns the hash of the best (tip) block in the most-work fully-validated chain.',
    params: [],
    results: [result.hex('', 'the block hash, hex-encoded')],
    examples: NO_PARAMS,
    handler: ({ node }) => node.chain.tip().hash,
  },
  {
    name: 'getblockhash',
    category: 'blockchain',
    about: 'Returns hash of block in best-block-chain at height provided.',
    params: [param.number('height', 'The height index')],
    results: [result.hex('', 'The block hash')],
    examples: [{ cli: '1000', json: '1000' }],
    handler: ({ args, node }) => {
      const entry = node.chain.activeAt(args.int('height'));
      if (entry === undefined) throw invalidParameter('Block height out of range');
      return entry.hash;
    },
  },
  {
    name: 'getdifficulty',
    category: 'blockchain',
    about: 'Returns the proof-of-work difficulty as a multiple of the minimum difficulty.',
    params: [],
    results: [result.number('', 'the proof-of-work difficulty as a multiple of the minimum difficulty.')],
    examples: NO_PARAMS,
    handler: ({ node }) => difficultyOf(node.chain.tip().header.bits),
  },
  {
    name: 'getchaintips',
    category: 'blockchain',
    about:
      'Return information about all known tips in the block tree, including the main chain as well as orphaned branches.',
    params: [],
    results: [
      result.array('', '', [
        result.object('', '', [
          result.number('height', 'height of the chain tip'),
          result.hex('hash', 'block hash of the tip'),
          result.number(
            'branchlen',
            'zero for main chain, otherwise length of branch connecting the tip to the main chain',
          ),
          result.string('status', 'status of the chain: invalid, headers-only, valid-headers, valid-fork or active'),
        ]),
      ]),
    ],
    examples: NO_PARAMS,
    handler: ({ node }) =>
      node.chain.chainTips().map(({ entry, branchLength, status }) => ({
        height: entry.height,
        hash: entry.hash,
        branchlen: branchLength,
        status,
      })),
  },
  {
    name: 'getindexinfo',
    category: 'util',
    about: 'Returns the status of one or all available indices currently running in the node.',
    params: [param.string('index_name', 'Filter results for an index with a specific name.', { optional: true })],
    results: [
      result.dictionary('', '', [
        result.object('name', 'The name of the index', [
          result.boolean('synced', 'Whether the index is synced or not'),
          result.number('best_block_height', 'The block height to which the index is synced'),
        ]),
      ]),
    ],
    examples: [...NO_PARAMS, { cli: 'txindex', json: '"txindex"' }],
    handler: ({ args, node }) => {
      const wanted = args.has('index_name') ? args.string('index_name') : undefined;
      const infos = node.indexes.info().map(({ name, synced, bestBlockHeight }) => {
        return [name, { synced, best_block_height: bestBlockHeight }] as const;
      });
      return Object.fromEntries(
        infos
          .filter(([name]) => wanted === undefined || name === wanted)
          .sort(([a], [b]) => INDEX_ORDER.indexOf(a) - INDEX_ORDER.indexOf(b)),
      );
    },
  },
];

async function chainStates({ node, clock }: RpcCall): Promise<JsonObject> {
  const { chain } = node;
  const { coins } = (await node.figures()).chain;
  const tip = chain.tip();
  const state = {
    blocks: tip.height,
    bestblockhash: tip.hash,
    difficulty: difficultyOf(tip.header.bits),
    verificationprogress: verificationProgress(chain, nowSeconds(clock)),
    coins_db_cache_bytes: COINS_STORE_CACHE_BYTES,
    coins_tip_cache_bytes: coins.maxBytes,
    validated: true,
  };
  return { headers: chain.bestHeader().height, chainstates: [state] };
}

function nowSeconds(clock: Clock): number {
  return Math.floor(clock.now() / 1000);
}

async function blockChainInfo({ node, clock, isInitialDownload }: RpcCall): Promise<JsonObject> {
  const { chain } = node;
  const sizeOnDisk = await chain.sizeOnDisk();
  const tip = chain.tip();
  const headers = chain.bestHeader().height;
  const pruneTarget = chain.pruneTargetBytes();
  const isPruned = pruneTarget !== undefined;
  const isAutomatic = isPruned && pruneTarget !== MANUAL_PRUNE_BYTES;
  return {
    chain: chain.params.chainName,
    blocks: tip.height,
    headers,
    bestblockhash: tip.hash,
    difficulty: difficultyOf(tip.header.bits),
    time: tip.header.time,
    mediantime: tip.medianTimePast,
    verificationprogress: verificationProgress(chain, nowSeconds(clock)),
    initialblockdownload: isInitialDownload(),
    chainwork: workHex(tip.chainWork),
    size_on_disk: sizeOnDisk,
    pruned: isPruned,
    pruneheight: isPruned ? chain.lowestStoredHeight() : undefined,
    automatic_pruning: isPruned ? isAutomatic : undefined,
    prune_target_size: isAutomatic ? pruneTarget : undefined,
    warnings: '',
  };
}
