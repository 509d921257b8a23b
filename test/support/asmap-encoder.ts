/** Writes maps in Bitcoin Core's asmap format: what the interpreter in `net` reads. */

export type AsmapNode =
  | { readonly op: 'return'; readonly asn: number }
  /** The next bit of the address chooses. */
  | { readonly op: 'branch'; readonly zero: AsmapNode; readonly one: AsmapNode }
  /** The next bits, as text of 0 and 1 (1 to 8), must be these; otherwise the default is the answer. */
  | { readonly op: 'match'; readonly bits: string; readonly next: AsmapNode }
  | { readonly op: 'default'; readonly asn: number; readonly next: AsmapNode };

type Code = { readonly least: number; readonly widths: readonly number[] };
const widths = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => first + i);
const ASN: Code = { least: 1, widths: widths(15, 24) };
const MATCH: Code = { least: 2, widths: widths(1, 8) };
const JUMP: Code = { least: 17, widths: widths(5, 30) };
const OPCODES = { return: '0', jump: '10', match: '110', default: '111' } as const;

export function encodeAsmap(root: AsmapNode): Uint8Array {
  return packBits(encodeNode(root));
}

/** Text of 0 and 1 to bytes, the first bit lowest, zeros behind the last. */
export function packBits(bits: string): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(bits.length / 8));
  for (const [index, bit] of [...bits].entries()) {
    bytes[index >> 3] = (bytes[index >> 3] ?? 0) | (Number(bit) << (index & 7));
  }
  return bytes;
}

export function encodeNode(node: AsmapNode): string {
  switch (node.op) {
    case 'return':
      return `${OPCODES.return}${encodeNumber(node.asn, ASN)}`;
    case 'default':
      return `${OPCODES.default}${encodeNumber(node.asn, ASN)}${encodeNode(node.next)}`;
    case 'match':
      return `${OPCODES.match}${encodeNumber(Number.parseInt(`1${node.bits}`, 2), MATCH)}${encodeNode(node.next)}`;
    case 'branch': {
      const zero = encodeNode(node.zero);
      return `${OPCODES.jump}${encodeNumber(zero.length, JUMP)}${zero}${encodeNode(node.one)}`;
    }
  }
}

function encodeNumber(value: number, { least, widths: sizes }: Code): string {
  let rest = value - least;
  for (const [index, width] of sizes.entries()) {
    const isLast = index === sizes.length - 1;
    if (rest < 2 ** width) return `${'1'.repeat(index)}${isLast ? '' : '0'}${rest.toString(2).padStart(width, '0')}`;
    rest -= 2 ** width;
  }
  throw new RangeError(`${value} cannot be written`);
}
