export { checkMinable, mineBlock } from './grind.ts';
export { createGrinder } from './grinder.ts';
export { Miner } from './miner.ts';
