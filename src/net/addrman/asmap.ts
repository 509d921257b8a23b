/**
 * Which autonomous system an address belongs to, by a map in Bitcoin Core's asmap format, so that operators use the
 * file that they use there. The file is a program of bits (least significant first in each byte) that is run over the
 * 128 bits of an address: RETURN an ASN, JUMP ahead if the next bit of the address is 1, MATCH the next bits or return
 * the default, set the DEFAULT. The file is checked once for being sane for every address; then running it cannot fail.
 */
import { readFile } from 'node:fs/promises';
import { errorText, NodeError } from '#util';

/** The map that Core's developers publish has some 2 MB. */
const MAX_ASMAP_BYTES = 32 << 20;
const ADDRESS_BITS = 128;

export type Asmap = {
  /** Of the 16 bytes of an IPv6 address, IPv4 as ::ffff:a.b.c.d. 0: the map does not say. */
  readonly asnOf: (ip: Uint8Array) => number;
};

/** Throws NodeError BAD_CONFIG: a node must not run with other groups than its operator believes. */
export async function openAsmap(path: string): Promise<Asmap> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw new NodeError('BAD_CONFIG', `cannot read the asmap ${path}: ${errorText(error)}`, { cause: error });
  }
  const map = parseAsmap(bytes);
  if (map === undefined) {
    throw new NodeError('BAD_CONFIG', `${path} is no sane asmap; get a fresh one, or leave out --asmap`);
  }
  return map;
}

/** Undefined if the bytes are no sane map. */
export function parseAsmap(bytes: Uint8Array): Asmap | undefined {
  if (bytes.length > MAX_ASMAP_BYTES || !isSane(bytes)) return undefined;
  return { asnOf: (ip) => run(bytes, ip) };
}

type Instruction =
  | { readonly op: 'return' | 'default'; readonly asn: number }
  | { readonly op: 'jump'; readonly offset: number }
  | { readonly op: 'match'; readonly length: number; readonly bits: number };

/** Widths of the classes of a number, and the first number of the first class. A class is named in unary. */
type NumberCode = { readonly least: number; readonly widths: readonly number[] };
const from = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, i) => first + i);
const OPCODE: NumberCode = { least: 0, widths: [0, 0, 1] };
const ASN: NumberCode = { least: 1, widths: from(15, 24) };
const MATCH: NumberCode = { least: 2, widths: from(1, 8) };
const JUMP: NumberCode = { least: 17, widths: from(5, 30) };

class BitReader {
  position = 0;
  readonly length: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.length = bytes.length * 8;
  }

  get left(): number {
    return this.length - this.position;
  }

  /** Undefined at the end. */
  bit(): number | undefined {
    const byte = this.#bytes[this.position >>> 3];
    if (byte === undefined) return undefined;
    const bit = (byte >>> (this.position & 7)) & 1;
    this.position += 1;
    return bit;
  }

  /** Undefined when the bits end first. The last class needs no bit to end its name. */
  number({ least, widths }: NumberCode): number | undefined {
    let value = least;
    for (const [index, width] of widths.entries()) {
      const isLast = index === widths.length - 1;
      const goesOn = isLast ? 0 : this.bit();
      if (goesOn === undefined) return undefined;
      if (goesOn === 0) return this.#mantissa(value, width);
      value += 2 ** width;
    }
    return undefined;
  }

  #mantissa(base: number, width: number): number | undefined {
    let value = base;
    for (let power = width - 1; power >= 0; power -= 1) {
      const bit = this.bit();
      if (bit === undefined) return undefined;
      value += bit * 2 ** power;
    }
    return value;
  }

  /** Undefined when the bits end within an instruction. */
  instruction(): Instruction | undefined {
    const opcode = this.number(OPCODE);
    if (opcode === undefined) return undefined;
    const value = this.number([ASN, JUMP, MATCH, ASN][opcode] ?? ASN);
    if (value === undefined) return undefined;
    if (opcode === 1) return { op: 'jump', offset: value };
    if (opcode !== 2) return { op: opcode === 0 ? 'return' : 'default', asn: value };
    // The highest set bit only says how many follow.
    const length = 31 - Math.clz32(value);
    return { op: 'match', length, bits: value - 2 ** length };
  }
}

/** Core's Interpret. The map is sane, so it comes to a RETURN or a failed MATCH. */
function run(map: Uint8Array, ip: Uint8Array): number {
  const reader = new BitReader(map);
  const address = new Bits(ip);
  let fallback = 0;
  for (;;) {
    const instruction = reader.instruction();
    if (instruction === undefined) return 0;
    if (instruction.op === 'return') return instruction.asn;
    if (instruction.op === 'default') fallback = instruction.asn;
    if (instruction.op === 'jump') reader.position += address.next() === 1 ? instruction.offset : 0;
    if (instruction.op === 'match' && !isMatch(instruction, address)) return fallback;
  }
}

function isMatch({ length, bits }: { readonly length: number; readonly bits: number }, address: Bits): boolean {
  for (let power = length - 1; power >= 0; power -= 1) {
    if (address.next() !== ((bits >>> power) & 1)) return false;
  }
  return true;
}

/** The bits of an address, most significant first. */
class Bits {
  #position = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  next(): number {
    const bit = ((this.#bytes[this.#position >>> 3] ?? 0) >>> (7 - (this.#position & 7))) & 1;
    this.#position += 1;
    return bit;
  }
}

/** What Core's SanityCheckASMap keeps while it walks through all instructions in their order. */
type Walk = {
  /** Bits of the address that are not looked at yet. */
  bitsLeft: number;
  /** Where jumps lead, the nearest last, and the bits left there. */
  readonly targets: { readonly position: number; readonly bitsLeft: number }[];
  previous: Instruction['op'];
  hasShortMatch: boolean;
};

/** Core's SanityCheckASMap: every path ends in a RETURN within 128 bits, nothing is unreachable or written in a longer way than needed. */
function isSane(map: Uint8Array): boolean {
  const reader = new BitReader(map);
  const walk: Walk = { bitsLeft: ADDRESS_BITS, targets: [], previous: 'jump', hasShortMatch: false };
  while (reader.left > 0) {
    const target = walk.targets.at(-1);
    if (target !== undefined && reader.position >= target.position) return false;
    const instruction = reader.instruction();
    if (instruction === undefined) return false;
    if (instruction.op === 'return' && target === undefined) {
      return walk.previous !== 'default' && isPadding(reader);
    }
    if (!isStepSane(instruction, walk, reader)) return false;
    walk.previous = instruction.op === 'return' ? 'jump' : instruction.op;
  }
  return false;
}

function isStepSane(instruction: Instruction, walk: Walk, reader: BitReader): boolean {
  switch (instruction.op) {
    case 'return': {
      const target = walk.targets.pop();
      if (walk.previous === 'default' || target?.position !== reader.position) return false;
      walk.bitsLeft = target.bitsLeft;
      return true;
    }
    case 'jump': {
      const position = reader.position + instruction.offset;
      const nearest = walk.targets.at(-1);
      if (instruction.offset > reader.left || walk.bitsLeft === 0) return false;
      if (nearest !== undefined && position >= nearest.position) return false;
      walk.bitsLeft -= 1;
      walk.targets.push({ position, bitsLeft: walk.bitsLeft });
      return true;
    }
    case 'match': {
      const isShort = instruction.length < 8;
      if (isShort && walk.previous === 'match' && walk.hasShortMatch) return false;
      walk.hasShortMatch = isShort;
      if (walk.bitsLeft < instruction.length) return false;
      walk.bitsLeft -= instruction.length;
      return true;
    }
    case 'default':
      return walk.previous !== 'default';
  }
}

/** Behind the last instruction only the zero bits that fill its byte. */
function isPadding(reader: BitReader): boolean {
  if (reader.left > 7) return false;
  while (reader.left > 0) if (reader.bit() !== 0) return false;
  return true;
}
