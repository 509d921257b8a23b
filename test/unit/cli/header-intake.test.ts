import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HeaderIntake } from '../../../src/cli/header-intake.ts';
import { createChainBuilder, regtest } from '../../support/chain-builder.ts';
import { openTestChain } from '../../support/test-chain.ts';

const builder = createChainBuilder(regtest(), { seed: 7 });
builder.mineMany(12);
const headers = builder.blocks.map(({ header }) => header);

test('any order ends at the same header, forged ones aside', async () => {
  const forged = builder.build({ work: 'invalid' }).header;
  const orders = fc.shuffledSubarray([...headers, forged], { minLength: 13 });
  await fc.assert(
    fc.asyncProperty(orders, async (order) => {
      const chain = await openTestChain(regtest());
      const intake = new HeaderIntake(chain, 20);
      for (const header of order) intake.take(header);
      assert.equal(chain.bestHeader().hash, builder.tip.hash);
      assert.equal(chain.getHeader(forged.hash), undefined);
    }),
    { numRuns: 30 },
  );
});

test('the number of those that wait is bounded', async () => {
  const chain = await openTestChain(regtest());
  const intake = new HeaderIntake(chain, 4);
  for (const header of [...headers].reverse()) intake.take(header);
  assert.equal(chain.bestHeader().height, 1, 'only the first four of them waited, the last ones of the chain');
});
