/**
 * Random reorganisations against a naive model: after every operation the tip, and every coin, must be the model's.
 * STARLING_LONG=1 runs ten seeds instead of one; STARLING_SEED says which is the first.
 */
import { test } from 'node:test';
import { seededRandom } from '#util';
import { ReorgWorld } from './reorg-model-world.ts';

const SEEDS = process.env['STARLING_LONG'] === '1' ? 10 : 1;
const FIRST = Number(process.env['STARLING_SEED'] ?? 1);
const OPERATION_COUNT = 1000;
/** Operations between two walks through the whole set, which write everything to the disk. */
const WALK_EVERY = 100;

type Operation = readonly [weight: number, name: string, run: (world: ReorgWorld) => Promise<void>];

const OPERATIONS: readonly Operation[] = [
  [20, 'extend', (world) => world.extend()],
  [14, 'fork', (world) => world.fork()],
  [6, 'deep reorganisation', (world) => world.overtake()],
  [10, 'better branch with an invalid block', (world) => world.invalidBranch()],
  [12, 'bodies out of order', (world) => world.outOfOrder()],
  [10, 'late bodies', (world) => world.lateBodies()],
  [4, 'known block', (world) => world.knownBlock()],
  [6, 'invalidate', (world) => world.invalidate()],
  [6, 'reconsider', (world) => world.reconsider()],
  [3, 'flush', (world) => world.flush()],
  [4, 'close and reopen', (world) => world.close()],
  [5, 'crash and reopen', (world) => world.crash()],
];

/** An endless row of operations, each as often as its weight says. */
function* operations(seed: number): Generator<Operation, never> {
  const random = seededRandom(seed ^ 0x5eed);
  const bag = OPERATIONS.flatMap((operation) => Array.from({ length: operation[0] }, () => operation));
  for (;;) {
    const operation = bag[random.below(bag.length)];
    if (operation !== undefined) yield operation;
  }
}

for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
  test(`${OPERATION_COUNT} operations from seed ${seed}`, async (t) => {
    const world = await ReorgWorld.open(seed);
    let count = 0;
    for (const [, name, run] of operations(seed)) {
      try {
        await run(world);
        world.check();
        if (++count % WALK_EVERY === 0) await world.checkWholeSet();
      } catch (cause) {
        throw new Error(`operation ${count + 1} (${name}) of seed ${seed}`, { cause });
      }
      if (count === OPERATION_COUNT) break;
    }
    await world.checkAgainstStraightChain();
    t.diagnostic(world.summary);
  });
}
