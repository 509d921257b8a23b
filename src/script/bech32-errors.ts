/**
 * Where a bech32 string went wrong: BIP173's code finds up to two wrong characters (Core's bech32::LocateErrors). Only
 * places are told, never corrections: a repaired address could be another one.
 */

const CHARSET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const GENERATORS = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3] as const;
const CHECKSUM_CHARS = 6;
/** What the checksum leaves over when nothing is wrong (BIP173, BIP350). */
const RESIDUES = { bech32: 1, bech32m: 0x2bc830a3 } as const;

/** Elements of GF(1024) but zero: powers of one element. */
const ORDER = 1023;
/** The non-zero elements of GF(32) are every 33rd of them. */
const SUBGROUP_STEP = 33;
/** The code's generator polynomial is zero at three consecutive powers, from this one on. */
const FIRST_ROOT = 997;

export type Bech32Errors = {
  /** Which checksum was meant: the one with fewer errors; undefined where neither helps. */
  readonly encoding: 'bech32' | 'bech32m' | undefined;
  /** Indices into the text, ascending. */
  readonly locations: readonly number[];
};

/** Of text whose characters are right and whose checksum is not; `separator` is the index of its last `1`. */
export function locateBech32Errors(text: string, separator: number): Bech32Errors {
  const residue = polymod(text.toLowerCase(), separator);
  const length = text.length - 1 - separator;
  let best: Bech32Errors = { encoding: undefined, locations: [] };
  for (const encoding of ['bech32', 'bech32m'] as const) {
    const found = solve(residue ^ RESIDUES[encoding], length);
    const locations = found.map((fromEnd) => text.length - 1 - fromEnd).sort((a, b) => a - b);
    if (locations.length === 0 || (best.locations.length > 0 && best.locations.length <= locations.length)) continue;
    best = { encoding, locations };
  }
  return best;
}

function polymod(text: string, separator: number): number {
  let sum = 1;
  const add = (value: number): void => {
    const top = sum >>> 25;
    sum = ((sum & 0x1ffffff) << 5) ^ value;
    for (const [bit, generator] of GENERATORS.entries()) if ((top >> bit) & 1) sum ^= generator;
  };
  const prefix = [...text.slice(0, separator)].map((char) => char.charCodeAt(0));
  for (const code of prefix) add(code >> 5);
  add(0);
  for (const code of prefix) add(code & 31);
  for (const char of text.slice(separator + 1)) add(CHARSET.indexOf(char));
  return sum;
}

type Field = { readonly exp: Uint16Array; readonly log: Int16Array };

let field: Field | undefined;

/** GF(1024) over GF(32), by e² = 9e + 23; an element is its two coefficients, five bits each. Made when first needed. */
function tables(): Field {
  if (field !== undefined) return field;
  const exp = new Uint16Array(ORDER);
  const log = new Int16Array(ORDER + 1).fill(-1);
  let element = 1;
  for (let power = 0; power < ORDER; power++) {
    exp[power] = element;
    log[element] = power;
    const [high, low] = [element >> 5, element & 31];
    element = ((multiply32(high, 9) ^ low) << 5) | multiply32(high, 23);
  }
  field = { exp, log };
  return field;
}

/** In GF(32), by x⁵ = x³ + 1. */
function multiply32(a: number, b: number): number {
  let product = 0;
  for (let factor = b; factor > 0; factor >>= 1) {
    if ((factor & 1) !== 0) product ^= a;
    a = (a << 1) ^ ((a & 16) !== 0 ? 41 : 0);
  }
  return product;
}

/** The error's value at the three roots: of the residue, which is the error but for a multiple of the generator. */
function syndromes(residue: number): readonly [number, number, number] {
  const { exp, log } = tables();
  const at = (root: number): number => {
    let sum = 0;
    for (let degree = 0; degree < CHECKSUM_CHARS; degree++) {
      const coefficient = (residue >> (5 * degree)) & 31;
      if (coefficient !== 0) sum ^= exp[((log[coefficient] ?? 0) + root * degree) % ORDER] ?? 0;
    }
    return sum;
  };
  return [at(FIRST_ROOT), at(FIRST_ROOT + 1), at(FIRST_ROOT + 2)];
}

/** Distances from the end of one or two wrong characters that explain the residue; empty when there are none. */
function solve(residue: number, length: number): readonly number[] {
  const [s0, s1, s2] = syndromes(residue);
  const { log } = tables();
  const [l0, l1, l2] = [log[s0] ?? -1, log[s1] ?? -1, log[s2] ?? -1];
  // One error: each syndrome is the one before times the same power, which is the place.
  if (l0 >= 0 && l1 >= 0 && l2 >= 0 && (2 * l1 - l2 - l0 + 2 * ORDER) % ORDER === 0) {
    const place = (l1 - l0 + ORDER) % ORDER;
    const isFit = place < length && (l0 + (ORDER - FIRST_ROOT) * place) % SUBGROUP_STEP === 0;
    return isFit ? [place] : [];
  }
  for (let first = 0; first < length; first++) {
    const second = secondError([s0, s1, s2], first, length);
    if (second !== undefined) return [first, second];
  }
  return [];
}

/** The other place, if an error at `first` leaves one: both values must be characters, elements of GF(32). */
function secondError(
  [s0, s1, s2]: readonly [number, number, number],
  first: number,
  length: number,
): number | undefined {
  const { exp, log } = tables();
  const raised = (value: number, power: number): number =>
    value === 0 ? 0 : (exp[((log[value] ?? 0) + power) % ORDER] ?? 0);
  const upper = s2 ^ raised(s1, first);
  const lower = s1 ^ raised(s0, first);
  if (upper === 0 || lower === 0) return undefined;
  const second = ((log[upper] ?? 0) - (log[lower] ?? 0) + ORDER) % ORDER;
  const other = second < length && second !== first ? s1 ^ raised(s0, second) : 0;
  if (other === 0) return undefined;
  const inverse = ORDER - (log[(exp[first] ?? 0) ^ (exp[second] ?? 0)] ?? 0);
  const isCharacter = (value: number, place: number): boolean =>
    ((log[value] ?? 0) + inverse + (ORDER - FIRST_ROOT) * place) % SUBGROUP_STEP === 0;
  return isCharacter(lower, second) && isCharacter(other, first) ? second : undefined;
}
