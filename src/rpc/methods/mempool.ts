/** What is in the mempool. */
import { type MempoolEntry, withAncestors, withDescendants } from '#mempool';
import { idToBytes, parseTxid, type Txid } from '#primitives';
import { Slices } from '#util';
import { byDepthAndScore, byHash, mempoolEntryJson } from '../core-io/mempool-json.ts';
import { invalidParameter, RpcCode, RpcError } from '../errors.ts';
import { amount, type JsonObject, type JsonValue } from '../json/value.ts';
import { checkMembers, hashOf, intOf, objectOf } from '../table/args.ts';
import type { RpcCall, RpcMethod } from '../table/method.ts';
import { type Param, param } from '../table/param.ts';
import { type Result, result } from '../table/result.ts';
import { feeHistogram, HISTOGRAM_PARAM, HISTOGRAM_RESULT } from './fee-histogram.ts';

const ENTRY_RESULTS: readonly Result[] = [
  result.number(
    'vsize',
    'virtual transaction size as defined in BIP 141. This is different from actual serialized size for witness transactions as witness data is discounted.',
  ),
  result.number('weight', 'transaction weight as defined in BIP 141.'),
  result.time('time', 'local time transaction entered pool in seconds since 1 Jan 1970 GMT'),
  result.number('height', 'block height when transaction entered pool'),
  result.number('descendantcount', 'number of in-mempool descendant transactions (including this one)'),
  result.number('descendantsize', 'virtual transaction size of in-mempool descendants (including this one)'),
  result.number('ancestorcount', 'number of in-mempool ancestor transactions (including this one)'),
  result.number('ancestorsize', 'virtual transaction size of in-mempool ancestors (including this one)'),
  result.hex('wtxid', 'hash of serialized transaction, including witness data'),
  result.object('fees', '', [
    result.amount('base', 'transaction fee, denominated in BTC'),
    result.amount('modified', 'transaction fee with fee deltas used for mining priority, denominated in BTC'),
    result.amount(
      'ancestor',
      'transaction fees of in-mempool ancestors (including this one) with fee deltas used for mining priority, denominated in BTC',
    ),
    result.amount(
      'descendant',
      'transaction fees of in-mempool descendants (including this one) with fee deltas used for mining priority, denominated in BTC',
    ),
  ]),
  result.array('depends', 'unconfirmed transactions used as inputs for this transaction', [
    result.hex('transactionid', 'parent transaction id'),
  ]),
  result.array('spentby', 'unconfirmed transactions spending outputs from this transaction', [
    result.hex('transactionid', 'child transaction id'),
  ]),
  result.boolean(
    'bip125-replaceable',
    'Whether this transaction signals BIP125 replaceability or has an unconfirmed ancestor signaling BIP125 replaceability.',
  ),
  result.boolean(
    'unbroadcast',
    'Whether this transaction is currently unbroadcast (initial broadcast not yet acknowledged by any peers)',
  ),
];

const TXID = param.hex('txid', 'The transaction id (must be in mempool)');
const VERBOSE: Param = param.boolean('verbose', 'True for a json object, false for array of transaction ids', {
  default: false,
});

const ids = (when: string): Result => result.array('', '', [result.hex('', 'The transaction id')], { when });
const entriesById = (when: string): Result =>
  result.dictionary('', '', [result.object('transactionid', '', ENTRY_RESULTS)], { when });

export const MEMPOOL_METHODS: readonly RpcMethod[] = [
  {
    name: 'getmempoolinfo',
    category: 'blockchain',
    about: 'Returns details on the active state of the TX memory pool.',
    params: [HISTOGRAM_PARAM],
    results: [
      result.object('', '', [
        result.boolean('loaded', 'True if the initial load attempt of the persisted mempool finished'),
        result.number('size', 'Current tx count'),
        result.number(
          'bytes',
          'Sum of all virtual transaction sizes as defined in BIP 141. Differs from actual serialized size because witness data is discounted',
        ),
        result.number('usage', 'Total memory usage for the mempool'),
        result.amount(
          'total_fee',
          'Total fees for the mempool in BTC, ignoring modified fees through prioritisetransaction',
        ),
        result.number('maxmempool', 'Maximum memory usage for the mempool'),
        result.amount(
          'mempoolminfee',
          'Minimum fee rate in BTC/kvB for tx to be accepted. Is the maximum of minrelaytxfee and minimum mempool fee',
        ),
        result.amount('minrelaytxfee', 'Current minimum relay fee for transactions'),
        result.number(
          'incrementalrelayfee',
          'minimum fee rate increment for mempool limiting or replacement in BTC/kvB',
        ),
        result.number('unbroadcastcount', "Current number of transactions that haven't passed initial broadcast yet"),
        result.boolean('fullrbf', 'True if the mempool accepts RBF without replaceability signaling inspection'),
        HISTOGRAM_RESULT,
      ]),
    ],
    examples: [
      { cli: '', json: '' },
      { cli: '"[0,10,100]"', json: '[0, 10, 100]' },
    ],
    handler: mempoolInfo,
  },
  {
    name: 'getrawmempool',
    category: 'blockchain',
    about:
      'Returns all transaction ids in memory pool as a json array of string transaction ids.\n' +
      '\nHint: use getmempoolentry to fetch a specific transaction from the mempool.',
    params: [
      VERBOSE,
      param.boolean(
        'mempool_sequence',
        'If verbose=false, returns a json object with transaction list and mempool sequence number attached.',
        { default: false },
      ),
    ],
    results: [
      ids('for verbose = false'),
      entriesById('for verbose = true'),
      result.object(
        '',
        '',
        [
          result.array('txids', '', [result.hex('', 'The transaction id')]),
          result.number('mempool_sequence', 'The mempool sequence value.'),
        ],
        { when: 'for verbose = false and mempool_sequence = true' },
      ),
    ],
    examples: [{ cli: 'true', json: 'true' }],
    handler: rawMempool,
  },
  familyMethod('getmempoolancestors', 'If txid is in the mempool, returns all in-mempool ancestors.', withAncestors),
  familyMethod(
    'getmempooldescendants',
    'If txid is in the mempool, returns all in-mempool descendants.',
    withDescendants,
  ),
  {
    name: 'getmempoolentry',
    category: 'blockchain',
    about: 'Returns mempool data for given transaction',
    params: [TXID],
    results: [result.object('', '', ENTRY_RESULTS)],
    examples: [{ cli: '"mytxid"', json: '"mytxid"' }],
    handler: (call) => mempoolEntryJson(entryNamed(call), unbroadcastOf(call)),
  },
  {
    name: 'gettxspendingprevout',
    category: 'blockchain',
    about: 'Scans the mempool to find transactions spending any of the given outputs',
    params: [
      param.array(
        'outputs',
        'The transaction outputs that we want to check, and within each, the txid (string) vout (numeric).',
        {
          inner: [
            param.object('', '', {
              optional: true,
              inner: [param.hex('txid', 'The transaction id'), param.number('vout', 'The output number')],
            }),
          ],
        },
      ),
    ],
    results: [
      result.array('', '', [
        result.object('', '', [
          result.hex('txid', 'the transaction id of the checked output'),
          result.number('vout', 'the vout value of the checked output'),
          result.hex(
            'spendingtxid',
            'the transaction id of the mempool transaction spending this output (omitted if unspent)',
            {
              optional: true,
            },
          ),
        ]),
      ]),
    ],
    examples: [
      {
        cli: '"[{\\"txid\\":\\"a08e6907dbbd3d809776dbfc5d82e371b764ed838b5655e72f463568df1aadf0\\",\\"vout\\":3}]"',
        json: '"[{\\"txid\\":\\"a08e6907dbbd3d809776dbfc5d82e371b764ed838b5655e72f463568df1aadf0\\",\\"vout\\":3}]"',
      },
    ],
    handler: txSpendingPrevout,
  },
];

async function mempoolInfo(call: RpcCall): Promise<JsonObject> {
  const { mempool, mempoolFile } = call.node;
  const histogram = call.args.has(HISTOGRAM_PARAM.names) ? { fee_histogram: await feeHistogram(call) } : {};
  const { count, vsize, usage, maxBytes, totalFee } = mempool.stats();
  const { minRelayFeeSatPerKvb, incrementalFeeSatPerKvb, fullRbf } = mempool.options;
  return {
    loaded: mempoolFile.isLoaded(),
    size: count,
    bytes: vsize,
    usage,
    total_fee: amount(totalFee),
    maxmempool: maxBytes,
    mempoolminfee: amount(BigInt(Math.ceil(mempool.minFeeSatPerKvb()))),
    minrelaytxfee: amount(BigInt(minRelayFeeSatPerKvb)),
    incrementalrelayfee: amount(BigInt(incrementalFeeSatPerKvb)),
    unbroadcastcount: mempool.unbroadcast().length,
    fullrbf: fullRbf,
    ...histogram,
  };
}

async function rawMempool(call: RpcCall): Promise<JsonValue> {
  const { args, clock, node } = call;
  const isVerbose = args.boolean('verbose');
  const withSequence = args.boolean('mempool_sequence');
  if (isVerbose && withSequence) {
    throw invalidParameter('Verbose results cannot contain mempool sequence values.');
  }
  const sequence = node.mempool.sequence();
  const entries = await byDepthAndScore(node.mempool.entries(), clock);
  if (isVerbose) return entriesJson(call, entries);
  const txids = entries.map(({ txid }) => txid);
  return withSequence ? { txids, mempool_sequence: sequence } : txids;
}

async function entriesJson(call: RpcCall, entries: readonly MempoolEntry[]): Promise<JsonObject> {
  const { clock, node, signal } = call;
  const unbroadcast = unbroadcastOf(call);
  const slices = new Slices(clock);
  const json: Record<string, JsonValue> = {};
  for (const entry of entries) {
    await slices.rest();
    signal.throwIfAborted();
    if (node.mempool.get(entry.txid) === entry) json[entry.txid] = mempoolEntryJson(entry, unbroadcast);
  }
  return json;
}

function familyMethod(
  name: 'getmempoolancestors' | 'getmempooldescendants',
  about: string,
  family: (entries: Iterable<MempoolEntry>) => Set<MempoolEntry>,
): RpcMethod {
  return {
    name,
    category: 'blockchain',
    about,
    params: [TXID, VERBOSE],
    results: [ids('for verbose = false'), entriesById('for verbose = true')],
    examples: [{ cli: '"mytxid"', json: '"mytxid"' }],
    handler: (call) => {
      const entry = entryNamed(call);
      const members = family([entry]);
      members.delete(entry);
      const others = byHash(members);
      return call.args.boolean('verbose') ? entriesJson(call, others) : others.map(({ txid }) => txid);
    },
  };
}

function entryNamed({ args, node }: RpcCall): MempoolEntry {
  const txid = parseTxid(args.hash('txid'));
  const entry = node.mempool.get(txid);
  // The id may be a wtxid to us, not to Core.
  if (entry?.txid === txid) return entry;
  throw new RpcError(RpcCode.invalidAddressOrKey, 'Transaction not in mempool');
}

function unbroadcastOf({ node }: RpcCall): ReadonlySet<Txid> {
  return new Set(node.mempool.unbroadcast());
}

function txSpendingPrevout({ args, node }: RpcCall): JsonValue {
  const outputs = args.array('outputs');
  if (outputs.length === 0) throw invalidParameter('Invalid parameter, outputs are missing');
  const wanted = outputs.map((value) => {
    const output = objectOf(value);
    checkMembers(output, { txid: 'string', vout: 'number' }, { isStrict: true });
    const txid = parseTxid(hashOf(output['txid'] ?? null, 'txid'));
    const vout = intOf(output['vout'] ?? null);
    if (vout < 0) throw invalidParameter('Invalid parameter, vout cannot be negative');
    return { txid, vout };
  });
  return wanted.map(({ txid, vout }) => ({
    txid,
    vout,
    spendingtxid: node.mempool.spender(idToBytes(txid), vout)?.txid,
  }));
}
