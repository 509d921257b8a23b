/** Writes bits into bytes, the highest of each byte first (Core's BitStreamWriter). */
export class BitWriter {
  #bytes = new Uint8Array(1024);
  #bitCount = 0;

  /** The lowest `count` bits (up to 32) of the value, the highest of them first. */
  write(value: number, count: number): void {
    this.#reserve(count);
    for (let left = count; left > 0; ) {
      const free = 8 - (this.#bitCount & 7);
      const taken = Math.min(free, left);
      const bits = Math.floor(value / 2 ** (left - taken)) % 2 ** taken;
      const at = this.#bitCount >> 3;
      this.#bytes[at] = (this.#bytes[at] ?? 0) | (bits << (free - taken));
      this.#bitCount += taken;
      left -= taken;
    }
  }

  /** So many ones, then a zero. */
  unary(ones: number): void {
    for (let left = ones; left > 0; left -= Math.min(left, 32)) {
      const count = Math.min(left, 32);
      this.write(2 ** count - 1, count);
    }
    this.write(0, 1);
  }

  /** A view of what was written, the last byte filled with zeros. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, (this.#bitCount + 7) >> 3);
  }

  #reserve(bits: number): void {
    const needed = (this.#bitCount + bits + 7) >> 3;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}
