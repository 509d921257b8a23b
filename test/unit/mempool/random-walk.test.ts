/**
 * Payments, replacements, packages, templates, rival branches and double spends in random order on a real chain. What must hold
 * whatever happens: every template is a block that the chain connects, everything in the mempool can be mined, and a
 * submission changes nothing but what it replaces, for which it pays.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { createBlockTemplate } from '#mempool';
import { mineBlock } from '#miner';
import { type Transaction, type TxInput, type Txid, txidFromBytes } from '#primitives';
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
  /** How many entries were replaced, and how many packages were taken. */
  replaced: number;
  packages: number;
};

/** Every other time with a coin that the mempool spends already, and a fee that may be enough to replace it. */
function payRandomly({ h, random, coins: all }: World): Transaction {
  const spent = all.filter((coin) => h.mempool.spender(coin.txid, coin.index) !== undefined);
  const replaces = spent.length > 0 && random.below(2) === 0;
  const coins = replaces ? spent : all;
  const fee = 1_000 + random.below(replaces ? 200_000 : 50_000);
  const count = 1 + random.below(2);
  const picked = new Set(Array.from({ length: count }, () => coins[random.below(coins.length)] ?? assert.fail()));
  const total = [...picked].reduce((sum, coin) => sum + coin.output.value, 0n) - BigInt(fee);
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
  const before = world.h.transactions();
  const leaving = conflictsOf(tx, before);
  const fees = [...leaving].reduce((sum, txid) => sum + (world.h.mempool.get(txid)?.fee ?? 0n), 0n);
  const verdict = await world.h.mempool.submit(tx, 'peer');
  // A coin together with an output that was made of it.
  if (verdict.kind === 'consensus') assert.equal(verdict.failure.code, 'bad-txns-spends-conflicting-tx');
  const stays = before.map((one) => one.txid);
  if (verdict.kind === 'accepted') {
    assert.ok(leaving.size === 0 || verdict.fee >= fees + BigInt(verdict.vsize), 'it pays for what it replaces');
    assert.deepEqual(world.h.txids(), [...stays.filter((txid) => !leaving.has(txid)), tx.txid]);
    world.replaced += leaving.size;
    tx.outputs.forEach((_, index) => world.coins.push(outputOf(tx, index)));
  } else {
    assert.deepEqual(world.h.txids(), stays);
  }
}

/** A parent without fee and a child that pays, sometimes in the place of what is there. */
async function submitPair(world: World): Promise<void> {
  const { h, random, coins } = world;
  const coin = coins[random.below(coins.length)] ?? assert.fail();
  const parent = buildTx([coin], [pay(coin.output.value)], { version: 3 });
  const child = buildTx([outputOf(parent)], [pay(coin.output.value - BigInt(1_000 + random.below(300_000)))], {
    version: 3,
  });
  const before = h.transactions();
  const leaving = conflictsOf(parent, before);
  const stays = before.map((one) => one.txid);
  const { failure } = await h.mempool.submitPackage(parent, child, 'peer');
  if (failure === undefined) {
    assert.deepEqual(h.txids(), [...stays.filter((txid) => !leaving.has(txid)), parent.txid, child.txid]);
    world.packages++;
    coins.push(outputOf(child));
  } else {
    assert.deepEqual(h.txids(), stays);
  }
}

/** By the definition, slowly: what spends the same outputs, and what spends from that, and so on. */
function conflictsOf(tx: Transaction, pool: readonly Transaction[]): Set<Txid> {
  const outpoint = (input: TxInput): string => `${txidFromBytes(input.prevTxid)}:${input.prevIndex}`;
  const spent = new Set(tx.inputs.map(outpoint));
  const leaving = new Set<Txid>();
  for (let size = -1; size !== leaving.size; ) {
    size = leaving.size;
    for (const { txid, inputs } of pool) {
      const leaves = inputs.some((input) => spent.has(outpoint(input)) || leaving.has(txidFromBytes(input.prevTxid)));
      if (leaves && txid !== tx.txid) leaving.add(txid);
    }
  }
  return leaving;
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

async function walk(seed: number): Promise<World> {
  await using h = await createHarness();
  const random = seededRandom(seed);
  const coins = Array.from({ length: FUNDED_HEIGHTS }, (_, at) => h.builder.coin(at + 1));
  const world: World = { h, random, builder: h.builder, coins, replaced: 0, packages: 0 };
  for (let step = 0; step < STEPS; step++) {
    const dice = random.below(10);
    if (dice < 5) await submitOne(world);
    else if (dice === 5) await submitPair(world);
    else if (dice < 8 || world.builder.height === 119) await mineTemplate(world);
    else await reorganise(world);
    assert.equal(h.mempool.syncedTip(), h.chain.tip().hash);
  }
  await mineTemplate(world);
  assert.equal(h.mempool.stats().count, 0, 'one block without fee floor takes everything');
  return world;
}

describe('random walk', () => {
  const worlds: World[] = [];
  for (let seed = 1; seed <= SEEDS; seed++) {
    it(`seed ${seed}`, async () => {
      worlds.push(await walk(seed));
    });
  }

  it('has replaced, and taken packages', () => {
    const sumOf = (key: 'replaced' | 'packages'): number => worlds.reduce((sum, world) => sum + world[key], 0);
    assert.ok(sumOf('replaced') >= SEEDS, `${sumOf('replaced')}`);
    assert.ok(sumOf('packages') >= SEEDS / 2, `${sumOf('packages')}`);
  });
});
