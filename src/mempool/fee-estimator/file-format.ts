/**
 * fee_estimates.dat as Bitcoin Core 27 writes it (CBlockPolicyEstimator::Write and Read): numbers little endian, doubles
 * as IEEE 754 bits, vectors behind a compact size. Files of both programs can be exchanged.
 * What a file says is checked before anything is allocated for it; a damaged one is refused as a whole.
 */
import { DecodeError, Reader, Writer } from '#primitives';
import { assert } from '#util';
import type { Averages } from './confirm-stats.ts';
import type { Horizon } from './horizons.ts';

export type FeeEstimates = Readonly<Record<Horizon, Averages>> & {
  readonly bestSeenHeight: number;
  /** The blocks that the averages are made of. */
  readonly historicalFirst: number;
  readonly historicalBest: number;
  readonly buckets: Float64Array;
};

/** The least version of Core that can read it: 0.14.99 (CURRENT_FEES_FILE_VERSION). */
const FILE_VERSION = 149_900;
/** Core's version that wrote it; nobody reads it. */
const WRITTEN_BY = 0;
const MAX_BUCKETS = 1_000;
/** One week. */
const MAX_CONFIRMS = 1_008;
const DOUBLE_BYTES = 8;
/** Three horizons of the most periods and buckets, and a little for what stands around them. */
export const MAX_FEE_ESTIMATES_BYTES = 3 * (2 * MAX_CONFIRMS + 2) * MAX_BUCKETS * DOUBLE_BYTES + 65_536;

export function encodeFeeEstimates(estimates: FeeEstimates): Uint8Array {
  const { bestSeenHeight, historicalFirst, historicalBest, buckets, medium, short, long } = estimates;
  const writer = new Writer(1 << 18).i32(FILE_VERSION).i32(WRITTEN_BY);
  writer.u32(bestSeenHeight).u32(historicalFirst).u32(historicalBest);
  writeDoubles(writer, buckets);
  for (const averages of [medium, short, long]) writeAverages(writer, averages);
  return writer.finish();
}

/** Throws DecodeError. */
export function decodeFeeEstimates(bytes: Uint8Array): FeeEstimates {
  const reader = new Reader(bytes);
  const version = reader.i32();
  if (version !== FILE_VERSION) throw new DecodeError(`unknown version ${version}`, 0);
  reader.skip(4);
  const bestSeenHeight = reader.u32();
  const historicalFirst = reader.u32();
  const historicalBest = reader.u32();
  if (historicalFirst > historicalBest || historicalBest > bestSeenHeight) {
    throw new DecodeError('the range of blocks is impossible', reader.offset);
  }
  const buckets = readBuckets(reader);
  const medium = readAverages(reader, buckets.length);
  const short = readAverages(reader, buckets.length);
  const long = readAverages(reader, buckets.length);
  // The shorter horizon is asked first; were it the longer one, targets would fall through.
  if (maxConfirms(short) > maxConfirms(medium) || maxConfirms(medium) > maxConfirms(long)) {
    throw new DecodeError('the horizons are out of order', reader.offset);
  }
  return { bestSeenHeight, historicalFirst, historicalBest, buckets, medium, short, long };
}

function maxConfirms({ scale, periods }: Averages): number {
  return scale * periods;
}

function writeAverages(writer: Writer, averages: Averages): void {
  const { decay, scale, periods, feeRateSum, txCount, confirmed, failed } = averages;
  writeDouble(writer, decay);
  writer.u32(scale);
  writeDoubles(writer, feeRateSum);
  writeDoubles(writer, txCount);
  for (const table of [confirmed, failed]) {
    const width = txCount.length;
    writer.compactSize(periods);
    for (let period = 0; period < periods; period++) {
      writeDoubles(writer, table.subarray(period * width, (period + 1) * width));
    }
  }
}

function readAverages(reader: Reader, bucketCount: number): Averages {
  const decay = readDouble(reader);
  if (!(decay > 0 && decay < 1)) throw new DecodeError('decay is not between 0 and 1', reader.offset);
  const scale = reader.u32();
  if (scale === 0) throw new DecodeError('scale is 0', reader.offset);
  const feeRateSum = readDoubles(reader, bucketCount);
  const txCount = readDoubles(reader, bucketCount);
  const confirmed = readTable(reader, bucketCount, scale);
  const failed = readTable(reader, bucketCount, scale);
  if (failed.length !== confirmed.length) throw new DecodeError('periods of failures differ', reader.offset);
  return { decay, scale, periods: confirmed.length / bucketCount, feeRateSum, txCount, confirmed, failed };
}

function readTable(reader: Reader, bucketCount: number, scale: number): Float64Array {
  const periods = reader.count(bucketCount * DOUBLE_BYTES);
  if (periods === 0 || periods * scale > MAX_CONFIRMS) {
    throw new DecodeError(`targets must end between 1 and ${MAX_CONFIRMS} blocks`, reader.offset);
  }
  const table = new Float64Array(periods * bucketCount);
  for (let period = 0; period < periods; period++) table.set(readDoubles(reader, bucketCount), period * bucketCount);
  return table;
}

function readBuckets(reader: Reader): Float64Array {
  const count = reader.count(DOUBLE_BYTES);
  if (count < 2 || count > MAX_BUCKETS) {
    throw new DecodeError(`${count} buckets, not 2 to ${MAX_BUCKETS}`, reader.offset);
  }
  const buckets = Float64Array.from({ length: count }, () => readDouble(reader));
  const isAscending = buckets.every((bound, at) => bound > (buckets[at - 1] ?? 0));
  if (!isAscending) throw new DecodeError('buckets are not ascending', reader.offset);
  return buckets;
}

/** Averages are sums of what is positive. */
function readDoubles(reader: Reader, expected: number): Float64Array {
  const count = reader.count(DOUBLE_BYTES);
  if (count !== expected) throw new DecodeError(`${count} numbers for ${expected} buckets`, reader.offset);
  const values = Float64Array.from({ length: count }, () => readDouble(reader));
  if (!values.every((value) => value >= 0 && value < Number.POSITIVE_INFINITY)) {
    throw new DecodeError('an average is no positive number', reader.offset);
  }
  return values;
}

function writeDoubles(writer: Writer, values: Float64Array): void {
  assert(values.length <= MAX_BUCKETS, 'a row is one number a bucket');
  writer.compactSize(values.length);
  for (const value of values) writeDouble(writer, value);
}

/** For the bits of a double (Core's EncodeDouble). */
const scratch = new DataView(new ArrayBuffer(DOUBLE_BYTES));

function writeDouble(writer: Writer, value: number): void {
  scratch.setFloat64(0, value);
  writer.u64(scratch.getBigUint64(0));
}

function readDouble(reader: Reader): number {
  scratch.setBigUint64(0, reader.u64());
  return scratch.getFloat64(0);
}
