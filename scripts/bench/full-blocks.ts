/** A regtest chain of blocks of 1 MB without anything to check in them: each coinbase carries bytes that no coin keeps. */
import type { Block } from '#primitives';
import { BlockMaker } from './block-maker.ts';

export const FULL_BLOCK_BYTES = 990_000;
const OP_RETURN = 0x6a;
const OP_PUSHDATA4 = 0x4e;

export function* fullBlocks(count: number): Generator<Block> {
  const maker = new BlockMaker(dataScript(FULL_BLOCK_BYTES));
  while (maker.height < count) yield maker.mine([]);
}

/** One push, so that no byte of it counts as an operation. */
function dataScript(bytes: number): Uint8Array {
  const script = new Uint8Array(6 + bytes).map((_, index) => (index * 151) % 251);
  script.set([OP_RETURN, OP_PUSHDATA4]);
  new DataView(script.buffer).setUint32(2, bytes, true);
  return script;
}
