import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryUsage } from '../../../src/mempool/pool-entry.ts';
import { outputOf, type TestCoin } from '../../support/tx-builder.ts';
import { fund, sizeOf, spend, take, verdictOf } from './fixed-size.ts';
import { createHarness, type Harness } from './harness.ts';

const HOUR_MS = 3_600_000;
const VSIZE = BigInt(sizeOf(1, 1));

/** Bytes that the pool counts for one of these transactions: one of many outputs has the same size as another. */
async function entryBytes(): Promise<number> {
  await using h = await createHarness();
  const [coin = assert.fail()] = await fund(h, 1);
  return memoryUsage(spend([coin], 1_000n));
}

const ENTRY_BYTES = await entryBytes();

/** A pool with room for `room` entries that has just evicted one of 100 sat/vB; what is left pays more. */
async function overfull(h: Harness, room: number): Promise<readonly TestCoin[]> {
  const coins = await fund(h, room + 3);
  for (let at = 0; at <= room; at++) {
    const coin = coins[at] ?? assert.fail();
    await take(h, spend([coin], VSIZE * 100n * BigInt(at + 1)));
  }
  assert.equal(h.mempool.stats().count, room);
  return coins.slice(room + 1);
}

/** A block with all but `left` of the pool. */
async function confirmAllBut(h: Harness, left: number): Promise<void> {
  const transactions = h.transactions();
  await h.connect(h.builder.mine({ transactions: transactions.slice(left) }));
  assert.equal(h.mempool.stats().count, left);
}

describe('the minimum fee of a full mempool', () => {
  it('is the relay minimum before anything was evicted', async () => {
    await using h = await createHarness();
    assert.equal(h.mempool.minFeeSatPerKvb(), 1_000);
  });

  it('is what was evicted last and the incremental fee', async () => {
    await using h = await createHarness({ maxBytes: 2 * ENTRY_BYTES });
    const [coin = assert.fail()] = await overfull(h, 2);
    assert.equal(h.mempool.minFeeSatPerKvb(), 101_000);
    await confirmAllBut(h, 0);
    const needed = (VSIZE * 101_000n) / 1_000n;
    const poor = spend([coin], needed - 1n);
    assert.equal(await verdictOf(h, poor), `mempool min fee not met, ${needed - 1n} < ${needed}`);
    const verdict = await h.mempool.submit(poor, 'local');
    assert.ok(verdict.kind === 'policy' && verdict.reconsiderable, 'a child may pay for it');
    await take(h, spend([coin], needed));
  });

  it('counts a package with its descendants', async () => {
    await using h = await createHarness({ maxTxs: 2 });
    const [first = assert.fail(), second = assert.fail()] = await fund(h, 2);
    const parent = spend([first], VSIZE * 10n);
    await take(h, parent, spend([outputOf(parent)], VSIZE * 20n), spend([second], VSIZE * 50n));
    assert.equal(h.mempool.minFeeSatPerKvb(), 15_000 + 1_000);
  });

  it('says first what no child could help', async () => {
    await using h = await createHarness({ maxBytes: 2 * ENTRY_BYTES });
    const [coin = assert.fail()] = await overfull(h, 2);
    const verdict = await h.mempool.submit(spend([coin], VSIZE - 1n), 'local');
    assert.deepEqual(verdict, {
      kind: 'policy',
      code: 'min relay fee not met',
      debug: `${VSIZE - 1n} < ${VSIZE}`,
    });
  });

  it('does not rise by what would be evicted at once, scripts unseen', async () => {
    await using h = await createHarness({ maxBytes: 2 * ENTRY_BYTES });
    const [coin = assert.fail()] = await overfull(h, 2);
    assert.equal(await verdictOf(h, spend([coin], VSIZE * 150n)), 'mempool full');
    assert.equal(h.mempool.minFeeSatPerKvb(), 101_000);
  });

  it('does not fall before a block', async () => {
    await using h = await createHarness({ maxBytes: 2 * ENTRY_BYTES });
    await overfull(h, 2);
    await h.clock.advance(48 * HOUR_MS);
    assert.equal(h.mempool.minFeeSatPerKvb(), 101_000);
    await confirmAllBut(h, 1);
    assert.equal(h.mempool.minFeeSatPerKvb(), 101_000, 'time counts from the block');
  });

  const halfLives = [
    { room: 2, left: 1, hours: 12, when: 'half full' },
    { room: 4, left: 1, hours: 6, when: 'a quarter full' },
    { room: 8, left: 1, hours: 3, when: 'less than a quarter full' },
  ];
  for (const { room, left, hours, when } of halfLives) {
    it(`halves in ${hours} hours while it is ${when}`, async () => {
      await using h = await createHarness({ maxBytes: room * ENTRY_BYTES });
      await overfull(h, room);
      await confirmAllBut(h, left);
      await h.clock.advance(hours * HOUR_MS);
      assert.equal(h.mempool.minFeeSatPerKvb(), 50_500);
      await h.clock.advance(hours * HOUR_MS);
      assert.equal(h.mempool.minFeeSatPerKvb(), 25_250);
    });
  }

  it('falls to the incremental fee, and from below its half to nothing', async () => {
    await using h = await createHarness({ maxBytes: 2 * ENTRY_BYTES, minRelayFeeSatPerKvb: 0 });
    await overfull(h, 2);
    await confirmAllBut(h, 0);
    const halfLives = (count: number): Promise<void> => h.clock.advance(count * 3 * HOUR_MS);
    // 101,000 / 2^7 = 789; / 2^7.65 = 503; / 2^7.67 = 496.
    await halfLives(7);
    assert.equal(h.mempool.minFeeSatPerKvb(), 1_000);
    await halfLives(0.65);
    assert.equal(h.mempool.minFeeSatPerKvb(), 1_000);
    await halfLives(0.02);
    assert.equal(h.mempool.minFeeSatPerKvb(), 0);
  });

  it('rises again at the next eviction', async () => {
    await using h = await createHarness({ maxBytes: 2 * ENTRY_BYTES });
    const [coin = assert.fail()] = await overfull(h, 2);
    await h.connect(h.builder.mine());
    await take(h, spend([coin], VSIZE * 500n));
    assert.equal(h.mempool.minFeeSatPerKvb(), 201_000);
    await h.clock.advance(48 * HOUR_MS);
    assert.equal(h.mempool.minFeeSatPerKvb(), 201_000);
  });
});
