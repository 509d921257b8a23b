/** Transactions as bytes and as JSON: fetched, made, decoded. */
import type { Coin, HeaderEntry } from '#chain';
import { Block, parseBlockHash, parseTxid, type Transaction, type Txid } from '#primitives';
import { toHex, toReversedHex } from '#util';
import { constructTransaction } from '../core-io/construct-tx.ts';
import { decodeHexTx } from '../core-io/decode-tx.ts';
import { pooledTransaction } from '../core-io/spent-outputs.ts';
import { txJson } from '../core-io/tx-json.ts';
import { RpcCode, RpcError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json/value.ts';
import { hashOf } from '../table/args.ts';
import type { RpcCall, RpcMethod } from '../table/method.ts';
import { param } from '../table/param.ts';
import { type Result, result } from '../table/result.ts';
import { blockHashParam, SCRIPT_PUB_KEY_RESULT } from './described.ts';
import { CREATE_TX_EXAMPLES, CREATE_TX_PARAMS, isWitnessParam, txResults } from './tx-described.ts';

const WITHOUT_PREVOUTS = 1;

export const RAW_TRANSACTION_METHODS: readonly RpcMethod[] = [
  {
    name: 'getrawtransaction',
    category: 'rawtransactions',
    about:
      'By default, this call only returns a transaction if it is in the mempool. If --txindex is enabled\n' +
      'and no blockhash argument is passed, it will return the transaction if it is in the mempool or any block.\n' +
      'If a blockhash argument is passed, it will return the transaction if\n' +
      'the specified block is available and the transaction is in that block.',
    params: [
      param.hex('txid', 'The transaction id'),
      param.number(
        'verbosity|verbose',
        '0 for hex-encoded data, 1 for a JSON object, and 2 for JSON object with fee and prevout',
        { default: 0, anyType: true },
      ),
      blockHashParam('The block in which to look for the transaction', { optional: true }),
    ],
    results: [
      result.string('data', "The serialized transaction as a hex-encoded string for 'txid'", {
        when: 'if verbosity is not set or set to 0',
      }),
      result.object(
        '',
        '',
        [
          result.boolean(
            'in_active_chain',
            'Whether specified block is in the active chain or not (only present with explicit "blockhash" argument)',
            { optional: true },
          ),
          result.hex('blockhash', 'the block hash', { optional: true }),
          result.number('confirmations', 'The confirmations', { optional: true }),
          result.time('blocktime', 'The block time expressed in UNIX epoch time', { optional: true }),
          result.number('time', 'Same as "blocktime"', { optional: true }),
          result.hex('hex', "The serialized, hex-encoded data for 'txid'"),
          ...txResults('The transaction id (same as provided)'),
        ],
        { when: 'if verbosity is set to 1' },
      ),
      result.object('', '', withPrevoutsResults(), { when: 'for verbosity = 2' }),
    ],
    examples: [
      { cli: '"mytxid"', json: '"mytxid"' },
      { cli: '"mytxid" 2 "myblockhash"', json: '"mytxid", 2, "myblockhash"' },
    ],
    handler: getRawTransaction,
  },
  {
    name: 'createrawtransaction',
    category: 'rawtransactions',
    about:
      'Create a transaction spending the given inputs and creating new outputs.\n' +
      'Outputs can be addresses or data.\n' +
      'Returns hex-encoded raw transaction.\n' +
      "Note that the transaction's inputs are not signed, and\n" +
      'it is not stored in the wallet or transmitted to the network.',
    params: CREATE_TX_PARAMS,
    results: [result.hex('transaction', 'hex string of the transaction')],
    examples: CREATE_TX_EXAMPLES,
    handler: ({ args, node }) => toHex(constructTransaction(args, node.chain.params.address).raw),
  },
  {
    name: 'decoderawtransaction',
    category: 'rawtransactions',
    about: 'Return a JSON object representing the serialized, hex-encoded transaction.',
    params: [param.hex('hexstring', 'The transaction hex string'), isWitnessParam],
    results: [result.object('', '', txResults('The transaction id'))],
    examples: [{ cli: '"hexstring"', json: '"hexstring"' }],
    handler: ({ args, node }) => {
      const isWitness = args.has('iswitness') ? args.boolean('iswitness') : undefined;
      const tx = decodeHexTx(args.string('hexstring'), {
        witness: isWitness ?? true,
        withoutWitness: isWitness !== true,
      });
      if (tx === undefined) throw new RpcError(RpcCode.deserialization, 'TX decode failed');
      return txJson(tx, node.chain.params.address, { hex: false });
    },
  },
];

function withPrevoutsResults(): readonly Result[] {
  return [
    result.elision('', 'Same output as verbosity = 1'),
    result.number('fee', 'transaction fee in BTC, omitted if block undo data is not available', { optional: true }),
    result.array('vin', '', [
      result.object('', 'utxo being spent', [
        result.elision('', 'Same output as verbosity = 1'),
        result.object(
          'prevout',
          'The previous output, omitted if block undo data is not available',
          [
            result.boolean('generated', 'Coinbase or not'),
            result.number('height', 'The height of the prevout'),
            result.amount('value', 'The value in BTC'),
            SCRIPT_PUB_KEY_RESULT,
          ],
          { optional: true },
        ),
      ]),
    ]),
  ];
}

type Found = { readonly tx: Transaction; readonly entry: HeaderEntry | undefined };

async function getRawTransaction(call: RpcCall): Promise<JsonValue> {
  const { args, node } = call;
  const { chain } = node;
  const txid = parseTxid(hashOf(args.value('txid'), 'parameter 1'));
  if (txid === toReversedHex(chain.params.genesis.header.merkleRoot)) {
    throw new RpcError(
      RpcCode.invalidAddressOrKey,
      'The genesis block coinbase is not considered an ordinary transaction and cannot be retrieved',
    );
  }
  const verbosity = args.verbosity('verbosity');
  const named = args.has('blockhash') ? blockArgument(call) : undefined;
  const { tx, entry } = named === undefined ? await findTransaction(call, txid) : await inBlock(call, txid, named);
  if (verbosity <= 0) return toHex(tx.raw);
  const spent = verbosity > WITHOUT_PREVOUTS && entry !== undefined ? await spentBy(call, tx, entry) : undefined;
  return {
    in_active_chain: named && isActive(call, named),
    ...txJson(tx, chain.params.address, { spent, prevouts: true }),
    ...(entry && placeJson(call, entry)),
  };
}

function blockArgument({ args, node }: RpcCall): HeaderEntry {
  const entry = node.chain.getHeader(parseBlockHash(hashOf(args.value('blockhash'), 'parameter 3')));
  if (entry === undefined) throw new RpcError(RpcCode.invalidAddressOrKey, 'Block hash not found');
  return entry;
}

async function inBlock({ node }: RpcCall, txid: Txid, entry: HeaderEntry): Promise<Found> {
  const raw = await node.chain.readBlock(entry.hash);
  if (raw === undefined) throw new RpcError(RpcCode.misc, 'Block not available');
  const tx = Block.fromBytes(raw).transactions.find((each) => each.txid === txid);
  if (tx === undefined) throw notFound('No such transaction found in the provided block');
  return { tx, entry };
}

async function findTransaction({ node }: RpcCall, txid: Txid): Promise<Found> {
  const pooled = pooledTransaction(node.mempool, txid);
  if (pooled !== undefined) return { tx: pooled, entry: undefined };
  const indexed = await node.indexes.transaction(txid);
  if (indexed !== undefined) return { tx: indexed.tx, entry: node.chain.getHeader(indexed.blockHash) };
  const index = node.indexes.info().find(({ name }) => name === 'txindex');
  if (index === undefined) {
    throw notFound(
      'No such mempool transaction. Use -txindex or provide a block hash to enable blockchain transaction queries',
    );
  }
  if (!index.synced) {
    throw notFound('No such mempool transaction. Blockchain transactions are still in the process of being indexed');
  }
  throw notFound('No such mempool or blockchain transaction');
}

function notFound(message: string): RpcError {
  return new RpcError(RpcCode.invalidAddressOrKey, `${message}. Use gettransaction for wallet transactions.`);
}

/** Undefined for a coinbase. */
async function spentBy({ node }: RpcCall, tx: Transaction, entry: HeaderEntry): Promise<readonly Coin[] | undefined> {
  if (tx.isCoinbase) return undefined;
  const raw = await node.chain.readBlock(entry.hash);
  const undo = await node.chain.readUndo(entry.hash);
  const lost = undo === undefined ? 'Undo' : raw === undefined ? 'Block' : undefined;
  if (lost !== undefined || raw === undefined) {
    throw new RpcError(
      RpcCode.internalError,
      `${lost} data expected but can't be read. This could be due to disk corruption or a conflict with a pruning event.`,
    );
  }
  const at = Block.fromBytes(raw).transactions.findIndex(({ txid }) => txid === tx.txid);
  return undo?.[at - 1];
}

function isActive({ node }: RpcCall, { hash, height }: HeaderEntry): boolean {
  return node.chain.activeAt(height)?.hash === hash;
}

function placeJson(call: RpcCall, entry: HeaderEntry): JsonObject {
  const blockhash = entry.hash;
  if (!isActive(call, entry)) return { blockhash, confirmations: 0 };
  const { time } = entry.header;
  return { blockhash, confirmations: call.node.chain.tip().height - entry.height + 1, time, blocktime: time };
}
