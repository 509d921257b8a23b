export { checkMinable, mineBlock, solveBlock } from './grind.ts';
export { createGrinder } from './grinder.ts';
export { Miner } from './miner.ts';
