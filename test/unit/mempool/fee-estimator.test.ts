/** The fee estimator alone, and its file. The long scenario is that of Core's policyestimator_tests. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DecodeError, type Txid, txidFromBytes, Writer } from '#primitives';
import { fromHex, toHex } from '#util';
import { bucketOf, defaultBuckets } from '../../../src/mempool/fee-estimator/buckets.ts';
import { ConfirmStats, emptyAverages } from '../../../src/mempool/fee-estimator/confirm-stats.ts';
import { estimateMedian } from '../../../src/mempool/fee-estimator/estimate-median.ts';
import { type EnteredTx, FeeEstimator } from '../../../src/mempool/fee-estimator/estimator.ts';
import { satPerKvb } from '../../../src/mempool/fee-rate.ts';

/** Of Core's template: a script of 128 bytes, one empty output. */
const VSIZE = 188;
const BASE_FEE = 2_000n;
/** sat per 1000 vbytes. */
const TOLERANCE = 100;

let made = 0;
function freshTxid(): Txid {
  return txidFromBytes(new Writer(32).u32(++made).bytes(new Uint8Array(28)).finish());
}

function entering(height: number, fee: bigint): EnteredTx {
  return { txid: freshTxid(), fee, vsize: VSIZE, height, isValidForEstimates: true };
}

/** The fee rate of level 1 (cheapest) to 10. */
const rateOf = (level: number): number => Number(satPerKvb(BASE_FEE * BigInt(level), VSIZE));

/** Ten levels of fees, four transactions of each a block, and who of them is still waiting. */
class Market {
  readonly estimator = new FeeEstimator();
  height = 0;
  readonly #waiting: EnteredTx[][] = Array.from({ length: 10 }, () => []);

  offer(): void {
    for (const [at, waiting] of this.#waiting.entries()) {
      for (let count = 0; count < 4; count++) {
        const tx = entering(this.height, BASE_FEE * BigInt(at + 1));
        this.estimator.processTransaction(tx);
        waiting.push(tx);
      }
    }
  }

  /** A block that takes all that waits of the `levels` highest levels. */
  mine(levels: number): void {
    const confirmed = this.#waiting.slice(10 - levels).flatMap((waiting) => waiting.splice(0));
    this.estimator.processBlock(++this.height, confirmed);
  }

  estimates(highest: number): number[] {
    return Array.from({ length: highest }, (_, at) => this.estimator.estimateFee(at + 1));
  }
}

/** 200 blocks; the highest level is in every block, the next in 9 of 10, the lowest in 1 of 10. */
function steadyMarket(): Market {
  const market = new Market();
  for (let block = 0; block < 200; block++) {
    market.offer();
    market.mine((block % 10) + 1);
  }
  return market;
}

describe('buckets of fee rates', () => {
  it('are spaced by 5%, from 1000 sat/kvB up to 1e7, and end with infinity', () => {
    const buckets = defaultBuckets();
    // 1.05^188 is the last power below 10,000.
    assert.equal(buckets.length, 190);
    assert.deepEqual([buckets[0], buckets[1], buckets[2]], [1000, 1050, 1050 * 1.05]);
    assert.ok((buckets[188] ?? 0) <= 1e7 && (buckets[188] ?? 0) * 1.05 > 1e7);
    assert.equal(buckets[189], 1e99);
  });

  it('hold their upper bound', () => {
    const buckets = defaultBuckets();
    const found = [0, 1000, 1000.5, 1050, 1051, 9e6, 1e7, 5e15].map((rate) => bucketOf(buckets, rate));
    assert.deepEqual(found, [0, 0, 1, 1, 2, 187, 189, 189]);
    for (const [at, bound] of buckets.entries()) assert.equal(bucketOf(buckets, bound), at);
  });

  it('are asked by whole satoshis per 1000 vbytes, rounded down', () => {
    assert.equal(satPerKvb(2_000n, 188), 10_638n);
    assert.equal(satPerKvb(1n, 3), 333n);
  });
});

describe('statistics of one horizon', () => {
  const figures = { periods: 3, scale: 2, decay: 0.5, sufficientTxs: 1 };
  const make = (): ConfirmStats => new ConfirmStats(emptyAverages(figures, 2));

  it('count a confirmation in its period and all later ones, and decay with every block', () => {
    const stats = make();
    stats.recordConfirmed(1, 3, 700);
    const { averages } = stats;
    assert.deepEqual([...averages.confirmed], [0, 0, 0, 1, 0, 1]);
    assert.deepEqual([...averages.txCount], [0, 1]);
    assert.deepEqual([...averages.feeRateSum], [0, 700]);
    stats.decay();
    stats.decay();
    assert.deepEqual([...averages.confirmed], [0, 0, 0, 0.25, 0, 0.25]);
    assert.deepEqual([...averages.txCount], [0, 0.25]);
    assert.deepEqual([...averages.feeRateSum], [0, 175]);
  });

  it('count a failure for the periods that it waited in full, and only then', () => {
    for (const [age, expected] of [
      [1, [0, 0, 0]],
      [2, [1, 0, 0]],
      [3, [1, 0, 0]],
      [5, [1, 1, 0]],
      [60, [1, 1, 1]],
    ] as const) {
      const stats = make();
      stats.entered(0, 10);
      stats.left(0, 10, 10 + age, false);
      const { failed } = stats.averages;
      assert.deepEqual([failed[0], failed[2], failed[4]], expected, `${age} blocks`);
      stats.entered(0, 10);
      stats.left(0, 10, 10 + age, true);
      assert.deepEqual([failed[0], failed[2], failed[4]], expected, 'a block is no failure');
    }
  });

  it('know how long the unconfirmed have waited, also beyond the ring', () => {
    const stats = make();
    assert.equal(stats.maxConfirms, 6);
    stats.entered(0, 100);
    for (let height = 101; height <= 120; height++) {
      stats.rollUnconfirmed(height);
      const age = height - 100;
      assert.equal(stats.unconfirmedFor(0, Math.min(age, 6), height), 1, `has waited ${age} blocks`);
      if (age < 5) assert.equal(stats.unconfirmedFor(0, age + 1, height), 0);
    }
    stats.left(0, 100, 120, true);
    assert.equal(stats.unconfirmedFor(0, 1, 120), 0);
    stats.left(0, 100, 120, true);
    assert.equal(stats.unconfirmedFor(0, 1, 120), 0, 'never below zero');
  });

  it('give the mean of the bucket with the median transaction, over the range that passes', () => {
    const buckets = Float64Array.of(1000, 2000, 3000, 1e99);
    const stats = new ConfirmStats(emptyAverages({ ...figures, decay: 0.875 }, 4));
    const confirm = (bucket: number, blocks: number, ...rates: readonly number[]): void => {
      for (const rate of rates) stats.recordConfirmed(bucket, blocks, rate);
    };
    // Eight, 1 / (1 - 0.875), make a range: buckets 3 and 2 together, then bucket 1; bucket 0 has too few.
    confirm(3, 1, ...Array.from({ length: 2 }, () => 5000));
    confirm(2, 2, 2500, 2600, 2700, 2800, 2900, 3000);
    confirm(1, 5, ...Array.from({ length: 8 }, () => 1500));
    confirm(0, 1, 900);
    const query = { target: 2, sufficientTxs: 1, threshold: 0.8, height: 50 };
    const { feeRate, pass, fail } = estimateMedian(stats, buckets, query);
    assert.equal(feeRate, 2750);
    assert.deepEqual(pass, {
      start: 2000,
      end: 1e99,
      withinTarget: 8,
      totalConfirmed: 8,
      leftMempool: 0,
      inMempool: 0,
    });
    // The bucket with too few joins nothing that was judged: the range that failed ends above it.
    assert.deepEqual([fail.start, fail.end, fail.withinTarget, fail.totalConfirmed], [1000, 2000, 0, 8]);
    assert.equal(estimateMedian(stats, buckets, { ...query, target: 6 }).feeRate, 1500);
    const tooMuch = estimateMedian(stats, buckets, { ...query, sufficientTxs: 3 });
    assert.deepEqual([tooMuch.feeRate, tooMuch.pass.start, tooMuch.fail.start], [-1, -1, 0]);
  });
});

describe('estimates in a market', () => {
  it('join buckets while there is little data', () => {
    const market = new Market();
    for (let block = 0; block < 3; block++) {
      market.offer();
      market.mine(block + 1);
    }
    assert.equal(market.estimator.estimateFee(1), 0, 'nobody can tell for the next block');
    // Three levels together are confirmed within two blocks at 100, 100 and 90%: the middle one is the median.
    assert.equal(market.estimator.estimateFee(2), rateOf(9));
  });

  it('fall with the target, and name the level that is always confirmed in time', () => {
    const estimates = steadyMarket().estimates(48);
    assert.equal(estimates[0], 0);
    for (let at = 2; at < estimates.length; at++) {
      assert.ok((estimates[at] ?? 0) <= (estimates[at - 1] ?? 0), `target ${at + 1}`);
    }
    // Periods of two blocks: the levels show at even targets.
    for (const target of [2, 4, 6, 8]) assert.equal(estimates[target - 1], rateOf(11 - target), `target ${target}`);
    assert.ok((estimates[47] ?? 0) > 0);
  });

  it('stay while blocks are empty, rise while nothing is confirmed, fall when everything is', () => {
    const market = steadyMarket();
    const before = market.estimates(10);
    while (market.height < 250) market.mine(0);
    for (const [at, now] of market.estimates(9).entries()) {
      assert.ok(Math.abs(now - (before[at] ?? 0)) < TOLERANCE, `target ${at + 1}: ${now}`);
    }
    const notLower = (): void => {
      for (const [at, now] of market.estimates(9).entries()) {
        assert.ok(now === 0 || now > (before[at] ?? 0) - TOLERANCE, `target ${at + 1}: ${now}`);
      }
    };
    while (market.height < 265) {
      market.offer();
      market.mine(0);
    }
    notLower();
    market.mine(10);
    notLower();
    while (market.height < 665) {
      market.offer();
      market.mine(10);
    }
    assert.equal(market.estimator.estimateFee(1), 0);
    for (const [at, now] of market.estimates(8).entries()) {
      if (at > 0) assert.ok(now < (before[at] ?? 0) - TOLERANCE, `target ${at + 1}: ${now}`);
    }
  });

  it('count what left the mempool unconfirmed as failures', () => {
    const market = steadyMarket();
    const target = 12;
    const before = market.estimator.estimateRawFee(target, 0.95, 'medium');
    const leaving: EnteredTx[] = [];
    for (let block = 0; block < 40; block++) {
      for (let count = 0; count < 20; count++) {
        const tx = entering(market.height, BASE_FEE * 5n);
        market.estimator.processTransaction(tx);
        leaving.push(tx);
      }
      market.mine(0);
    }
    assert.equal(market.estimator.trackedCount, leaving.length, 'the last block took all others');
    for (const { txid } of leaving) market.estimator.removeTx(txid);
    const after = market.estimator.estimateRawFee(target, 0.95, 'medium');
    assert.ok(before !== undefined && after !== undefined);
    assert.equal(before.pass.leftMempool + before.fail.leftMempool, 0);
    assert.ok(after.fail.leftMempool > 100, `${after.fail.leftMempool}`);
    assert.ok(after.feePerKvb > before.feePerKvb);
  });
});

describe('what is tracked', () => {
  it('met the tip of the last block, is no copy, and counts for estimates', () => {
    const estimator = new FeeEstimator();
    estimator.processBlock(100, []);
    const tx = entering(100, 1_000n);
    estimator.processTransaction(entering(99, 1_000n));
    estimator.processTransaction(entering(101, 1_000n));
    estimator.processTransaction({ ...entering(100, 1_000n), isValidForEstimates: false });
    assert.equal(estimator.trackedCount, 0);
    estimator.processTransaction(tx);
    estimator.processTransaction(tx);
    assert.equal(estimator.trackedCount, 1);
    estimator.removeTx(freshTxid());
    estimator.removeTx(tx.txid);
    assert.equal(estimator.trackedCount, 0);
  });

  it('is not confirmed by a side chain', () => {
    const estimator = new FeeEstimator();
    estimator.processBlock(100, []);
    const tx = entering(100, 1_000n);
    estimator.processTransaction(tx);
    estimator.processBlock(100, [tx]);
    assert.deepEqual([estimator.trackedCount, estimator.bestSeenHeight], [1, 100]);
    estimator.processBlock(101, [tx]);
    assert.deepEqual([estimator.trackedCount, estimator.bestSeenHeight], [0, 101]);
  });
});

describe('smart estimates', () => {
  it('take a target of at least 2 and at most half of the blocks seen', () => {
    const market = steadyMarket();
    const ask = (target: number): number => market.estimator.estimateSmartFee(target, 'economical').returnedTarget;
    assert.deepEqual([1, 2, 3, 99, 100, 1008].map(ask), [2, 2, 3, 99, 99, 99]);
    for (const target of [0, -1, 1009]) {
      const answer = { feePerKvb: 0, returnedTarget: target, reason: undefined };
      assert.deepEqual(market.estimator.estimateSmartFee(target, 'economical'), answer);
    }
    const none = new FeeEstimator().estimateSmartFee(6, 'conservative');
    assert.deepEqual(none, { feePerKvb: 0, returnedTarget: 0, reason: undefined });
  });

  it('are the highest of what half, the whole and twice the target ask for', () => {
    const { estimator } = steadyMarket();
    for (const target of [4, 10, 20]) {
      const raw = (blocks: number, threshold: number): number =>
        estimator.estimateRawFee(blocks, threshold, blocks <= 12 ? 'short' : 'medium')?.feePerKvb ?? 0;
      const economical = estimator.estimateSmartFee(target, 'economical');
      const parts = { half: raw(target / 2, 0.6), full: raw(target, 0.85), double: raw(2 * target, 0.95) };
      assert.ok(economical.feePerKvb > 0);
      assert.ok(economical.feePerKvb <= Math.max(...Object.values(parts)));
      const conservative = estimator.estimateSmartFee(target, 'conservative');
      assert.ok(conservative.feePerKvb >= economical.feePerKvb);
    }
  });

  it('keep a conservative answer up after a sudden fall', () => {
    const market = steadyMarket();
    for (let block = 0; block < 24; block++) {
      market.offer();
      market.mine(10);
    }
    const economical = market.estimator.estimateSmartFee(2, 'economical').feePerKvb;
    const conservative = market.estimator.estimateSmartFee(2, 'conservative');
    assert.ok(conservative.feePerKvb > economical, `${conservative.feePerKvb} > ${economical}`);
    assert.equal(conservative.reason, 'conservative');
  });

  it('know the highest targets and refuse others', () => {
    const estimator = new FeeEstimator();
    const highest = (['short', 'medium', 'long'] as const).map((horizon) => estimator.highestTargetTracked(horizon));
    assert.deepEqual(highest, [12, 48, 1008]);
    assert.equal(estimator.estimateRawFee(0, 0.5, 'short'), undefined);
    assert.equal(estimator.estimateRawFee(13, 0.5, 'short'), undefined);
    assert.equal(estimator.estimateRawFee(12, 1.1, 'short'), undefined);
    const raw = estimator.estimateRawFee(12, 0.5, 'short');
    assert.deepEqual([raw?.feePerKvb, raw?.decay, raw?.scale], [0, 0.962, 1]);
  });
});

describe('fee_estimates.dat', () => {
  /** Written by hand from the format: two buckets, one period a horizon. */
  function smallFile(): string {
    const double = { half: '000000000000e03f', one: '000000000000f03f', two: '0000000000000040' };
    const bounds = '020000000000408f402e9f87a2ae427d54';
    const horizon = (scale: string): string =>
      double.half + // decay
      scale +
      `02${double.one}${double.two}` + // fee rates
      `02${double.two}${double.one}` + // transactions
      `0102${double.one}${double.one}` + // confirmed, one period
      `0102${double.two}${double.two}`; // failed
    const heights = 'e8030000' + '0a000000' + 'e8030000';
    return `8c49020000000000${heights}${bounds}${horizon('02000000')}${horizon('01000000')}${horizon('18000000')}`;
  }

  it('is read as the format says', () => {
    const estimator = new FeeEstimator();
    estimator.load(fromHex(smallFile()));
    assert.equal(estimator.bestSeenHeight, 1000);
    const highest = (['short', 'medium', 'long'] as const).map((horizon) => estimator.highestTargetTracked(horizon));
    assert.deepEqual(highest, [1, 2, 24]);
    assert.equal(toHex(estimator.encode()), smallFile());
  });

  it('comes back byte for byte, with the same estimates', () => {
    const market = steadyMarket();
    market.estimator.flushUnconfirmed();
    assert.equal(market.estimator.trackedCount, 0);
    const bytes = market.estimator.encode();
    const read = new FeeEstimator();
    read.load(bytes);
    assert.deepEqual(read.encode(), bytes);
    for (const target of [1, 2, 6, 50, 1008]) {
      for (const mode of ['economical', 'conservative'] as const) {
        assert.deepEqual(read.estimateSmartFee(target, mode), market.estimator.estimateSmartFee(target, mode));
      }
    }
  });

  it('is not believed for long targets once it is six weeks old', () => {
    const market = steadyMarket();
    const read = new FeeEstimator();
    read.load(market.estimator.encode());
    read.processBlock(200 + 6 * 1008, []);
    assert.equal(read.estimateSmartFee(10, 'economical').returnedTarget, 10);
    read.processBlock(201 + 6 * 1008, []);
    assert.equal(read.estimateSmartFee(10, 'economical').returnedTarget, 0);
  });

  it('is refused as a whole when it is damaged, and nothing changes', () => {
    const good = fromHex(smallFile());
    const patched = (offset: number, ...bytes: readonly number[]): Uint8Array => {
      const copy = good.slice();
      copy.set(bytes, offset);
      return copy;
    };
    const cases: readonly (readonly [RegExp, Uint8Array])[] = [
      [/unknown version 309900/, patched(0, 0x8c, 0xba, 0x04, 0)],
      [/range of blocks/, patched(12, 0xe9, 0x03)],
      [/range of blocks/, patched(8, 0xe7, 0x03)],
      [/buckets, not 2/, patched(20, 1)],
      [/cannot fit/, patched(20, 0xfe, 0xff, 0xff, 0xff, 0x01)],
      [/ascending/, patched(21, 0, 0, 0, 0, 0, 0, 0, 0)],
      [/ascending/, patched(29, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f)],
      [/decay/, patched(37, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f)],
      [/scale/, patched(45, 0)],
      [/3 numbers for 2 buckets/, patched(49, 3)],
      [/no positive number/, patched(50, 0, 0, 0, 0, 0, 0, 0xf0, 0xbf)],
      [/targets must end/, patched(45, 0xff, 0xff)],
      [/truncated|cannot fit/, good.subarray(0, good.length - 1)],
      [/truncated/, new Uint8Array(0)],
    ];
    const estimator = new FeeEstimator();
    estimator.load(good);
    for (const [message, bytes] of cases) {
      assert.throws(
        () => estimator.load(bytes),
        (error) => error instanceof DecodeError && message.test(error.message),
        String(message),
      );
      assert.equal(toHex(estimator.encode()), smallFile());
    }
    for (let length = 0; length < good.length; length++) {
      assert.throws(() => new FeeEstimator().load(good.subarray(0, length)), DecodeError);
    }
  });
});
