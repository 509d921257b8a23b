import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { parseBlockHash } from '#primitives';
import { verificationProgress } from '../../../src/rpc/core-io/verification-progress.ts';

const at = (height: number, chainWork: bigint, time = 0) => ({
  hash: parseBlockHash(height.toString(16).padStart(64, '0')),
  height,
  chainWork,
  header: { time },
});

suite('verification progress', () => {
  /** `done`: transactions up to the tip, which was made at `tipTime`. */
  const guess = (done: number | undefined, tipTime: number, nowSeconds: number): number => {
    const chainTxData = { time: 1000, txCount: 500, txRate: 2 };
    return verificationProgress(
      {
        params: { minimumChainWork: 0n, chainTxData },
        tip: () => at(3, 4n, tipTime),
        bestHeader: () => at(4, 5n),
        totalTxCount: (height) => (height === 3 ? done : undefined),
      },
      nowSeconds,
    );
  };

  test('is the share of the transactions that must have come until now', () => {
    assert.equal(guess(250, 700, 1000), 0.5);
    assert.equal(guess(250, 700, 1250), 0.25, 'they go on coming');
    assert.equal(guess(500, 900, 1250), 0.5);
  });

  test('of more than were known goes by the time of the tip', () => {
    assert.equal(guess(1000, 1500, 1500), 1);
    assert.equal(guess(1000, 1500, 2000), 0.5);
    assert.equal(guess(1000, 2500, 2000), 1, 'a tip of the future is not more than all');
  });

  test('without transaction counts is the share of the known blocks', () => {
    assert.equal(guess(undefined, 700, 1000), 0.75);
  });

  test('where no figures are known is nothing at first, all at the tip, and in between the share of the blocks', () => {
    const of = (tip: number, best: number, minimumChainWork = 100n): number =>
      verificationProgress(
        {
          params: { minimumChainWork, chainTxData: undefined },
          tip: () => at(tip, BigInt(tip) + 1n),
          bestHeader: () => at(best, BigInt(best) + 1n),
          totalTxCount: (height) => height + 1,
        },
        0,
      );
    assert.equal(of(0, 0), 0.01);
    assert.equal(of(0, 98), 0.01);
    assert.equal(of(0, 200), 0);
    assert.equal(of(50, 200), 0.25);
    assert.equal(of(199, 200), 0.995);
    assert.equal(of(200, 200), 1);
    assert.equal(of(0, 0, 0n), 1, 'where no work is asked for');
  });
});
