import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createChainBuilder, regtest } from '../../support/chain-builder.ts';
import { createTestDisk, openTestChain } from '../../support/test-chain.ts';

describe('what a stop or a crash leaves for the next start', () => {
  const builder = createChainBuilder(regtest());
  builder.mineMany(30);
  const side = builder.fork(10);
  side.mineMany(5);
  const blocks = [...builder.blocks, ...side.blocks.slice(10)];

  it('finds blocks that a crash left unrecorded, in whatever order they were stored, and cuts off a torn one', async () => {
    const shuffled = fc.shuffledSubarray([...blocks], { minLength: blocks.length });
    await fc.assert(
      fc.asyncProperty(shuffled, async (order) => {
        const disk = createTestDisk();
        const chain = await openTestChain(regtest(), disk);
        // As sync does it: all headers first, then bodies as they come.
        assert.equal(chain.submitHeaders(builder.blocks.map(({ header }) => header)).kind, 'accepted');
        chain.submitHeaders(side.blocks.map(({ header }) => header));
        for (const block of order) await chain.submitBlock(block);
        await disk.blk.append([regtest().magic, Uint8Array.of(0xff, 0, 0, 0, 1, 2, 3)]);
        // Neither index nor coins were written: a crash.
        const after = await openTestChain(regtest(), disk);
        assert.equal(after.tip().hash, builder.tip.hash);
        for (const { hash } of blocks) assert.ok(after.hasBlock(hash));
        const again = await openTestChain(regtest(), disk);
        assert.equal(again.tip().hash, builder.tip.hash);
      }),
      { numRuns: 20 },
    );
  });

  it('does not connect a long row of stored blocks before it closes; the next start does', async () => {
    const disk = createTestDisk();
    const chain = await openTestChain(regtest(), disk);
    const [first, ...later] = builder.blocks;
    assert(first !== undefined);
    chain.submitHeaders(builder.blocks.map(({ header }) => header));
    for (const block of later) assert.equal((await chain.submitBlock(block)).kind, 'stored');
    const verdict = chain.submitBlock(first);
    await chain[Symbol.asyncDispose]();
    assert.equal((await verdict).kind, 'stored');
    assert.equal(chain.tip().height, 0);
    const after = await openTestChain(regtest(), disk);
    assert.equal(after.tip().hash, builder.tip.hash);
  });
});
