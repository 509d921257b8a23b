import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { failure, type ValidationFailure } from '#consensus';
import { judgeBlock, type Origin } from '../../../src/node/judge.ts';

const verdictOf = (kind: ValidationFailure['kind'], code: string, origin: Origin) => {
  const { gossip, offence } = judgeBlock(failure(kind, code), origin);
  return [gossip, offence];
};

describe('the judge', () => {
  it('rejects and charges headers without work wherever they come from', () => {
    for (const origin of ['announced', 'rebuilt'] as const) {
      assert.deepEqual(verdictOf('invalid-header', 'high-hash', origin), ['reject', 'invalid-pow']);
    }
    assert.deepEqual(verdictOf('invalid-header', 'high-hash', 'headers'), ['ignore', 'invalid-pow']);
    assert.deepEqual(verdictOf('invalid-header', 'bad-diffbits', 'headers'), ['ignore', 'invalid-header']);
  });

  it('charges who served a bad body, and nobody for one that we put together or that was only announced', () => {
    assert.deepEqual(verdictOf('consensus', 'bad-cb-amount', 'block'), ['ignore', 'invalid-block']);
    assert.deepEqual(verdictOf('mutated', 'bad-txnmrklroot', 'block'), ['ignore', 'invalid-block']);
    for (const origin of ['announced', 'rebuilt'] as const) {
      assert.deepEqual(verdictOf('consensus', 'bad-cb-amount', origin), ['ignore', undefined]);
      assert.deepEqual(verdictOf('mutated', 'bad-txnmrklroot', origin), ['ignore', undefined]);
    }
  });

  it('blames nobody for what may become valid and for low work', () => {
    for (const kind of ['time-future', 'header-low-work'] as const) {
      for (const origin of ['announced', 'headers', 'block', 'rebuilt'] as const) {
        assert.deepEqual(verdictOf(kind, 'any', origin), ['ignore', undefined]);
      }
    }
  });

  it('takes an unknown parent in gossip for bad luck, in an answer for a minor offence', () => {
    assert.deepEqual(verdictOf('missing-prev', 'prev-blk-not-found', 'announced'), ['ignore', undefined]);
    assert.deepEqual(verdictOf('missing-prev', 'prev-blk-not-found', 'headers'), ['ignore', 'unconnected-headers']);
  });
});
