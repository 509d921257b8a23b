/**
 * The chains that all simulated worlds share; building them is slow, drawing worlds on them is not. Blocks are real
 * ones, scaled down: `BYTES_SCALE` real bytes are one here, and so for links and byte options, which makes a
 * simulated second of a link as full of blocks as a real one.
 */
import { blockProof, type NetworkParams } from '#consensus';
import type { Block } from '#primitives';
import { seededRandom } from '#util';
import regtestFile from '../../config/networks/regtest.json' with { type: 'json' };
import { type ChainBuilder, createChainBuilder } from '../support/chain-builder.ts';
import { regtestWith } from '../support/rule-chain.ts';

const BYTES_SCALE = 256;
export const scaled = (bytes: number): number => bytes / BYTES_SCALE;

/** Height of the main chain when a world begins. */
export const LENGTH = 1000;
/** Blocks found later. */
export const GROWTH = 12;
/** Depth of the reorganisation that comes when all is in sync. */
const DEEP = 300;

/** Real sizes: a tenth small, the others half full to full. */
const MAX_BLOCK_BYTES = Math.floor(scaled(1_400_000));
const MIN_BLOCK_BYTES = Math.floor(scaled(500_000));
/** Blocks between two changes of difficulty, and when one is due. */
const PERIOD = 20;
const TARGET_SECONDS = 600;
/** Until here blocks come twice as fast as they should: 64 times the first difficulty then, which a flood has not. */
const HARD_FROM = 6 * PERIOD;
/** As many seconds as keep the difficulty: a period is measured one block short. */
const STEADY_SECONDS = Math.round((TARGET_SECONDS * PERIOD) / (PERIOD - 1));
/** All of a block but the bytes that the builder is told to add. */
const FRAME_BYTES = 200;
export const LARGEST_BLOCK = MAX_BLOCK_BYTES + FRAME_BYTES + 10;

const easy = regtestWith({
  pow: {
    ...regtestFile.pow,
    targetTimespanSeconds: PERIOD * TARGET_SECONDS,
    allowMinDifficultyBlocks: false,
    noRetargeting: false,
  },
});

/** Genesis first in each. */
export type Blocks = {
  /** The right one, and what is found on it later. */
  readonly main: readonly Block[];
  /** Valid, parts from `main` in the middle, less work. */
  readonly stale: readonly Block[];
  /** As much work as `main` has at first, on the last blocks. */
  readonly equal: readonly Block[];
  /** Valid, parts at 7 tenths, more work than `main`: honest peers go over to it while we download. */
  readonly rival: readonly Block[];
  /** The same from `DEEP` below the tip, for when we are in sync. */
  readonly deep: readonly Block[];
  /** More work than all of these, with one invalid block at 8 tenths. */
  readonly invalid: readonly Block[];
  /** The same, shown by peers that do not give the bodies. */
  readonly bodiless: readonly Block[];
};

export function buildBlocks(seed: number): Blocks {
  const random = seededRandom(seed);
  const main = createChainBuilder(easy, { seed });
  const mine = (builder: ChainBuilder, count: number): void => {
    for (let i = 0; i < count; i++) {
      const isSmall = random.below(10) === 0;
      const size = isSmall
        ? random.below(MIN_BLOCK_BYTES)
        : MIN_BLOCK_BYTES + random.below(MAX_BLOCK_BYTES - MIN_BLOCK_BYTES);
      const seconds = builder.height < HARD_FROM ? TARGET_SECONDS / 2 : STEADY_SECONDS;
      const time = builder.tip.block.header.time + seconds;
      builder.mine({ time, coinbaseScript: dataScript(Math.max(0, size - FRAME_BYTES)) });
    }
  };
  const branch = (from: number, to: number): ChainBuilder => {
    const builder = main.fork(from);
    mine(builder, to - from);
    return builder;
  };
  mine(main, LENGTH + GROWTH);
  const invalid = main.fork(LENGTH * 0.8);
  invalid.mine({ coinbaseValue: 10n ** 12n });
  mine(invalid, LENGTH * 0.5);
  const all = (builder: ChainBuilder): Block[] => [easy.genesis, ...builder.blocks];
  return {
    main: all(main),
    stale: all(branch(LENGTH / 2, LENGTH - 10)),
    equal: all(branch(LENGTH - 3, LENGTH)),
    rival: all(branch(LENGTH * 0.7, LENGTH + 2)),
    deep: all(branch(LENGTH - DEEP, LENGTH + GROWTH + 5)),
    invalid: all(invalid),
    bodiless: all(branch(LENGTH * 0.6, LENGTH * 1.5)),
  };
}

/** The minimum chain work is that of nine tenths of `main`. */
export function paramsFor({ main }: Blocks): NetworkParams {
  return { ...easy, minimumChainWork: workOf(main.slice(0, LENGTH * 0.9)) };
}

export function workOf(blocks: readonly Block[]): bigint {
  return blocks.reduce((sum, { header }) => sum + blockProof(header.bits), 0n);
}

/** OP_RETURN and one push: what is as long as wanted and read at once. */
function dataScript(length: number): Uint8Array {
  const script = new Uint8Array(4 + length);
  script.set([0x6a, 0x4d, length & 0xff, length >> 8]);
  return script;
}
