/**
 * Payments, blocks and reorganisations of up to 30 blocks in random order, on a real chain with a real mempool. After each
 * the mempool must hold exactly what a slow model says may be there: of what was in it and of what the left blocks
 * held all that the new chain allows (Core's MaybeUpdateMempoolForReorg and removeForReorg).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Block, Transaction, TxOutput } from '#primitives';
import { type Random, seededRandom } from '#util';
import type { ChainBuilder } from '../../support/chain-builder.ts';
import { pick } from '../../support/pick.ts';
import { buildTx, type Lock, outputOf, pay, type Spend, type SpendOptions } from '../../support/tx-builder.ts';
import { createHarness, type Harness } from './harness.ts';
import { NextBlock, outpoint } from './slow-chain.ts';

const SEEDS = 12;
const STEPS = 14;
const MAX_DEPTH = 30;
const BASE_HEIGHT = 119;
const FEE = 1_000n;

/** Standard to spend by anybody; and what blocks may hold, but no mempool takes. */
const OPEN: Lock = { kind: 'p2sh', redeem: { kind: 'anyone' } };
const ODD: Lock = { kind: 'anyone' };

type Made = { readonly tx: Transaction; readonly lock: Lock };

type World = {
  readonly h: Harness;
  readonly random: Random;
  /** The active chain; replaced when a branch wins. */
  builder: ChainBuilder;
  /** All branches, as long as they were. */
  readonly branches: ChainBuilder[];
  /** Everything that was ever made, in the mempool or not. */
  readonly made: Made[];
  readonly seen: { returned: number; dropped: number; deepest: number; inVain: number };
};

const idsOf = (txs: Iterable<Transaction>): string[] => Array.from(txs, (tx) => tx.txid).sort();

/** An output of an earlier transaction, or a coinbase that is mature, just not yet, or on a branch only. */
function anyCoin({ random, builder, made }: World): Spend {
  if (made.length > 0 && random.below(3) > 0) {
    const { tx, lock } = pick(random, made);
    return { coin: outputOf(tx, random.below(tx.outputs.length)), lock };
  }
  const youngest = builder.height - 99 + 1;
  const isYoung = random.below(2) === 0;
  return { coin: builder.coin(isYoung ? Math.max(1, youngest - random.below(6)) : 1 + random.below(18)) };
}

function anyLocks({ random, builder }: World): SpendOptions {
  const median = builder.view(builder.height - 5).time;
  switch (random.below(6)) {
    case 0:
      return { sequence: random.below(4) };
    case 1:
      return { sequence: 0x00400000 + random.below(4) };
    case 2:
      return { lockTime: builder.height - 3 + random.below(4), sequence: 0xfffffffe };
    case 3:
      return { lockTime: median - random.below(1_200), sequence: 0xfffffffe };
    default:
      return { sequence: 0xfffffffd };
  }
}

function payment(world: World, lock: Lock): Transaction {
  const { random } = world;
  const spends = new Map<string, Spend>();
  for (let count = 1 + random.below(2); count > 0; count--) {
    const one = anyCoin(world);
    spends.set(`${Buffer.from(one.coin.txid).toString('hex')}:${one.coin.index}`, one);
  }
  const total = [...spends.values()].reduce((sum, { coin }) => sum + coin.output.value, 0n);
  const parts = BigInt(1 + random.below(2));
  const outputs: TxOutput[] = Array.from({ length: Number(parts) }, () => pay((total - FEE) / parts, lock));
  const tx = buildTx([...spends.values()], outputs, anyLocks(world));
  world.made.push({ tx, lock });
  return tx;
}

async function submitSome(world: World): Promise<void> {
  for (let count = 4; count > 0; count--) await world.h.mempool.submit(payment(world, OPEN), 'local');
}

/** Some of the mempool, some of what was confirmed on another branch, and some that nobody has seen, odd ones too. */
function blockContent(world: World, builder: ChainBuilder): Transaction[] {
  const { random, h, made } = world;
  const wanted = [...h.transactions().filter(() => random.below(3) === 0)];
  for (let count = random.below(3); count > 0 && made.length > 0; count--) wanted.push(pick(random, made).tx);
  if (random.below(3) === 0) wanted.push(payment(world, random.below(3) === 0 ? ODD : OPEN));
  return [...new NextBlock(builder).takeAll(new Map(wanted.map((tx) => [tx.txid, tx])).values())];
}

/** A time near the parent's: the branch left behind is ahead of it. */
function slowTime(random: Random, builder: ChainBuilder): number {
  return builder.view(builder.height).time + 1 + random.below(600);
}

const isOdd = (tx: Transaction): boolean =>
  tx.outputs.some(({ scriptPubKey }) => scriptPubKey.length === 1) ||
  tx.inputs.some(({ scriptSig, witness }) => scriptSig.length === 0 && witness.length === 0);

/** After the chain has moved, wherever it went. `tried`: of blocks that it took and gave up again. */
async function checkedChange(
  world: World,
  move: () => Promise<unknown>,
  tried: readonly Transaction[] = [],
): Promise<void> {
  const { h, seen, branches, builder } = world;
  const before = h.transactions();
  await move();
  const { hash, height } = h.chain.tip();
  const next = branches.find((one) => one.height >= height && one.at(height).hash === hash)?.fork(height);
  assert.ok(next !== undefined);
  world.builder = next;
  const common = commonHeight(builder, next);
  const left = builder.blocks.slice(common).flatMap(paymentsOf);
  const candidates = new Map([...tried, ...left, ...notContradicted(before, tried)].map((tx) => [tx.txid, tx]));
  const expected = new NextBlock(next).takeAll([...candidates.values()].filter((tx) => !isOdd(tx)));
  assert.deepEqual(h.txids().sort(), idsOf(expected));
  assert.equal(h.mempool.syncedTip(), hash);
  for (const txid of h.mempool.unbroadcast()) assert.ok(h.mempool.has(txid));
  const wasThere = new Set(before.map((tx) => tx.txid));
  seen.returned += [...expected].filter((tx) => !wasThere.has(tx.txid)).length;
  const confirmed = new Set(
    next.blocks
      .slice(common)
      .flatMap(paymentsOf)
      .map((tx) => tx.txid),
  );
  seen.dropped += before.filter((tx) => !h.mempool.has(tx.txid) && !confirmed.has(tx.txid)).length;
  seen.deepest = Math.max(seen.deepest, builder.height - common);
}

/** What a block contradicts has left for good, also if that block is given up again (as in Core). */
function notContradicted(txs: readonly Transaction[], tried: readonly Transaction[]): Transaction[] {
  const spent = new Map(tried.flatMap((tx) => tx.inputs.map((input) => [outpoint(input), tx.txid])));
  return txs.filter((tx) => tx.inputs.every((input) => (spent.get(outpoint(input)) ?? tx.txid) === tx.txid));
}

const paymentsOf = (block: Block): readonly Transaction[] => block.transactions.slice(1);

function commonHeight(one: ChainBuilder, other: ChainBuilder): number {
  let height = Math.min(one.height, other.height);
  while (one.at(height).hash !== other.at(height).hash) height--;
  return height;
}

async function mineOne(world: World): Promise<void> {
  const next = world.builder.fork(world.builder.height);
  next.mine({ transactions: blockContent(world, next), time: slowTime(world.random, next) + 300 });
  world.branches.push(next);
  await checkedChange(world, () => world.h.connect(next.tip.block));
}

/** A branch of more work, handed over block by block. */
async function reorganise(world: World): Promise<void> {
  const { random, builder } = world;
  const depth = anyDepth(world);
  const branch = builder.fork(builder.height - depth);
  for (let step = 0; step <= depth; step++) {
    branch.mine({ transactions: blockContent(world, branch), time: slowTime(random, branch) });
  }
  world.branches.push(branch);
  await checkedChange(world, () => world.h.connect(...branch.blocks.slice(-depth - 1)));
}

/** A branch of more work with one block that proves invalid: the chain goes there, and comes back. */
async function reorganiseInVain(world: World): Promise<void> {
  const { random, builder, h } = world;
  const depth = anyDepth(world);
  const branch = builder.fork(builder.height - depth);
  const bad = random.below(depth + 1);
  const tried: Transaction[] = [];
  for (let step = 0; step <= depth; step++) {
    const transactions = blockContent(world, branch);
    if (step < bad) tried.push(...transactions);
    branch.mine({
      transactions,
      time: slowTime(random, branch),
      ...(step === bad ? { coinbaseValue: 2n ** 40n } : {}),
    });
  }
  const submit = async (): Promise<void> => {
    for (const block of branch.blocks.slice(-depth - 1)) await h.chain.submitBlock(block);
    await h.chain.idle();
    assert.ok(h.chain.isInvalid(branch.tip.hash));
  };
  world.branches.push(branch);
  await checkedChange(world, submit, tried);
  world.seen.inVain++;
}

/** The operator gives up the last blocks: the height falls, unless there is another branch that is now the best. */
async function invalidate(world: World): Promise<void> {
  const { h, builder } = world;
  const first = builder.at(builder.height - anyDepth(world) + 1).hash;
  await checkedChange(world, () => h.chain.invalidateBlock(first));
}

function anyDepth({ random, builder }: World): number {
  return 1 + random.below(Math.min(MAX_DEPTH, builder.height - BASE_HEIGHT));
}

async function walk(seed: number): Promise<World> {
  await using h = await createHarness();
  const seen = { returned: 0, dropped: 0, deepest: 0, inVain: 0 };
  const world: World = { h, random: seededRandom(seed), builder: h.builder, made: [], branches: [h.builder], seen };
  for (let step = 0; step < STEPS; step++) {
    await submitSome(world);
    for (let count = world.random.below(6); count > 0; count--) await mineOne(world);
    await submitSome(world);
    if (world.builder.height === BASE_HEIGHT) continue;
    const dice = world.random.below(6);
    if (dice < 3) await reorganise(world);
    else if (dice === 3) await reorganiseInVain(world);
    else if (dice === 4) await invalidate(world);
  }
  return world;
}

describe('random walk over reorganisations', () => {
  const worlds: World[] = [];
  for (let seed = 1; seed <= SEEDS; seed++) {
    it(`seed ${seed}: the mempool holds what the new chain allows`, async () => {
      worlds.push(await walk(seed));
    });
  }

  it('has met what it is for', () => {
    const sumOf = (key: 'returned' | 'dropped' | 'inVain'): number =>
      worlds.reduce((sum, { seen }) => sum + seen[key], 0);
    assert.ok(sumOf('returned') >= 10 * SEEDS, `${sumOf('returned')}`);
    assert.ok(sumOf('dropped') >= SEEDS, `${sumOf('dropped')}`);
    assert.ok(sumOf('inVain') >= 3, `${sumOf('inVain')}`);
    assert.ok(Math.max(...worlds.map(({ seen }) => seen.deepest)) > 16, 'deeper than one step of the chain');
  });
});
