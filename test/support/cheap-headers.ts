/**
 * Endless chains of valid headers at the lowest difficulty, made on the fly and the same each time they are asked
 * for: what somebody without hash rate can flood a node with. Nothing is kept but where each answer ended.
 */
import { compactToTarget } from '#consensus';
import { hash256 } from '#crypto';
import { BLOCK_HEADER_BYTES, type BlockHash, BlockHeader, blockHashFromBytes, idToBytes } from '#primitives';
import { assert } from '#util';

/** Regtest's easiest target: two hashes a header. */
const CHEAP_BITS = 0x207fffff;
const VERSION = 0x20000000;

type End = { readonly hash: BlockHash; readonly time: number; readonly height: number };

export class CheapHeaders {
  /** Where answers began and ended. */
  readonly #ends = new Map<BlockHash, End>();
  readonly #start: End;
  readonly #bits: number;
  readonly #target: bigint;
  readonly #salt: number;
  readonly #spacingSeconds: number;

  /** A chain behind `start`; `salt` (a byte) sets chains on one start apart. One second a block: as many as there can be. */
  constructor(
    start: { readonly hash: BlockHash; readonly header: Pick<BlockHeader, 'time'> },
    options: { readonly salt?: number; readonly bits?: number; readonly spacingSeconds?: number } = {},
  ) {
    this.#start = { hash: start.hash, time: start.header.time, height: 0 };
    this.#ends.set(start.hash, this.#start);
    this.#bits = options.bits ?? CHEAP_BITS;
    this.#target = compactToTarget(this.#bits).target;
    this.#salt = options.salt ?? 0;
    this.#spacingSeconds = options.spacingSeconds ?? 1;
  }

  /** `count` headers behind the first locator hash that is the start or the end of a former answer (else: the start). */
  after(locator: readonly BlockHash[], count: number): BlockHeader[] {
    const known = locator.find((hash) => this.#ends.has(hash));
    let end = (known === undefined ? undefined : this.#ends.get(known)) ?? this.#start;
    const headers: BlockHeader[] = [];
    while (headers.length < count) {
      const header = this.#mine(end);
      headers.push(header);
      end = { hash: header.hash, time: header.time, height: end.height + 1 };
    }
    this.#ends.set(end.hash, end);
    return headers;
  }

  #mine(parent: End): BlockHeader {
    const raw = new Uint8Array(BLOCK_HEADER_BYTES);
    const view = new DataView(raw.buffer);
    view.setInt32(0, VERSION, true);
    raw.set(idToBytes(parent.hash), 4);
    view.setUint32(36, parent.height + 1, true);
    view.setUint8(67, this.#salt);
    view.setUint32(68, parent.time + this.#spacingSeconds, true);
    view.setUint32(72, this.#bits, true);
    for (let nonce = 0; nonce < 2 ** 20; nonce++) {
      view.setUint32(76, nonce, true);
      if (BigInt(`0x${blockHashFromBytes(hash256(raw))}`) <= this.#target) return new BlockHeader(raw);
    }
    assert(false, 'the difficulty is too high to mine on the fly');
  }
}
