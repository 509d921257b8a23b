/** Bits in, bits out in the same order; eight to a byte. Invariant: at most `maxBits` are ever put in. */
import { byteAt } from '#util';

const INITIAL_BYTES = 64;

export class BitQueue {
  readonly #maxBits: number;
  #bytes: Uint8Array = new Uint8Array(INITIAL_BYTES);
  #written = 0;
  #read = 0;

  constructor(maxBits: number) {
    this.#maxBits = maxBits;
  }

  /** Memory that it takes. */
  get bytes(): number {
    return this.#bytes.length;
  }

  /** False when it holds `maxBits` already. */
  push(bit: 0 | 1): boolean {
    if (this.#written >= this.#maxBits) return false;
    const index = this.#written >> 3;
    if (index >= this.#bytes.length) this.#grow();
    this.#bytes[index] = byteAt(this.#bytes, index) | (bit << (this.#written & 7));
    this.#written += 1;
    return true;
  }

  /** Undefined when all were taken. */
  shift(): 0 | 1 | undefined {
    if (this.#read >= this.#written) return undefined;
    const bit = (byteAt(this.#bytes, this.#read >> 3) >> (this.#read & 7)) & 1;
    this.#read += 1;
    return bit === 1 ? 1 : 0;
  }

  #grow(): void {
    const grown = new Uint8Array(this.#bytes.length * 2);
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}
