/** Chains in block files for tests of whole programs: real blocks where they are there, else blocks made here. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { NetworkParams } from '#consensus';
import type { Block } from '#primitives';
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

/**
 * A chain with many coins for its size: after a hundred empty blocks each block makes `fan` coins and spends a tenth
 * of those of the block before.
 */
export async function wideChain(file: string, options: { blocks: number; fan: number }): Promise<SampleChain> {
  const builder = createChainBuilder(regtest());
  builder.mineMany(MATURITY);
  const spent = Math.floor(options.fan / 10);
  let previous: ReturnType<typeof buildTx> | undefined;
  for (let i = 1; i <= options.blocks; i++) {
    const coin = builder.coin(i);
    const value = coin.output.value / BigInt(options.fan);
    const made = buildTx(
      [coin],
      Array.from({ length: options.fan }, () => pay(value, ANYONE)),
    );
    const inputs = Array.from({ length: previous === undefined ? 0 : spent }, (_, index) => index);
    const source = previous;
    const swept =
      source &&
      buildTx(
        inputs.map((index) => ({ coin: outputOf(source, index), lock: ANYONE })),
        [pay(1000n)],
      );
    builder.mine({ transactions: swept === undefined ? [made] : [made, swept] });
    previous = made;
  }
  return writeChain(file, builder);
}
