/** Coins by what their scripts say: scantxoutset. */
import type { CoinScan } from '#chain';
import { txidFromBytes } from '#primitives';
import { toHex } from '#util';
import { scriptsOfScanObjects } from '../core-io/scan-objects.ts';
import { invalidParameter, RpcCode, RpcError } from '../errors.ts';
import { amount, type JsonObject, type JsonValue } from '../json/value.ts';
import type { RpcCall, RpcMethod } from '../table/method.ts';
import { param } from '../table/param.ts';
import { result } from '../table/result.ts';

/** What the calls that scan have in common. */
export const SCAN_ACTION = param.string(
  'action',
  'The action to execute\n"start" for starting a scan\n"abort" for aborting the current scan ' +
    '(returns true when abort was successful)\n"status" for progress report (in %) of the current scan',
);
export const SCAN_OBJECTS = param.array('scanobjects', 'Array of scan objects. Required for "start" action', {
  optional: true,
  oneLine: '[scanobjects,...]',
  inner: [
    param.string('descriptor', 'An output descriptor', { optional: true }),
    param.object('', 'An object with output descriptor and metadata', {
      optional: true,
      inner: [
        param.string('desc', 'An output descriptor'),
        param.range('range', 'The range of HD chain indexes to explore (either end or [begin,end])', {
          default: 1000,
        }),
      ],
    }),
  ],
});
export const SCAN_ABORTED = result.boolean('', 'True if scan will be aborted, or false if there is no scan to abort', {
  when: "when action=='abort'",
});
export const NO_SCAN = result.none('', '', { when: "when action=='status' and there is no scan in progress" });

export const SCAN_METHODS: readonly RpcMethod[] = [
  {
    name: 'scantxoutset',
    category: 'blockchain',
    about:
      'Scans the unspent transaction output set for entries that match certain output descriptors.\n' +
      'Examples of output descriptors are:\n' +
      '    addr(<address>)                      Outputs whose output script corresponds to the specified address\n' +
      '    raw(<hex script>)                    Outputs whose output script equals the specified hex-encoded bytes\n' +
      '    combo(<pubkey>)                      P2PK, P2PKH, P2WPKH, and P2SH-P2WPKH outputs for the given pubkey\n' +
      '    pkh(<pubkey>)                        P2PKH outputs for the given pubkey\n' +
      '    wpkh(<xpub>/0/*)                     P2WPKH outputs for the keys of a range',
    params: [SCAN_ACTION, SCAN_OBJECTS],
    results: [
      result.object(
        '',
        '',
        [
          result.boolean('success', 'Whether the scan was completed'),
          result.number('txouts', 'The number of unspent transaction outputs scanned'),
          result.number('height', 'The block height at which the scan was done'),
          result.hex('bestblock', 'The hash of the block at the tip of the chain'),
          result.array('unspents', '', [
            result.object('', '', [
              result.hex('txid', 'The transaction id'),
              result.number('vout', 'The vout value'),
              result.hex('scriptPubKey', 'The output script'),
              result.string('desc', 'A specialized descriptor for the matched output script'),
              result.amount('amount', 'The total amount in BTC of the unspent output'),
              result.boolean('coinbase', 'Whether this is a coinbase output'),
              result.number('height', 'Height of the unspent transaction output'),
            ]),
          ]),
          result.amount('total_amount', 'The total amount of all found unspent outputs in BTC'),
        ],
        { when: "when action=='start'" },
      ),
      SCAN_ABORTED,
      result.object('', '', [result.number('progress', 'Approximate percent complete')], {
        when: "when action=='status' and a scan is currently in progress",
      }),
      NO_SCAN,
    ],
    examples: [
      { cli: 'start \'["raw(76a914411b5ea49fed33aab6bdfd8fbc6ed9cf2b0f9e0f88ac)"]\'', json: '"status"' },
      { cli: 'abort', json: '"abort"' },
    ],
    handler: scanTxOutSet,
  },
];

async function scanTxOutSet(call: RpcCall): Promise<JsonValue> {
  const { args, scan } = call;
  const action = args.string('action');
  switch (action) {
    case 'status':
      return scan.progress === undefined ? null : { progress: scan.progress };
    case 'abort':
      return scan.abort();
    case 'start':
      return startScan(call);
    default:
      throw invalidParameter(`Invalid action '${action}'`);
  }
}

async function startScan({ args, node: { chain }, scan, signal }: RpcCall): Promise<JsonObject> {
  const running = scan.run(async (abortSignal, onProgress) => {
    if (!args.has('scanobjects')) {
      throw new RpcError(RpcCode.misc, 'scanobjects argument is required for the start action');
    }
    const either = AbortSignal.any([signal, abortSignal]);
    try {
      const scripts = await scriptsOfScanObjects(args.array('scanobjects'), chain.params.address, either);
      const matches = (script: Uint8Array): boolean => scripts.has(toHex(script));
      return scanJson(true, await chain.scanCoins({ matches, onProgress, signal: either }), scripts);
    } catch (error) {
      if (!abortSignal.aborted || error !== abortSignal.reason) throw error;
      const { height, hash } = chain.tip();
      return scanJson(false, { height, bestBlock: hash, txouts: 0, coins: [] }, new Map());
    }
  });
  if (running === undefined) throw invalidParameter('Scan already in progress, use action "abort" or "status"');
  return running;
}

function scanJson(success: boolean, scan: CoinScan, scripts: ReadonlyMap<string, string>): JsonObject {
  return {
    success,
    txouts: scan.txouts,
    height: scan.height,
    bestblock: scan.bestBlock,
    unspents: scan.coins.map(([{ txid, index }, { output, isCoinbase, height }]) => {
      const scriptPubKey = toHex(output.scriptPubKey);
      return {
        txid: txidFromBytes(txid),
        vout: index,
        scriptPubKey,
        desc: scripts.get(scriptPubKey),
        amount: amount(output.value),
        coinbase: isCoinbase,
        height,
      };
    }),
    total_amount: amount(scan.coins.reduce((sum, [, { output }]) => sum + output.value, 0n)),
  };
}
