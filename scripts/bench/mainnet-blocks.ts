/** The first blocks of Bitcoin, real, where they lie beside the repository. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readBlockFile } from '#chain';
import type { NetworkParams } from '#consensus';
import { loadNetwork } from '#node';
import type { Block } from '#primitives';

const FILE = fileURLToPath(new URL('../../../shared/data/mainnet-0-4312.dat', import.meta.url));

export type MainnetBlocks = { readonly params: NetworkParams; readonly file: string; readonly height: number };

/** Undefined when the file is not there. */
export async function mainnetBlocks(): Promise<MainnetBlocks | undefined> {
  return existsSync(FILE) ? { params: await loadNetwork('mainnet'), file: FILE, height: 4312 } : undefined;
}

export const NO_MAINNET_BLOCKS = 'real blocks: ../shared/data/mainnet-0-4312.dat is not there';

/** In the order of the file, which is that of the chain. */
export async function* readBlocks({ params, file }: MainnetBlocks): AsyncGenerator<Block> {
  for await (const item of readBlockFile(file, params.magic)) if (item.kind === 'block') yield item.block;
}
