/** Every fuzz target. A new one is a file and a row. */
import { coreBlocks } from './core-blocks.ts';
import { coreScripts } from './core-scripts.ts';
import { derLax } from './der-lax.ts';
import { engines } from './engines.ts';
import type { FuzzTarget } from './target.ts';

export const TARGETS: readonly FuzzTarget[] = [engines, derLax, coreBlocks, coreScripts];
