/** What the operator does with the mempool: its file, and what single transactions count for. */
import { parseTxid } from '#primitives';
import { errorText } from '#util';
import { compareIds } from '../core-io/mempool-json.ts';
import { invalidParameter, RpcCode, RpcError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json/value.ts';
import { checkMembers } from '../table/args.ts';
import type { RpcCall, RpcMethod } from '../table/method.ts';
import { param } from '../table/param.ts';
import { result } from '../table/result.ts';

/** Of a 64-bit amount; a double holds no more exactly. */
const MAX_DELTA = Number.MAX_SAFE_INTEGER;

export const MEMPOOL_CONTROL_METHODS: readonly RpcMethod[] = [
  {
    name: 'savemempool',
    category: 'blockchain',
    about: 'Dumps the mempool to disk. It will fail until the previous dump is fully loaded.',
    params: [],
    results: [result.object('', '', [result.string('filename', 'the directory and file where the mempool was saved')])],
    examples: [{ cli: '', json: '' }],
    handler: saveMempool,
  },
  {
    name: 'importmempool',
    category: 'blockchain',
    about:
      'Import a mempool.dat file and attempt to add its contents to the mempool.\n' +
      'Warning: Importing untrusted files is dangerous, especially if metadata from the file is taken over.',
    params: [
      param.string('filepath', 'The mempool file'),
      param.named('options', '', {
        optional: true,
        inner: [
          param.boolean(
            'use_current_time',
            'Whether to use the current system time or use the entry time metadata from the mempool file.',
            { default: true },
          ),
          param.boolean('apply_fee_delta_priority', 'Whether to apply the fee delta metadata from the mempool file.', {
            default: false,
          }),
          param.boolean(
            'apply_unbroadcast_set',
            'Whether to apply the unbroadcast set metadata from the mempool file.',
            {
              default: false,
            },
          ),
        ],
      }),
    ],
    results: [result.object('', '', [])],
    examples: [{ cli: '/path/to/mempool.dat', json: '"/path/to/mempool.dat"' }],
    handler: importMempool,
  },
  {
    name: 'prioritisetransaction',
    category: 'mining',
    about: 'Accepts the transaction into mined blocks at a higher (or lower) priority',
    params: [
      param.hex('txid', 'The transaction id.'),
      param.number('dummy', 'API-Compatibility for previous API. Must be zero or null.', { optional: true }),
      param.number(
        'fee_delta',
        'The fee value (in satoshis) to add (or subtract, if negative).\nNote, that this value is not a fee rate. It is a value to modify absolute fee of the TX.',
      ),
    ],
    results: [result.boolean('', 'Returns true')],
    examples: [{ cli: '"txid" 0.0 10000', json: '"txid", 0.0, 10000' }],
    handler: prioritiseTransaction,
  },
  {
    name: 'getprioritisedtransactions',
    category: 'mining',
    about:
      'Returns a map of all user-created (see prioritisetransaction) fee deltas by txid, and whether the tx is present in mempool.',
    params: [],
    results: [
      result.dictionary('', 'prioritisation keyed by txid', [
        result.object('<transactionid>', '', [
          result.number('fee_delta', 'transaction fee delta in satoshis'),
          result.boolean('in_mempool', 'whether this transaction is currently in mempool'),
          result.number('modified_fee', 'modified fee in satoshis. Only returned if in_mempool=true', {
            optional: true,
          }),
        ]),
      ]),
    ],
    examples: [{ cli: '', json: '' }],
    handler: prioritisedTransactions,
  },
];

async function saveMempool({ node: { mempoolFile }, log }: RpcCall): Promise<JsonObject> {
  if (!mempoolFile.isLoaded()) throw new RpcError(RpcCode.misc, 'The mempool was not loaded yet');
  try {
    return { filename: await mempoolFile.save() };
  } catch (error) {
    log.warn('the mempool could not be saved', { error: errorText(error) });
    throw new RpcError(RpcCode.misc, 'Unable to dump mempool to disk', { cause: error });
  }
}

async function importMempool({ args, node, log, isInitialDownload }: RpcCall): Promise<JsonObject> {
  if (isInitialDownload()) {
    const message = 'Can only import the mempool after the block download and sync is done.';
    throw new RpcError(RpcCode.clientInInitialDownload, message);
  }
  const options = args.has('options') ? args.object('options') : {};
  const kinds = { use_current_time: 'bool', apply_fee_delta_priority: 'bool', apply_unbroadcast_set: 'bool' } as const;
  checkMembers(options, kinds, { mayLack: true, isStrict: true });
  try {
    await node.mempoolFile.import(args.string('filepath'), {
      usesCurrentTime: options['use_current_time'] !== false,
      appliesFeeDeltas: options['apply_fee_delta_priority'] === true,
      appliesUnbroadcast: options['apply_unbroadcast_set'] === true,
    });
  } catch (error) {
    log.warn('a mempool file could not be imported', { error: errorText(error) });
    throw new RpcError(RpcCode.misc, 'Unable to import mempool file, see debug.log for details.', { cause: error });
  }
  return {};
}

function prioritiseTransaction({ args, node }: RpcCall): JsonValue {
  const txid = parseTxid(args.hash('txid'));
  const delta = BigInt(args.int('fee_delta', -MAX_DELTA, MAX_DELTA));
  if (args.has('dummy') && args.value('dummy') !== 0) {
    throw invalidParameter('Priority is no longer supported, dummy argument to prioritisetransaction must be 0.');
  }
  if (node.mempool.prioritise(txid, delta)) return true;
  throw new RpcError(RpcCode.misc, 'too many transactions are prioritised: set others back to 0 first');
}

function prioritisedTransactions({ node }: RpcCall): JsonObject {
  const { mempool } = node;
  const deltas = [...mempool.prioritised()].sort(([a], [b]) => compareIds(a, b));
  return Object.fromEntries(
    deltas.map(([txid, delta]) => {
      const entry = mempool.get(txid);
      return [txid, { fee_delta: delta, in_mempool: entry !== undefined, modified_fee: entry?.modifiedFee }];
    }),
  );
}
