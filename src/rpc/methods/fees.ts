/** Estimates of what fee rate gets a transaction confirmed within how many blocks. */
import type { EstimateMode, Horizon, RawFee } from '#mempool';
import { invalidParameter } from '../errors.ts';
import { amount, type JsonObject } from '../json/value.ts';
import { intOf } from '../table/args.ts';
import type { RpcCall, RpcMethod } from '../table/method.ts';
import { param } from '../table/param.ts';
import { type Result, result } from '../table/result.ts';

const CONF_TARGET = param.number('conf_target', 'Confirmation target in blocks (1 - 1008)');
const NO_ESTIMATE = 'Insufficient data or no feerate found';
const ERRORS = result.array('errors', 'Errors encountered during processing (if there are any)', [
  result.string('', 'error'),
]);
const HORIZONS: readonly Horizon[] = ['short', 'medium', 'long'];
const DEFAULT_THRESHOLD = 0.95;

const BUCKET: readonly Result[] = [
  result.number('startrange', 'start of feerate range'),
  result.number('endrange', 'end of feerate range'),
  result.number(
    'withintarget',
    'number of txs over history horizon in the feerate range that were confirmed within target',
  ),
  result.number(
    'totalconfirmed',
    'number of txs over history horizon in the feerate range that were confirmed at any point',
  ),
  result.number(
    'inmempool',
    'current number of txs in mempool in the feerate range unconfirmed for at least target blocks',
  ),
  result.number(
    'leftmempool',
    'number of txs over history horizon in the feerate range that left mempool unconfirmed after target',
  ),
];

const HORIZON_RESULTS: readonly Result[] = [
  result.number('feerate', 'estimate fee rate in BTC/kvB', { optional: true }),
  result.number('decay', 'exponential decay (per block) for historical moving average of confirmation data'),
  result.number('scale', 'The resolution of confirmation targets at this time horizon'),
  result.object('pass', 'information about the lowest range of feerates to succeed in meeting the threshold', BUCKET, {
    optional: true,
  }),
  result.object(
    'fail',
    'information about the highest range of feerates to fail to meet the threshold',
    [result.elision('', '')],
    { optional: true },
  ),
  { ...ERRORS, optional: true },
];

export const FEE_METHODS: readonly RpcMethod[] = [
  {
    name: 'estimatesmartfee',
    category: 'util',
    about:
      'Estimates the approximate fee per kilobyte needed for a transaction to begin\n' +
      'confirmation within conf_target blocks if possible and return the number of blocks\n' +
      'for which the estimate is valid. Uses virtual transaction size as defined\n' +
      'in BIP 141 (witness data is discounted).',
    params: [
      CONF_TARGET,
      param.string(
        'estimate_mode',
        'The fee estimate mode: "unset" (which is "conservative"), "economical", or "conservative", which looks at a longer history and so may be higher.',
        { default: 'conservative' },
      ),
    ],
    results: [
      result.object('', '', [
        result.number('feerate', 'estimate fee rate in BTC/kvB (only present if no errors were encountered)', {
          optional: true,
        }),
        { ...ERRORS, optional: true },
        result.number(
          'blocks',
          'block number where estimate was found\nThe request target will be clamped between 2 and the highest target\nfee estimation is able to return based on how long it has been running.',
        ),
      ]),
    ],
    examples: [{ cli: '6', json: '6' }],
    handler: estimateSmartFee,
  },
  {
    name: 'estimaterawfee',
    category: 'hidden',
    about:
      'WARNING: This interface is unstable and may disappear or change!\n' +
      '\nEstimates the approximate fee per kilobyte needed for a transaction to begin\n' +
      'confirmation within conf_target blocks if possible, for each time horizon of the estimator.',
    params: [
      CONF_TARGET,
      param.number(
        'threshold',
        'The proportion of transactions in a given feerate range that must have been\nconfirmed within conf_target in order to consider those feerates as high enough and proceed to check\nlower buckets.',
        { default: DEFAULT_THRESHOLD },
      ),
    ],
    results: [
      result.object('', 'Results are returned for any horizon which tracks blocks up to the confirmation target', [
        result.object('short', 'estimate for short time horizon', HORIZON_RESULTS, { optional: true }),
        result.object('medium', 'estimate for medium time horizon', [result.elision('', '')], { optional: true }),
        result.object('long', 'estimate for long time horizon', [result.elision('', '')], { optional: true }),
      ]),
    ],
    examples: [{ cli: '6 0.9', json: '6, 0.9' }],
    handler: estimateRawFee,
  },
];

function estimateSmartFee(call: RpcCall): JsonObject {
  const target = confTarget(call);
  const { feerate, errors, blocks } = call.node.estimateSmartFee(
    target,
    estimateMode(call.args.string('estimate_mode')),
  );
  return { feerate: feerate === undefined ? undefined : amount(BigInt(feerate)), errors, blocks };
}

function estimateMode(text: string): EstimateMode {
  switch (text.toLowerCase()) {
    case 'economical':
      return 'economical';
    case 'conservative':
    case 'unset':
      return 'conservative';
    default:
      throw invalidParameter('Invalid estimate_mode parameter, must be one of: "unset", "economical", "conservative"');
  }
}

/** Core's ParseConfirmTarget. */
function confTarget({ args, node }: RpcCall): number {
  const highest = node.mempool.fees.highestTargetTracked('long');
  const target = intOf(args.value('conf_target'));
  if (target >= 1 && target <= highest) return target;
  throw invalidParameter(`Invalid conf_target, must be between 1 and ${highest}`);
}

function estimateRawFee(call: RpcCall): JsonObject {
  const target = confTarget(call);
  const threshold = Number(call.args.value('threshold'));
  if (!(threshold >= 0 && threshold <= 1)) throw invalidParameter('Invalid threshold');
  const { fees } = call.node.mempool;
  return Object.fromEntries(
    HORIZONS.flatMap((horizon) => {
      const raw = fees.estimateRawFee(target, threshold, horizon);
      return raw === undefined ? [] : [[horizon, rawFeeJson(raw)]];
    }),
  );
}

function rawFeeJson({ feePerKvb, decay, scale, pass, fail }: RawFee): JsonObject {
  if (feePerKvb === 0) {
    return { decay, scale, fail: rangeJson(fail), errors: [`${NO_ESTIMATE} which meets threshold`] };
  }
  return {
    feerate: amount(BigInt(feePerKvb)),
    decay,
    scale,
    pass: rangeJson(pass),
    // So it is when all passed.
    fail: fail.start === -1 ? undefined : rangeJson(fail),
  };
}

function rangeJson({ start, end, withinTarget, totalConfirmed, inMempool, leftMempool }: RawFee['pass']): JsonObject {
  const hundredths = (value: number): number => Math.round(value * 100) / 100;
  return {
    startrange: Math.round(start),
    endrange: Math.round(end),
    withintarget: hundredths(withinTarget),
    totalconfirmed: hundredths(totalConfirmed),
    inmempool: hundredths(inMempool),
    leftmempool: hundredths(leftMempool),
  };
}
