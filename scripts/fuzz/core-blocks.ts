/**
 * Blocks around every rule from before segwit, given to this chain and to Bitcoin Core itself: same verdict, same code,
 * same tip. Branches come and go meanwhile, and a reorganisation may meet a block that cannot be connected.
 */
import { type Random, seededRandom } from '#util';
import type { ChainBuilder } from '../../test/support/chain-builder.ts';
import { coreLacks } from '../../test/support/core-program.ts';
import { oddBlock } from '../../test/support/odd-blocks.ts';
import { pick } from '../../test/support/pick.ts';
import type { TestCoin } from '../../test/support/tx-builder.ts';
import { type CorePair, judge, MATURE_COINS, startPair } from './core-pair.ts';
import type { FuzzTarget, Outcome } from './target.ts';

const MAX_BRANCHES = 4;
const MAX_FORK_DEPTH = 6;

export const coreBlocks: FuzzTarget = {
  name: 'core-blocks',
  what: 'blocks before segwit, judged here and by Bitcoin Core 0.11.99',
  usualCases: 20_000,
  lacks: coreLacks,
  start: async (stack) => {
    const pair = await startPair(stack);
    return (seed, cases) => runShare(pair, seed, cases);
  },
};

async function* runShare(pair: CorePair, seed: number, cases: number): AsyncGenerator<Outcome, void, void> {
  const random = seededRandom(seed);
  const trunk = pair.base.fork(pair.base.height);
  // All that follows stands on it: without it both are where they were.
  const root = trunk.mine({ extraNonce: random.below(2 ** 32), time: pair.now });
  yield await judge(pair, 'root', root);
  let branches = [trunk];
  const given: TestCoin[] = [];
  const freshCoin = (): TestCoin => {
    const coin = pair.base.coin(1 + (given.length % MATURE_COINS));
    given.push(coin);
    return coin;
  };
  for (let at = 1; at < cases; at += 1) {
    const builder = nextParent(random, branches, pair.base.height);
    const scene = { random, builder, now: pair.now, freshCoin, givenCoins: given };
    const { kind, block } = oddBlock(scene);
    const outcome = await judge(pair, kind, block);
    yield outcome;
    if (outcome.isValid) builder.append(block);
    // A branch that fell behind is given up.
    if (outcome.isValid && !branches.includes(builder)) branches = [builder, ...branches].slice(0, MAX_BRANCHES);
  }
  await pair.forget(root);
}

/** Mostly the end of a branch; sometimes a block before it, from which a new one starts. */
function nextParent(random: Random, branches: readonly ChainBuilder[], baseHeight: number): ChainBuilder {
  const branch = pick(random, branches);
  if (random.below(8) > 0) return branch;
  return branch.fork(Math.max(baseHeight + 1, branch.height - random.below(MAX_FORK_DEPTH)));
}
