/**
 * Chains that take minutes to make are made once and kept as one file each, in the form of Core's blk*.dat, outside of
 * the source tree: in $STARLING_BENCH_CACHE, or a folder of the system's temporary one. A file is named by its last
 * block, so a generator that was changed on purpose, and its new hash with it, finds no old file.
 */
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { Block } from '#primitives';
import { regtestParams } from './block-maker.ts';

export type ChainRecipe = {
  readonly name: string;
  /** The hash of the last block. What is made must end with it. */
  readonly tip: string;
  readonly height: number;
  /** Regtest blocks from height 1 on, the same each time. */
  readonly build: () => Iterable<Block>;
};

const SHOW_EVERY_MS = 5_000;

const cacheFolder = (): string => process.env['STARLING_BENCH_CACHE'] ?? join(tmpdir(), 'starling-bench-cache');

/** The path of the file. Tells on stderr how far it is when the file must be made first. */
export async function cachedChain(recipe: ChainRecipe, folder = cacheFolder()): Promise<string> {
  const file = join(folder, `${recipe.name}-${recipe.tip.slice(-16)}.dat`);
  const exists = await stat(file).then(
    () => true,
    () => false,
  );
  if (exists) return file;
  await mkdir(folder, { recursive: true });
  const unfinished = `${file}.${process.pid}`;
  try {
    await write(unfinished, recipe);
    await rename(unfinished, file);
  } finally {
    await rm(unfinished, { force: true });
  }
  return file;
}

async function write(path: string, { name, tip, height, build }: ChainRecipe): Promise<void> {
  await using file = await open(path, 'w');
  const { magic } = regtestParams();
  let last: Block | undefined;
  let written = 0;
  let shownMs = performance.now();
  for (const block of build()) {
    const length = new Uint8Array(Uint32Array.of(block.size).buffer);
    await file.writev([magic, length, block.raw]);
    last = block;
    written++;
    if (performance.now() - shownMs < SHOW_EVERY_MS) continue;
    shownMs = performance.now();
    process.stderr.write(`making the chain "${name}", once: ${Math.floor((100 * written) / height)} %\n`);
  }
  if (last?.hash !== tip || written !== height) {
    throw new Error(`the chain "${name}" ends with block ${written} ${last?.hash}, not ${height} ${tip}`);
  }
}
