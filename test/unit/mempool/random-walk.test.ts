/**
 * Payments, templates, rival branches and double spends in random order on a real chain. What must hold whatever
 * happens: every template is a block that the chain connects, and everything in the mempool can be mined.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { createBlockTemplate, mineBlock } from '#mempool';
import type { Transaction } from '#primitives';
import { type Random, seededRandom, toHex } from '#util';
import type { ChainBuilder } from '../../support/chain-builder.ts';
import { testKey } from '../../support/keys.ts';
import { buildTx, outputOf, pay, type TestCoin } from '../../support/tx-builder.ts';
import { createHarness, type Harness } from './harness.ts';

const STEPS = 25;
const SEEDS = 8;
const FUNDED_HEIGHTS = 8;

type World = {
  readonly h: Harness;
  readonly random: Random;
  /** The active chain; replaced when a branch wins. */
  builder: ChainBuilder;
  /** Every output ever paid to us, spent or not, confirmed or not. */
  readonly coins: TestCoin[];
};

function payRandomly({ random, coins }: World): Transaction {
  const count = 1 + random.below(2);
  const picked = new Set(Array.from({ length: count }, () => coins[random.below(coins.length)] ?? assert.fail()));
  const total = [...picked].reduce((sum, coin) => sum + coin.output.value, 0n) - BigInt(1_000 + random.below(50_000));
  const parts = 1 + random.below(3);
  const relative = random.below(4) === 0;
  const tx = buildTx(
    [...picked],
    Array.from({ length: parts }, () => pay(total / BigInt(parts))),
    { sequence: relative ? random.below(3) : 0xfffffffd, lockTime: random.below(5) === 0 ? 115 + random.below(12) : 0 },
  );
  return tx;
}

async function submitOne(world: World): Promise<void> {
  const tx = payRandomly(world);
  const verdict = await world.h.mempool.submit(tx, 'peer');
  assert.notEqual(verdict.kind, 'consensus');
  if (verdict.kind === 'accepted') tx.outputs.forEach((_, index) => world.coins.push(outputOf(tx, index)));
}

async function mineTemplate(world: World): Promise<void> {
  const { h, random } = world;
  const template = createBlockTemplate(h, testKey(0).p2pkh, random.below(2 ** 32), { minFeeSatPerKvb: 0 });
  const block = await mineBlock(template, h.chain.params);
  const verdict = await h.chain.submitBlock(block);
  assert.equal(verdict.kind, 'connected', inspect(verdict));
  world.builder.append(block);
}

/** A longer branch from a few blocks back, which spends some of the funding coins in its own way. */
async function reorganise(world: World): Promise<void> {
  const { h, random } = world;
  const depth = 1 + random.below(Math.min(20, world.builder.height - 119));
  const branch = world.builder.fork(world.builder.height - depth);
  const spent = new Set(
    branch.blocks.flatMap((block) =>
      block.transactions.flatMap((tx) => tx.inputs.map((input) => toHex(input.prevTxid))),
    ),
  );
  for (let step = 0; step <= depth; step++) {
    const coin = branch.coin(1 + random.below(FUNDED_HEIGHTS));
    const isFree = random.below(3) === 0 && !spent.has(toHex(coin.txid));
    spent.add(toHex(coin.txid));
    const rival = buildTx([coin], [pay(coin.output.value - 99_000n)]);
    // A time just above the parent's keeps median time past lower than on the branch left behind.
    const time = branch.view(branch.height).time + 1;
    await h.connect(branch.mine({ time, transactions: isFree ? [rival] : [] }));
    if (isFree) world.coins.push(outputOf(rival));
  }
  assert.equal(h.chain.tip().hash, branch.tip.hash);
  world.builder = branch;
}

async function walk(seed: number): Promise<void> {
  await using h = await createHarness();
  const random = seededRandom(seed);
  const coins = Array.from({ length: FUNDED_HEIGHTS }, (_, at) => h.builder.coin(at + 1));
  const world: World = { h, random, builder: h.builder, coins };
  for (let step = 0; step < STEPS; step++) {
    const dice = random.below(10);
    if (dice < 6) await submitOne(world);
    else if (dice < 8 || world.builder.height === 119) await mineTemplate(world);
    else await reorganise(world);
    assert.equal(h.mempool.syncedTip(), h.chain.tip().hash);
  }
  await mineTemplate(world);
  assert.equal(h.mempool.stats().count, 0, 'one block without fee floor takes everything');
}

describe('random walk', () => {
  for (let seed = 1; seed <= SEEDS; seed++) it(`seed ${seed}`, () => walk(seed));
});
