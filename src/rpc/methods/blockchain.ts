/** The tip of the active chain, and blocks by height. */
import { invalidParameter } from '../errors.ts';
import type { RpcMethod } from '../table/method.ts';
import { param } from '../table/param.ts';
import { result } from '../table/result.ts';

export const BLOCKCHAIN_METHODS: readonly RpcMethod[] = [
  {
    name: 'getblockcount',
    category: 'blockchain',
    about: 'Returns the height of the most-work fully-validated chain.\nThe genesis block has height 0.',
    params: [],
    results: [result.number('', 'The current block count')],
    examples: [{ cli: '', json: '' }],
    handler: ({ node }) => node.chain.tip().height,
  },
  {
    name: 'getbestblockhash',
    category: 'blockchain',
    about: 'Returns the hash of the best (tip) block in the most-work fully-validated chain.',
    params: [],
    results: [result.hex('', 'the block hash, hex-encoded')],
    examples: [{ cli: '', json: '' }],
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
];
