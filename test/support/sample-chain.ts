/** Chains in block files for tests of whole programs: real blocks where they are there, else blocks made here. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { NetworkParams } from '#consensus';
import type { Block, Transaction } from '#primitives';
import { asBuffer } from '#util';
import { type ChainBuilder, createChainBuilder, regtest } from './chain-builder.ts';
import { sharedPath } from './shared.ts';
import { buildTx, type Lock, outputOf, pay } from './tx-builder.ts';

export type SampleChain = {
  readonly network: string;
  /** A file in the format of blk*.dat. */
  readonly file: string;
  readonly height: number;
  readonly tip: string;
  /** Figures of `starling info --json` that are known beforehand, by Bitcoin Core's names. */
  readonly figures: Readonly<Record<string, string | number>>;
};

/** What Bitcoin Core 27.0 says of the first 4,313 blocks of mainnet (README.md beside the file). */
const MAINNET_FIGURES = {
  network: 'mainnet',
  height: 4312,
  bestblock: '00000000a9da635727dce622d78361b153ce3334e6a60d4377fad529abfc7863',
  txouts: 4149,
  total_amount: 215600,
  hash_serialized_3: 'fa5670424a993c1c40c2ec80fdac5deaf80f14f3857ea2e16a1339ee7a596e62',
  muhash: '8ddda2747fb03d2bf57e08a23d4cab90f9e062c28bf5822760edc5238128a7e5',
} as const;

const MADE_BLOCKS = 1_500;

/** The first blocks of mainnet; without the shared data, blocks made in `folder` whose hashes nobody else has confirmed. */
export async function realChain(folder: string): Promise<SampleChain> {
  const file = sharedPath('data/mainnet-0-4312.dat');
  if (file !== undefined) {
    const { height, bestblock } = MAINNET_FIGURES;
    return { network: 'mainnet', file, height, tip: bestblock, figures: MAINNET_FIGURES };
  }
  const builder = createChainBuilder(regtest());
  builder.mineMany(MADE_BLOCKS);
  return writeChain(join(folder, 'made.dat'), builder);
}

/** The builder's blocks above genesis as a file. */
export async function writeChain(file: string, builder: ChainBuilder): Promise<SampleChain> {
  await writeBlockFile(file, builder.params, builder.blocks);
  const { height, hash } = builder.tip;
  const network = builder.params.name;
  return { network, file, height, tip: hash, figures: { network, height, bestblock: hash } };
}

/** Framed as in Bitcoin Core's blk*.dat: magic, length, block. */
async function writeBlockFile(file: string, params: NetworkParams, blocks: readonly Block[]): Promise<void> {
  await using handle = await open(file, 'w');
  for (const { raw } of blocks) {
    const frame = Buffer.alloc(8);
    frame.set(params.magic);
    frame.writeUInt32LE(raw.length, 4);
    await handle.writev([frame, asBuffer(raw)]);
  }
}

const ANYONE: Lock = { kind: 'anyone' };
const MATURITY = 100;

export type WideOptions = {
  readonly blocks: number;
  /** Coins that each block makes. */
  readonly fan: number;
};

/** A chain with many coins for its size: behind a hundred empty blocks, blocks as `mineWide` makes them. */
export async function wideChain(file: string, options: WideOptions): Promise<SampleChain> {
  const builder = createChainBuilder(regtest());
  builder.mineMany(MATURITY);
  mineWide(builder, options);
  return writeChain(file, builder);
}

/**
 * Two branches behind a hundred empty blocks that overtake each other: the second chain has one block more than the
 * first, the third two more than that, and stands on the first, and so on. Each file has its branch from the beginning.
 */
export async function rivalChains(folder: string, count: number, options: WideOptions): Promise<SampleChain[]> {
  const trunk = createChainBuilder(regtest());
  trunk.mineMany(MATURITY);
  const branches = [trunk.fork(MATURITY), trunk.fork(MATURITY)] as const;
  const chains: SampleChain[] = [];
  for (let i = 0; i < count; i++) {
    const branch = branches[i % 2 === 0 ? 0 : 1];
    mineWide(branch, { ...options, blocks: MATURITY + options.blocks + i - branch.height });
    chains.push(await writeChain(join(folder, `rival-${i}.dat`), branch));
  }
  return chains;
}

/** One wide chain, `step` blocks longer in each file; the first is as `wideChain` makes it. */
export async function growingChains(
  folder: string,
  count: number,
  { step, ...options }: WideOptions & { readonly step: number },
): Promise<SampleChain[]> {
  const builder = createChainBuilder(regtest());
  builder.mineMany(MATURITY);
  const chains: SampleChain[] = [];
  for (let i = 0; i < count; i++) {
    mineWide(builder, { ...options, blocks: i === 0 ? options.blocks : step });
    chains.push(await writeChain(join(folder, `growing-${i}.dat`), builder));
  }
  return chains;
}

/** Each block spends an early coinbase, makes `fan` coins of it, and spends a tenth of those of the block before. */
function mineWide(builder: ChainBuilder, { blocks, fan }: WideOptions): void {
  for (let i = 0; i < blocks; i++) {
    const coin = builder.coin(builder.height + 1 - MATURITY);
    const value = coin.output.value / BigInt(fan);
    const made = buildTx(
      [coin],
      Array.from({ length: fan }, () => pay(value, ANYONE)),
    );
    const [, previous] = builder.tip.block.transactions;
    builder.mine({ transactions: previous === undefined ? [made] : [made, sweep(previous, Math.floor(fan / 10))] });
  }
}

/** Spends the first `count` outputs. */
function sweep(tx: Transaction, count: number): Transaction {
  const spends = Array.from({ length: count }, (_, index) => ({ coin: outputOf(tx, index), lock: ANYONE }));
  return buildTx(spends, [pay(1000n)]);
}
