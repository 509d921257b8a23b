import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Chain } from '#chain';
import type { BlockHeader } from '#primitives';
import { HeaderIntake, type HeaderOutcome } from '../../../src/chain/header-intake.ts';
import { createChainBuilder, regtest } from '../../support/chain-builder.ts';
import { openTestChain } from '../../support/test-chain.ts';

const builder = createChainBuilder(regtest(), { seed: 7 });
builder.mineMany(12);
const headers = builder.blocks.map(({ header }) => header);

function acceptBy(chain: Chain): (header: BlockHeader) => HeaderOutcome {
  return (header) => {
    const verdict = chain.submitHeaders([header]);
    if (verdict.kind === 'accepted') return 'accepted';
    return verdict.failure.kind === 'missing-prev' ? 'orphan' : 'refused';
  };
}

test('any order ends at the same header, forged ones aside', async () => {
  const forged = builder.build({ work: 'invalid' }).header;
  const orders = fc.shuffledSubarray([...headers, forged], { minLength: 13 });
  await fc.assert(
    fc.asyncProperty(orders, async (order) => {
      const chain = await openTestChain(regtest());
      const intake = new HeaderIntake(acceptBy(chain), 20);
      for (const header of order) intake.take(header);
      assert.equal(chain.bestHeader().hash, builder.tip.hash);
      assert.equal(chain.getHeader(forged.hash), undefined);
    }),
    { numRuns: 30 },
  );
});

test('the number of those that wait is bounded', async () => {
  const chain = await openTestChain(regtest());
  const intake = new HeaderIntake(acceptBy(chain), 4);
  for (const header of [...headers].reverse()) intake.take(header);
  assert.equal(chain.bestHeader().height, 1, 'only the first four of them waited, the last ones of the chain');
});
