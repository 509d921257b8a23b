/** Headers and blocks as Core's JSON (blockheaderToJSON, blockToJSON). */
import type { ChainReader, HeaderEntry } from '#chain';
import type { Block } from '#primitives';
import { toReversedHex } from '#util';
import type { JsonObject, JsonValue } from '../json/value.ts';

/** Multiples of the work of the easiest target that Bitcoin began with (Core's GetDifficulty). */
export function difficultyOf(bits: number): number {
  const mantissa = bits & 0xff_ffff;
  return (0xffff / mantissa) * 256 ** (29 - (bits >>> 24));
}

export function hex32(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}

export function workHex(work: bigint): string {
  return work.toString(16).padStart(64, '0');
}

/** Blocks on top of it, itself included; -1 for one that is not on the active chain. */
function confirmationsOf(chain: Pick<ChainReader, 'activeAt' | 'tip'>, { hash, height }: HeaderEntry): number {
  return chain.activeAt(height)?.hash === hash ? chain.tip().height - height + 1 : -1;
}

export function headerJson(chain: ChainReader, entry: HeaderEntry): JsonObject {
  const { hash, height, header, chainWork, medianTimePast } = entry;
  const confirmations = confirmationsOf(chain, entry);
  return {
    hash,
    confirmations,
    height,
    version: header.version,
    versionHex: hex32(header.version),
    merkleroot: toReversedHex(header.merkleRoot),
    time: header.time,
    mediantime: medianTimePast,
    nonce: header.nonce,
    bits: hex32(header.bits),
    difficulty: difficultyOf(header.bits),
    chainwork: workHex(chainWork),
    nTx: chain.txCount(hash),
    previousblockhash: height === 0 ? undefined : header.prevHash,
    nextblockhash: confirmations === -1 ? undefined : chain.activeAt(height + 1)?.hash,
  };
}

export function blockJson(chain: ChainReader, entry: HeaderEntry, block: Block, tx: JsonValue): JsonObject {
  return { ...headerJson(chain, entry), strippedsize: block.strippedSize, size: block.size, weight: block.weight, tx };
}
