/** The checksum behind a descriptor's `#` (BIP380): a code over GF(32), eight characters. */

/** Three groups of 32: what stands at the same place of two groups differs least in sound and sight. */
const INPUT_CHARSET =
  '0123456789()[],\'/*abcdefgh@:$%{}IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~ijklmnopqrstuvwxyzABCDEFGH`#"\\ ';
const CHECKSUM_CHARSET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const CHECKSUM_CHARS = 8;

/** The generator polynomials, 40 bits each: the upper 8, the lower 32. */
const GENERATORS: readonly (readonly [high: number, low: number])[] = [
  [0xf5, 0xdee51989],
  [0xa9, 0xfdca3312],
  [0x1b, 0xab10e32d],
  [0x37, 0x06b1677a],
  [0x64, 0x4d626ffd],
];

/** Undefined when the text has a character that descriptors cannot have. */
export function descriptorChecksum(text: string): string | undefined {
  const code = new PolyMod();
  let groups = 0;
  let groupCount = 0;
  for (const char of text) {
    const at = INPUT_CHARSET.indexOf(char);
    if (at < 0) return undefined;
    code.add(at & 31);
    groups = groups * 3 + (at >> 5);
    if (++groupCount === 3) {
      code.add(groups);
      groups = 0;
      groupCount = 0;
    }
  }
  if (groupCount > 0) code.add(groups);
  for (let i = 0; i < CHECKSUM_CHARS; i++) code.add(0);
  return code.checksum();
}

/** The remainder so far: 40 bits in two numbers, because bitwise operators have 32. */
class PolyMod {
  #high = 0;
  #low = 1;

  add(value: number): void {
    const top = this.#high >> 3;
    this.#high = ((this.#high & 7) << 5) | (this.#low >>> 27);
    this.#low = (this.#low << 5) ^ value;
    for (let bit = 0; bit < 5; bit++) {
      const generator = GENERATORS[bit];
      if (generator === undefined || ((top >> bit) & 1) === 0) continue;
      this.#high ^= generator[0];
      this.#low ^= generator[1];
    }
  }

  checksum(): string {
    const all = (BigInt(this.#high) << 32n) | BigInt((this.#low ^ 1) >>> 0);
    let text = '';
    for (let i = CHECKSUM_CHARS - 1; i >= 0; i--) text += CHECKSUM_CHARSET[Number((all >> BigInt(5 * i)) & 31n)];
    return text;
  }
}
