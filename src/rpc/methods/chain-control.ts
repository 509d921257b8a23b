/** What the operator tells the chain: to check itself, to leave blocks and come back, to prune. */
import type { BlockHash } from '#primitives';
import { parseBlockHash } from '#primitives';
import { errorText, NodeError, nextTurn } from '#util';
import { invalidParameter, RpcCode, RpcError } from '../errors.ts';
import type { Args } from '../table/args.ts';
import type { RpcCall, RpcMethod } from '../table/method.ts';
import { param } from '../table/param.ts';
import { result } from '../table/result.ts';
import { blockHashParam } from './described.ts';

const DEFAULT_CHECK_LEVEL = 3;
const DEFAULT_CHECK_BLOCKS = 6;
/** A number above it is a time. */
const LARGEST_HEIGHT = 1_000_000_000;
/** Core's TIMESTAMP_WINDOW: block times may lie apart by so much. */
const TIMESTAMP_WINDOW_SECONDS = 2 * 60 * 60;
/** Headers that are looked at in one go. */
const SLICE = 5_000;
/** Core's MIN_BLOCKS_TO_KEEP. */
const MIN_BLOCKS_TO_KEEP = 288;

const EXAMPLE = [{ cli: '"blockhash"', json: '"blockhash"' }];
const NOTHING = [result.none('', '')];

export const CHAIN_CONTROL_METHODS: readonly RpcMethod[] = [
  {
    name: 'verifychain',
    category: 'blockchain',
    about: 'Verifies blockchain database.',
    params: [
      param.number(
        'checklevel',
        'How thorough the block verification is, 0 to 4; each level includes those below it.',
        {
          hint: `${DEFAULT_CHECK_LEVEL}, range=0-4`,
        },
      ),
      param.number('nblocks', 'The number of blocks to check.', { hint: `${DEFAULT_CHECK_BLOCKS}, 0=all` }),
    ],
    results: [result.boolean('', 'Verification finished successfully. If false, check debug log for reason.')],
    examples: [{ cli: '', json: '' }],
    handler: verifyChain,
  },
  {
    name: 'preciousblock',
    category: 'blockchain',
    about:
      'Treats a block as if it were received before others with the same work.\n' +
      'A later call overrides the effect of an earlier one. The effects are not retained across restarts.',
    params: [blockHashParam('the hash of the block to mark as precious')],
    results: NOTHING,
    examples: EXAMPLE,
    handler: ({ args, node: { chain } }) => change(args, chain.preciousBlock),
  },
  {
    name: 'invalidateblock',
    category: 'hidden',
    about: 'Permanently marks a block as invalid, as if it violated a consensus rule.',
    params: [blockHashParam('the hash of the block to mark as invalid')],
    results: NOTHING,
    examples: EXAMPLE,
    handler: ({ args, node: { chain } }) => change(args, chain.invalidateBlock, chain.params.genesis.hash),
  },
  {
    name: 'reconsiderblock',
    category: 'hidden',
    about:
      'Removes invalidity status of a block, its ancestors and its descendants, reconsider them for activation.\n' +
      'This can be used to undo the effects of invalidateblock.',
    params: [blockHashParam('the hash of the block to reconsider')],
    results: NOTHING,
    examples: EXAMPLE,
    handler: ({ args, node: { chain } }) => change(args, chain.reconsiderBlock),
  },
  {
    name: 'pruneblockchain',
    category: 'blockchain',
    about: 'Attempts to delete block and undo data up to a specified height or timestamp.',
    params: [
      param.number(
        'height',
        'The block height to prune up to. May be set to a discrete height, or to a UNIX epoch time\n' +
          'to prune blocks whose block time is at least 2 hours older than the provided timestamp.',
      ),
    ],
    results: [result.number('', 'Height of the last block pruned')],
    examples: [{ cli: '1000', json: '1000' }],
    handler: pruneBlockChain,
  },
];

/** Core gives the failure of a move as a database error, too. */
async function change(args: Args, move: (hash: BlockHash) => Promise<boolean>, genesis?: BlockHash): Promise<null> {
  const hash = parseBlockHash(args.hash('blockhash'));
  if (hash === genesis) throw new RpcError(RpcCode.databaseError, 'the genesis block cannot be left');
  try {
    if (await move(hash)) return null;
  } catch (error) {
    if (!(error instanceof NodeError)) throw error;
    throw new RpcError(RpcCode.databaseError, errorText(error), { cause: error });
  }
  throw new RpcError(RpcCode.invalidAddressOrKey, 'Block not found');
}

async function verifyChain({ args, node: { chain }, log, signal }: RpcCall): Promise<boolean> {
  const level = args.has('checklevel') ? args.int('checklevel') : DEFAULT_CHECK_LEVEL;
  const depth = args.has('nblocks') ? args.int('nblocks') : DEFAULT_CHECK_BLOCKS;
  const options = { level: Math.min(4, Math.max(0, level)), depth: Math.max(0, depth), signal };
  const { result: outcome, blocks, detail } = await chain.verify(options);
  log.info('verified the chain', { result: outcome, blocks, detail });
  return outcome === 'success';
}

async function pruneBlockChain({ args, node: { chain } }: RpcCall): Promise<number> {
  if (chain.pruneTargetBytes() === undefined) {
    throw new RpcError(RpcCode.misc, 'Cannot prune blocks because node is not in prune mode.');
  }
  const given = args.int('height');
  if (given < 0) throw invalidParameter('Negative block height.');
  const height = given > LARGEST_HEIGHT ? await heightOfTime(chain, given - TIMESTAMP_WINDOW_SECONDS) : given;
  const tip = chain.tip().height;
  if (height > tip) throw invalidParameter('Blockchain is shorter than the attempted prune height.');
  return (await chain.pruneTo(Math.min(height, Math.max(0, tip - MIN_BLOCKS_TO_KEEP)))) - 1;
}

/** The first block before which none is as late (Core's FindEarliestAtLeast, on times that may go back a little). */
async function heightOfTime(chain: RpcCall['node']['chain'], time: number): Promise<number> {
  const tip = chain.tip();
  let latest = 0;
  for (let height = 0; height <= tip.height; height++) {
    latest = Math.max(latest, chain.activeAt(height)?.header.time ?? 0);
    if (latest >= time) return height;
    if (height % SLICE === SLICE - 1) await nextTurn();
  }
  throw invalidParameter('Could not find block with at least the specified timestamp.');
}
