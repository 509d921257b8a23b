/** Unspent outputs: one of them, and figures of all. */
import type { ChainReader, HeaderEntry } from '#chain';
import { idToBytes, parseTxid, type Sats, type Txid, type TxOutput } from '#primitives';
import { scriptPubKeyJson } from '../core-io/script-json.ts';
import { invalidParameter, RpcCode, RpcError } from '../errors.ts';
import { amount, type JsonObject, type JsonValue } from '../json/value.ts';
import type { RpcCall, RpcMethod } from '../table/method.ts';
import { param } from '../table/param.ts';
import { result } from '../table/result.ts';
import { SCRIPT_PUB_KEY_RESULT } from './described.ts';
import { blockByHashOrHeight } from './find-block.ts';

/** Of an output: 32 bits. */
const MAX_INDEX = 0xffff_ffff;
const OPTIONAL = { optional: true };

const COIN_RESULT = result.object('', '', [
  result.hex('bestblock', 'The hash of the block at the tip of the chain'),
  result.number('confirmations', 'The number of confirmations'),
  result.amount('value', 'The transaction value in BTC'),
  SCRIPT_PUB_KEY_RESULT,
  result.boolean('coinbase', 'Coinbase or not'),
]);

const SET_INFO_RESULT = result.object('', '', [
  result.number('height', 'The block height (index) of the returned statistics'),
  result.hex('bestblock', 'The hash of the block at which these statistics are calculated'),
  result.number('txouts', 'The number of unspent transaction outputs'),
  result.number('bogosize', 'Database-independent, meaningless metric indicating the UTXO set size'),
  result.hex(
    'hash_serialized_3',
    "The serialized hash (only present if 'hash_serialized_3' hash_type is chosen)",
    OPTIONAL,
  ),
  result.hex('muhash', "The serialized hash (only present if 'muhash' hash_type is chosen)", OPTIONAL),
  result.number('transactions', 'The number of transactions with unspent outputs (not with coinstatsindex)', OPTIONAL),
  result.number('disk_size', 'The estimated size of the chainstate on disk (not with coinstatsindex)', OPTIONAL),
  result.amount('total_amount', 'The total amount of coins in the UTXO set'),
  result.amount(
    'total_unspendable_amount',
    'The total amount of coins permanently excluded (with coinstatsindex)',
    OPTIONAL,
  ),
  result.object(
    'block_info',
    'Info on amounts in the block at this block height (with coinstatsindex)',
    [
      result.amount('prevout_spent', 'Total amount of all prevouts spent in this block'),
      result.amount('coinbase', 'Coinbase subsidy amount of this block'),
      result.amount('new_outputs_ex_coinbase', 'Total amount of new outputs created by this block'),
      result.amount('unspendable', 'Total amount of unspendable outputs created in this block'),
      result.object('unspendables', 'Detailed view of the unspendable categories', [
        result.amount('genesis_block', 'The unspendable amount of the Genesis block subsidy'),
        result.amount('bip30', 'Transactions overridden by duplicates (no longer possible with BIP30)'),
        result.amount('scripts', 'Amounts sent to scripts that are unspendable (for example OP_RETURN outputs)'),
        result.amount('unclaimed_rewards', 'Fee rewards that miners did not claim in their coinbase transaction'),
      ]),
    ],
    OPTIONAL,
  ),
]);

export const COIN_METHODS: readonly RpcMethod[] = [
  {
    name: 'gettxout',
    category: 'blockchain',
    about: 'Returns details about an unspent transaction output.',
    params: [
      param.string('txid', 'The transaction id'),
      param.number('n', 'vout number'),
      param.boolean(
        'include_mempool',
        'Whether to include the mempool. An unspent output that is spent in the mempool will not appear.',
        { default: true },
      ),
    ],
    results: [result.none('', '', { when: 'If the UTXO was not found' }), { ...COIN_RESULT, when: 'Otherwise' }],
    examples: [{ cli: '"txid" 1', json: '"txid", 1' }],
    handler: getTxOut,
  },
  {
    name: 'gettxoutsetinfo',
    category: 'blockchain',
    about:
      'Returns statistics about the unspent transaction output set.\n' +
      'This call may take some time if you are not using coinstatsindex.',
    params: [
      param.string(
        'hash_type',
        "Which UTXO set hash should be calculated. Options: 'hash_serialized_3' (the legacy algorithm), 'muhash', 'none'.",
        { default: 'hash_serialized_3' },
      ),
      param.number(
        'hash_or_height',
        'The block hash or height of the target block (only available with coinstatsindex).',
        { hint: 'the current best block', anyType: true, typeText: ['', 'string or numeric'] },
      ),
      param.boolean('use_index', 'Use coinstatsindex, if available.', { default: true }),
    ],
    results: [SET_INFO_RESULT],
    examples: [
      { cli: '', json: '' },
      { cli: '"none" 1000', json: '"none", 1000' },
    ],
    handler: getTxOutSetInfo,
  },
];

type FoundOutput = { readonly output: TxOutput; readonly confirmations: number; readonly isCoinbase: boolean };

function getTxOut({ args, node: { chain, mempool } }: RpcCall): JsonValue {
  const txid = parseTxid(args.hash('txid'));
  const index = args.int('n', 0, MAX_INDEX);
  const tip = chain.tip();
  const found =
    (args.boolean('include_mempool') ? unconfirmedOutput(mempool, txid, index) : undefined) ??
    confirmedOutput(chain, tip, txid, index);
  if (found === undefined || found === 'spent') return null;
  const { output, confirmations, isCoinbase } = found;
  return {
    bestblock: tip.hash,
    confirmations,
    value: amount(output.value),
    scriptPubKey: scriptPubKeyJson(output.scriptPubKey, chain.params.address),
    coinbase: isCoinbase,
  };
}

function unconfirmedOutput(
  mempool: RpcCall['node']['mempool'],
  txid: Txid,
  index: number,
): FoundOutput | 'spent' | undefined {
  if (mempool.spender(idToBytes(txid), index) !== undefined) return 'spent';
  const output = mempool.get(txid)?.tx.outputs[index];
  return output && { output, confirmations: 0, isCoinbase: false };
}

function confirmedOutput(chain: ChainReader, tip: HeaderEntry, txid: Txid, index: number): FoundOutput | undefined {
  if (index < 0) return undefined;
  const coin = chain.getCoin({ txid: idToBytes(txid), index });
  if (coin === undefined) return undefined;
  return { output: coin.output, confirmations: tip.height - coin.height + 1, isCoinbase: coin.isCoinbase };
}

type UtxoHashes = NonNullable<NonNullable<Parameters<ChainReader['utxoStats']>[0]>['hashes']>;

const HASH_KINDS: Readonly<Record<string, UtxoHashes>> = {
  hash_serialized_3: ['hash_serialized_3'],
  muhash: ['muhash'],
  none: [],
};

async function getTxOutSetInfo(call: RpcCall): Promise<JsonObject> {
  const { args, node } = call;
  const kind = args.string('hash_type');
  const hashes = HASH_KINDS[kind];
  if (hashes === undefined) throw invalidParameter(`'${kind}' is not a valid hash_type`);
  const isIndexed = node.indexes.info().some(({ name }) => name === 'coinstatsindex');
  const usesIndex = isIndexed && args.boolean('use_index') && kind !== 'hash_serialized_3';
  if (args.has('hash_or_height')) {
    if (!isIndexed) throw invalidParameter('Querying specific block heights requires coinstatsindex');
    if (kind === 'hash_serialized_3') {
      throw invalidParameter('hash_serialized_3 hash type cannot be queried for a specific block');
    }
    if (!args.boolean('use_index'))
      throw invalidParameter('Cannot set use_index to false when querying for a specific block');
  }
  return usesIndex ? indexedInfo(call, kind) : countedInfo(call, hashes);
}

/** Reads every coin. */
async function countedInfo({ node, signal }: RpcCall, hashes: UtxoHashes): Promise<JsonObject> {
  const stats = await node.chain.utxoStats({ hashes, signal });
  return {
    height: stats.height,
    bestblock: stats.bestBlock,
    txouts: stats.txouts,
    bogosize: stats.bogoSize,
    hash_serialized_3: hashes.includes('hash_serialized_3') ? stats.hashSerialized3 : undefined,
    muhash: hashes.includes('muhash') ? stats.muhash : undefined,
    total_amount: amount(stats.totalAmount),
    transactions: stats.transactions,
    disk_size: await node.chain.coinsSizeOnDisk(),
  };
}

async function indexedInfo({ args, node }: RpcCall, kind: string): Promise<JsonObject> {
  const { chain, indexes } = node;
  const entry = args.has('hash_or_height') ? blockByHashOrHeight(chain, args, 'hash_or_height') : chain.tip();
  const stats = await indexes.coinStats(entry.hash);
  if (stats === undefined) {
    throw new RpcError(RpcCode.internalError, 'Unable to get data because coinstatsindex is still syncing.');
  }
  const { blockInfo } = stats;
  return {
    height: stats.height,
    bestblock: stats.blockHash,
    txouts: stats.txouts,
    bogosize: stats.bogoSize,
    muhash: kind === 'muhash' ? stats.muhash : undefined,
    total_amount: amount(stats.totalAmount),
    total_unspendable_amount: amount(stats.totalUnspendableAmount),
    block_info: {
      prevout_spent: amount(blockInfo.prevoutSpent),
      coinbase: amount(blockInfo.coinbase),
      new_outputs_ex_coinbase: amount(blockInfo.newOutputsExCoinbase),
      unspendable: amount(blockInfo.unspendable),
      unspendables: amounts({
        genesis_block: blockInfo.unspendables.genesisBlock,
        bip30: blockInfo.unspendables.bip30,
        scripts: blockInfo.unspendables.scripts,
        unclaimed_rewards: blockInfo.unspendables.unclaimedRewards,
      }),
    },
  };
}

function amounts(values: Readonly<Record<string, Sats>>): JsonObject {
  return Object.fromEntries(Object.entries(values).map(([key, sats]) => [key, amount(sats)]));
}
