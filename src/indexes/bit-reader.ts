/** Reads bits out of bytes, the highest of each byte first (Core's BitStreamReader). Throws DecodeError behind the end. */
import { DecodeError } from '#primitives';

export class BitReader {
  readonly #bytes: Uint8Array;
  #bitAt = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The next `count` bits (up to 32) as a number, the first of them the highest. */
  read(count: number): number {
    let value = 0;
    for (let left = count; left > 0; ) {
      const byte = this.#bytes[this.#bitAt >> 3];
      if (byte === undefined) throw new DecodeError('the bits end too early', this.#bytes.length);
      const there = 8 - (this.#bitAt & 7);
      const taken = Math.min(there, left);
      value = value * 2 ** taken + ((byte >> (there - taken)) & (2 ** taken - 1));
      this.#bitAt += taken;
      left -= taken;
    }
    return value;
  }

  /** How many ones come before the next zero, which is read as well. */
  unary(): number {
    let ones = 0;
    while (this.read(1) === 1) ones += 1;
    return ones;
  }
}
