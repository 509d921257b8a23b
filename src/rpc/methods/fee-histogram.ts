/** How much of the mempool pays how much, for who draws it: what getmempoolinfo adds to Core's where it is asked to. */
import { feeRate } from '#mempool';
import { Slices } from '#util';
import { invalidParameter } from '../errors.ts';
import { amount, type JsonObject } from '../json/value.ts';
import { intOf } from '../table/args.ts';
import type { RpcCall } from '../table/method.ts';
import { type Param, param } from '../table/param.ts';
import { type Result, result } from '../table/result.ts';

const MAX_RATES = 100;
const MAX_RATE = 1_000_000;

export const HISTOGRAM_PARAM: Param = param.array(
  'fee_histogram',
  `Fee rates in sat/vB, whole and rising, ${MAX_RATES} at most: the answer tells what pays so much, up to the next`,
  { optional: true, inner: [param.number('fee_rate', 'From this on')] },
);

export const HISTOGRAM_RESULT: Result = result.array(
  'fee_histogram',
  'What pays at least so much and less than the next, each transaction by its own fee rate (only where asked for)',
  [
    result.object('', '', [
      result.number('from', 'The fee rate in sat/vB'),
      result.number('count', 'Transactions'),
      result.number('vsize', 'Their virtual size together'),
      result.amount('fees', 'Their fees together, with fee deltas'),
    ]),
  ],
  { optional: true },
);

type Bucket = { readonly from: number; count: number; vsize: number; fees: bigint };

/** Of a mempool that goes on while it is walked. Throws RpcError. */
export async function feeHistogram({ args, clock, node, signal }: RpcCall): Promise<readonly JsonObject[]> {
  const buckets = args.array(HISTOGRAM_PARAM.names).map((rate): Bucket => {
    return { from: intOf(rate, 0, MAX_RATE), count: 0, vsize: 0, fees: 0n };
  });
  const isRising = buckets.every(({ from }, at) => from > (buckets[at - 1]?.from ?? -1));
  if (buckets.length > MAX_RATES || !isRising) {
    throw invalidParameter(`fee_histogram must have at most ${MAX_RATES} rising fee rates`);
  }
  const slices = new Slices(clock);
  for (const entry of node.mempool.entries()) {
    await slices.rest();
    signal.throwIfAborted();
    const rate = feeRate(entry);
    const bucket = buckets.findLast(({ from }) => from <= rate);
    if (bucket === undefined) continue;
    bucket.count++;
    bucket.vsize += entry.vsize;
    bucket.fees += entry.modifiedFee;
  }
  return buckets.map(({ from, count, vsize, fees }) => ({ from, count, vsize, fees: amount(fees) }));
}
