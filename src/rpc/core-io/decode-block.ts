/** Blocks and headers from hex (Core's DecodeHexBlk and DecodeHexBlockHeader); undefined for what is none. */
import { BLOCK_HEADER_BYTES, Block, BlockHeader, DecodeError } from '#primitives';
import { fromHex } from '#util';
import { isHex } from '../json/hex.ts';

/** All of it is decoded. */
export function decodeHexBlock(text: string): Block | undefined {
  return decode(text, (bytes) => Block.fromBytes(bytes));
}

/** What comes behind the header is not looked at. */
export function decodeHexHeader(text: string): BlockHeader | undefined {
  return decode(text, (bytes) => new BlockHeader(bytes.slice(0, BLOCK_HEADER_BYTES)));
}

function decode<T>(text: string, decoder: (bytes: Uint8Array) => T): T | undefined {
  if (!isHex(text)) return undefined;
  try {
    return decoder(fromHex(text));
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
