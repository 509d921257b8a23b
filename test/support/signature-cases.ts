/**
 * Random inputs for the secp256k1 engines, valid and invalid about equally often, and the comparison of their
 * verdicts. Signatures are computed from freely chosen points, nonces and hashes, so that the corners which no honest
 * signer meets (an r that stands for two points, sums at infinity, keys with a tiny x) are met often.
 */
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js';
import fc from 'fast-check';
import { SECP256K1_ORDER as N, type Secp256k1 } from '#crypto';
import { concatBytes, fromHex, toHex } from '#util';

export type SignatureCase =
  | {
      readonly scheme: 'ecdsa' | 'schnorr';
      readonly kind: string;
      readonly hash: Uint8Array;
      readonly key: Uint8Array;
      readonly signature: Uint8Array;
    }
  | {
      readonly scheme: 'tweak';
      readonly kind: string;
      readonly key: Uint8Array;
      readonly tweak: Uint8Array;
      readonly output: Uint8Array;
      readonly parity: 0 | 1;
    };

/** What an engine says; the text of an error is a verdict too, one that no other engine shares. */
export function verdictOf(engine: Secp256k1, c: SignatureCase): boolean | string {
  try {
    if (c.scheme === 'tweak') return engine.checkTapTweak(c.key, c.tweak, c.output, c.parity);
    const verify = c.scheme === 'ecdsa' ? engine.verifyEcdsa : engine.verifySchnorr;
    return verify(c.hash, c.key, c.signature);
  } catch (error) {
    return `${engine.name} throws: ${String(error)}`;
  }
}

/** One line with every byte in hexadecimal, to be kept as a vector. */
export function describeCase({ kind, ...fields }: SignatureCase): string {
  const values = Object.entries(fields).map(([name, value]) => `${name}=${hexOrText(value)}`);
  return `${kind}: ${values.join(' ')}`;
}

const hexOrText = (value: Uint8Array | string | number): string =>
  value instanceof Uint8Array ? toHex(value) : String(value);

const { Point } = secp256k1;
type CurvePoint = typeof Point.BASE;
const { Fp, Fn } = Point;
const P = Fp.ORDER;

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes)}`);
}

/** Big endian, 32 bytes; more when the number is larger. */
function bytesOf(value: bigint): Uint8Array {
  const hex = value.toString(16);
  return fromHex(hex.padStart(Math.max(64, hex.length + (hex.length % 2)), '0'));
}

const times = (point: CurvePoint, scalar: bigint): CurvePoint =>
  scalar === 0n ? Point.ZERO : point === Point.BASE ? point.multiply(scalar) : point.multiplyUnsafe(scalar);

/** The point with this x and an even y; undefined when there is none. */
function lift(x: bigint): CurvePoint | undefined {
  if (x >= P) return undefined;
  const square = Fp.add(Fp.pow(x, 3n), 7n);
  const root = Fp.pow(square, (P + 1n) / 4n);
  if (Fp.sqr(root) !== square) return undefined;
  return Point.fromAffine({ x, y: root % 2n === 0n ? root : P - root });
}

/** The point with this y: a cube root, which the power gives because p is 7 modulo 9. */
function liftY(y: bigint): CurvePoint | undefined {
  const cube = Fp.sub(Fp.sqr(y), 7n);
  const x = Fp.pow(cube, (P + 2n) / 9n);
  return Fp.pow(x, 3n) === cube ? Point.fromAffine({ x, y }) : undefined;
}

const evenY = (point: CurvePoint): CurvePoint => (point.y % 2n === 0n ? point : point.negate());

/** Their x or y plus p still fits in 32 bytes, which must not be taken for the point. */
const TINY_POINTS: readonly CurvePoint[] = Array.from({ length: 40 }, (_, i) => BigInt(i + 1)).flatMap((value) =>
  [lift(value), liftY(value)].filter((point) => point !== undefined),
);

const EDGES: readonly bigint[] = [
  ...[0n, 1n, 2n, N >> 1n, (N >> 1n) + 1n, N - 1n, N, N + 1n, P - N - 1n, P - N, P - 1n, P, P + 1n],
  ...[1n << 255n, (1n << 256n) - 1n, 1n << 256n, (1n << 320n) + 5n],
];

const scalar = fc.bigInt({ min: 1n, max: N - 1n });
const word = fc.bigInt({ min: 0n, max: (1n << 256n) - 1n });
const edge = fc.constantFrom(...EDGES);
const edgeWord = fc.constantFrom(...EDGES.filter((value) => value < 1n << 256n));
const hashNumber = fc.oneof({ weight: 6, arbitrary: word }, { weight: 1, arbitrary: edgeWord });
const basePoint = scalar.map((secret) => times(Point.BASE, secret));
const anyPoint = fc.oneof(basePoint, fc.constantFrom(...TINY_POINTS, ...TINY_POINTS.map((point) => point.negate())));

/** `common` in four of five cases, else one of the others. */
function mostly<T>(common: T, ...others: readonly fc.Arbitrary<T>[]): fc.Arbitrary<T> {
  const arbitrary = fc.constant(common);
  return fc.oneof({ weight: 4 * others.length, arbitrary }, ...others.map((each) => ({ weight: 1, arbitrary: each })));
}

/** For one of many fields: `common` in nineteen of twenty cases. */
function rarely<T>(common: T, other: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof({ weight: 19, arbitrary: fc.constant(common) }, { weight: 1, arbitrary: other });
}

type Change = (value: bigint) => bigint;

/** What may happen to a number of a signature. */
const change: fc.Arbitrary<Change> = mostly<Change>(
  (value) => value,
  fc.constantFrom<Change>(
    (value) => value + 1n,
    (value) => (value > N ? value : N - value),
    (value) => value + N,
    (value) => value + P,
    (value) => value + (1n << 256n),
    (value) => value >> 8n,
  ),
  edge.map((value) => () => value),
);

type Mutation = { readonly kind: 'set' | 'insert' | 'delete'; readonly at: number; readonly byte: number };

const mutations = fc.array(
  fc.record<Mutation>({
    kind: fc.constantFrom('set', 'insert', 'delete'),
    at: fc.nat(75),
    byte: fc.oneof(fc.constantFrom(0, 1, 2, 0x20, 0x21, 0x30, 0x7f, 0x80, 0x81, 0x84, 0xff), fc.nat(255)),
  }),
  { minLength: 1, maxLength: 3 },
);
const fewMutations = mostly<readonly Mutation[]>([], mutations);

function mutate(bytes: Uint8Array, changes: readonly Mutation[]): Uint8Array {
  const result = [...bytes];
  for (const { kind, at, byte } of changes) {
    const place = at % (result.length + 1);
    result.splice(place, kind === 'insert' ? 0 : 1, ...(kind === 'delete' ? [] : [byte]));
  }
  return Uint8Array.from(result);
}

type SignedCase = Extract<SignatureCase, { readonly signature: Uint8Array }>;

function mutated(plain: SignedCase, ofSignature: readonly Mutation[], ofKey: readonly Mutation[]): SignedCase {
  return { ...plain, key: mutate(plain.key, ofKey), signature: mutate(plain.signature, ofSignature) };
}

// ECDSA

type Numbers = { readonly r: bigint; readonly s: bigint };
type Ecdsa = Numbers & { readonly hash: bigint; readonly key: CurvePoint };

/** The signature that somebody with this secret makes with this nonce. */
function signEcdsa(secret: bigint, nonce: bigint, hash: bigint): Ecdsa {
  const r = Fn.create(times(Point.BASE, nonce).x);
  const s = Fn.mul(Fn.inv(nonce), Fn.create(hash + r * secret));
  return { r, s, hash, key: times(Point.BASE, secret) };
}

const ecdsa = fc.tuple(scalar, scalar, hashNumber).map((from) => signEcdsa(...from));

/** A signature and hash that suit a key whose secret nobody knows: the sum is a*G + b*key. */
const ecdsaForAnyKey = fc.tuple(anyPoint, scalar, scalar).map(([key, a, b]): Ecdsa => {
  const r = Fn.create(times(Point.BASE, a).add(times(key, b)).x);
  const s = Fn.div(r, b);
  return { r, s, hash: Fn.mul(a, s), key };
});

/** A key that suits a signature whose sum is the point with this x; r is x modulo the order. */
function keyForSum(x: bigint, s: bigint, hash: bigint): Ecdsa {
  for (let tried = x; ; tried++) {
    const sum = lift(tried);
    const r = Fn.create(tried);
    if (sum === undefined || r === 0n) continue;
    const key = times(sum, s).subtract(times(Point.BASE, Fn.create(hash)));
    return { r, s, hash, key: times(key, Fn.inv(r)) };
  }
}

/** Numbers r below p - n: the sum's x may be r or r + n, and both must be tried. */
const smallR = fc
  .tuple(fc.bigInt({ min: 1n, max: P - N - 1000n }), fc.constantFrom(0n, N), scalar, hashNumber)
  .map(([r, offset, s, hash]) => keyForSum(r + offset, s, hash));

/** The hash that takes the sum to the nonce's point, to its negative, or to infinity. */
const chosenHash = fc
  .tuple(scalar, scalar, scalar, fc.constantFrom(1n, -1n, 0n))
  .map(([secret, nonce, s, sign]): Ecdsa => {
    const r = Fn.create(times(Point.BASE, nonce).x);
    return { r, s, hash: Fn.create(sign * s * nonce - r * secret), key: times(Point.BASE, secret) };
  });

type DerForm = {
  readonly tag: number;
  /** Bytes of the length in long form; 0 for the short form. */
  readonly lengthBytes: number;
  /** The first byte of a long length; not 0 makes it too large from two bytes on. */
  readonly lengthLead: number;
  readonly lengthError: number;
  readonly zeros: number;
  /** Whether a set top bit stays in front, so that the number reads as negative. */
  readonly isNegative: boolean;
};

const PLAIN_FORM: DerForm = { tag: 2, lengthBytes: 0, lengthLead: 0, lengthError: 0, zeros: 0, isNegative: false };

const derForm = mostly<DerForm>(
  PLAIN_FORM,
  fc.record({
    tag: rarely(2, fc.nat(255)),
    lengthBytes: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 126 })),
    lengthLead: rarely(0, fc.nat(255)),
    lengthError: rarely(0, fc.constantFrom(-1, 1, 128, 65536)),
    zeros: fc.oneof(fc.constant(0), fc.nat(5), fc.nat(300)),
    isNegative: fc.boolean(),
  }),
);

function derInteger(value: bigint, form: DerForm): Uint8Array {
  const hex = value.toString(16);
  const digits = fromHex(hex.padStart(hex.length + (hex.length % 2), '0'));
  const sign = !form.isNegative && (digits[0] ?? 0) >= 0x80 ? 1 : 0;
  const body = concatBytes(new Uint8Array(form.zeros + sign), digits);
  const length = body.length + form.lengthError;
  if (form.lengthBytes === 0) return concatBytes(Uint8Array.of(form.tag, length), body);
  const longLength = new Uint8Array(form.lengthBytes);
  for (let i = 0; i < form.lengthBytes && i < 4; i++) longLength[form.lengthBytes - 1 - i] = length >> (8 * i);
  if (form.lengthLead !== 0) longLength[0] = form.lengthLead;
  return concatBytes(Uint8Array.of(form.tag, 0x80 + form.lengthBytes), longLength, body);
}

/** How the two integers are put together; `length` undefined is the right one. */
const derFrame = fc.record({
  tag: mostly(0x30, fc.nat(255)),
  length: mostly<Uint8Array | undefined>(
    undefined,
    fc.nat(255).map((byte) => Uint8Array.of(byte)),
    fc.uint8Array({ maxLength: 5 }).map((bytes) => concatBytes(Uint8Array.of(0x80 + bytes.length), bytes)),
  ),
  trailing: mostly(new Uint8Array(0), fc.uint8Array({ minLength: 1, maxLength: 80 })),
  cut: mostly(0, fc.nat(6), fc.nat(80)),
});

/** The bytes of r and s in a form that the lax parser may take or not. */
function laxDer({ r, s }: Numbers): fc.Arbitrary<Uint8Array> {
  return fc.tuple(derForm, derForm, derFrame).map(([formR, formS, frame]) => {
    const body = concatBytes(derInteger(r, formR), derInteger(s, formS));
    const length = frame.length ?? Uint8Array.of(body.length);
    const whole = concatBytes(Uint8Array.of(frame.tag), length, body, frame.trailing);
    return whole.subarray(0, Math.max(0, whole.length - frame.cut));
  });
}

const der = ({ r, s }: Numbers): Uint8Array => {
  const body = concatBytes(derInteger(r, PLAIN_FORM), derInteger(s, PLAIN_FORM));
  return concatBytes(Uint8Array.of(0x30, body.length), body);
};

/** Signatures of random numbers in every form: for the parser alone, no engine would find one valid. */
export const derSignature: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.tuple(fc.oneof(word, edge), fc.oneof(word, edge)).chain(([r, s]) => laxDer({ r, s })),
  fc.tuple(fc.record({ r: word, s: word }).map(der), mutations).map(([bytes, changes]) => mutate(bytes, changes)),
  fc.uint8Array({ maxLength: 80 }),
);

const parityOf = (point: CurvePoint): number => Number(point.y & 1n);
const withForm = (form: number, ...numbers: readonly bigint[]): Uint8Array =>
  concatBytes(Uint8Array.of(form), ...numbers.map(bytesOf));

type KeyForm = (point: CurvePoint) => Uint8Array;

const RIGHT_FORMS: readonly KeyForm[] = [
  (point) => withForm(2 + parityOf(point), point.x),
  (point) => withForm(4, point.x, point.y),
  (point) => withForm(6 + parityOf(point), point.x, point.y),
];

const WRONG_FORMS: readonly KeyForm[] = [
  (point) => withForm(3 - parityOf(point), point.x),
  (point) => withForm(7 - parityOf(point), point.x, point.y),
  // Off the curve, or past the field: the same number modulo p.
  (point) => withForm(4, point.x, point.y + 1n),
  (point) => withForm(2, point.x + 1n),
  (point) => withForm(4, point.x, P - point.y),
  (point) => withForm(2 + parityOf(point), point.x + P),
  (point) => withForm(4, point.x + P, point.y),
  (point) => withForm(4, point.x, point.y + P),
  (point) => withForm(6 + parityOf(point), point.x, point.y + P),
  // The form of another length.
  (point) => withForm(2 + parityOf(point), point.x, point.y),
  (point) => withForm(4, point.x),
  (point) => withForm(6 + parityOf(point), point.x),
  (point) => concatBytes(withForm(2 + parityOf(point), point.x), Uint8Array.of(0)),
  (point) => withForm(2 + parityOf(point), point.x).subarray(0, 32),
  (point) => withForm(4, point.x, point.y).subarray(0, 64),
  (point) => concatBytes(bytesOf(point.x), bytesOf(point.y)),
  // Infinity.
  () => Uint8Array.of(0),
  () => new Uint8Array(33),
  () => withForm(4, 0n, 0n),
  () => new Uint8Array(0),
];

const rightForm = fc.constantFrom(...RIGHT_FORMS);
const anyForm = fc.oneof(
  rightForm,
  fc.constantFrom(...WRONG_FORMS),
  fc.nat(255).map(
    (form): KeyForm =>
      (point) =>
        withForm(form, point.x, point.y),
  ),
);

/** The key's bytes; a key that came out as infinity has none. */
const keyBytes = (point: CurvePoint, form: KeyForm): Uint8Array =>
  point.equals(Point.ZERO) ? new Uint8Array(33) : form(point);

function ecdsaCase(kind: string, { hash, key, ...numbers }: Ecdsa, form: KeyForm, signature = der(numbers)) {
  return {
    scheme: 'ecdsa',
    kind: `ecdsa ${kind}`,
    hash: bytesOf(hash),
    key: keyBytes(key, form),
    signature,
  } satisfies SignatureCase;
}

const ecdsaCases: readonly fc.Arbitrary<SignatureCase>[] = [
  fc
    .tuple(ecdsa, fc.boolean(), mostly(0n, fc.constantFrom(1n, -1n)), rightForm)
    .map(([{ s, ...rest }, isNegated, error, form]) =>
      ecdsaCase('signed', { ...rest, s: isNegated ? N - s : Fn.create(s + error) }, form),
    ),
  ecdsa.chain((signed) =>
    fc.tuple(laxDer(signed), rightForm).map(([bytes, form]) => ecdsaCase('encoding', signed, form, bytes)),
  ),
  fc
    .tuple(ecdsa, change, change, rightForm)
    .map(([signed, changeR, changeS, form]) =>
      ecdsaCase('numbers', { ...signed, r: changeR(signed.r), s: changeS(signed.s) }, form),
    ),
  fc
    .tuple(smallR, mostly(0n, fc.constantFrom(1n, N)), rightForm)
    .map(([signed, error, form]) => ecdsaCase('small r', { ...signed, r: signed.r + error }, form)),
  fc.tuple(chosenHash, rightForm).map(([signed, form]) => ecdsaCase('chosen hash', signed, form)),
  fc.tuple(ecdsaForAnyKey, anyForm).map(([signed, form]) => ecdsaCase('key', signed, form)),
  fc
    .tuple(ecdsa, rightForm, fc.oneof(mutations, fewMutations), fewMutations)
    .map(([signed, form, ofSignature, ofKey]) => mutated(ecdsaCase('mutated', signed, form), ofSignature, ofKey)),
];

// BIP340

type Schnorr = Numbers & { readonly hash: bigint; readonly x: bigint };

/** `flaw` names the step of BIP340 that is left out; a signature at infinity has s*G = e*key. */
type SchnorrFlaw = 'none' | 'odd key' | 'odd nonce' | 'infinity' | 'hash';

function signSchnorr([secret, nonce, hash, flaw]: readonly [bigint, bigint, bigint, SchnorrFlaw]): Schnorr {
  const key = times(Point.BASE, secret);
  const sum = times(Point.BASE, nonce);
  const evenSecret = (parityOf(key) === 1) === (flaw === 'odd key') ? secret : N - secret;
  const evenNonce = (parityOf(sum) === 1) === (flaw === 'odd nonce') ? nonce : N - nonce;
  const tag = schnorr.utils.taggedHash('BIP0340/challenge', bytesOf(sum.x), bytesOf(key.x), bytesOf(hash));
  const challenge = Fn.create(numberOf(tag));
  const s = Fn.create((flaw === 'infinity' ? 0n : evenNonce) + challenge * evenSecret);
  return { r: sum.x, s, hash: flaw === 'hash' ? hash ^ 1n : hash, x: key.x };
}

const flaws = fc.constantFrom<SchnorrFlaw>('odd key', 'odd nonce', 'infinity', 'hash');
const schnorrWith = (flaw: fc.Arbitrary<SchnorrFlaw>): fc.Arbitrary<Schnorr> =>
  fc.tuple(scalar, scalar, hashNumber, flaw).map(signSchnorr);

function schnorrCase(kind: string, { r, s, hash, x }: Schnorr) {
  return {
    scheme: 'schnorr',
    kind: `schnorr ${kind}`,
    hash: bytesOf(hash),
    key: bytesOf(x),
    signature: concatBytes(bytesOf(r), bytesOf(s)),
  } satisfies SignatureCase;
}

const sound = schnorrWith(fc.constant<SchnorrFlaw>('none'));

const schnorrCases: readonly fc.Arbitrary<SignatureCase>[] = [
  schnorrWith(mostly<SchnorrFlaw>('none', flaws, flaws)).map((signed) => schnorrCase('signed', signed)),
  fc
    .tuple(sound, change, change, change)
    .map(([{ r, s, x, hash }, changeR, changeS, changeX]) =>
      schnorrCase('numbers', { r: changeR(r), s: changeS(s), x: changeX(x), hash }),
    ),
  fc
    .tuple(sound, fewMutations, fewMutations)
    .map(([signed, ofSignature, ofKey]) => mutated(schnorrCase('mutated', signed), ofSignature, ofKey)),
];

// BIP341

type Tweak = { readonly x: bigint; readonly tweak: bigint; readonly output: CurvePoint };

const tweakWith = (tweaks: fc.Arbitrary<bigint>): fc.Arbitrary<Tweak> =>
  fc.tuple(anyPoint, tweaks).map(([point, tweak]) => {
    const output = evenY(point).add(times(Point.BASE, Fn.create(tweak)));
    return { x: point.x, tweak, output };
  });

/** The tweak that takes the internal key to infinity. */
const tweakToInfinity = scalar.map((secret): Tweak => {
  const point = times(Point.BASE, secret);
  return { x: point.x, tweak: parityOf(point) === 0 ? N - secret : secret, output: Point.ZERO };
});

/** The internal key that this tweak takes to a point with a tiny x or y. */
const tweakToTiny = fc.tuple(fc.constantFrom(...TINY_POINTS), scalar).map(([output, tweak]): Tweak => {
  const internal = output.subtract(times(Point.BASE, tweak));
  const isEven = parityOf(internal) === 0;
  return { x: internal.x, tweak: isEven ? tweak : N - tweak, output: isEven ? output : output.negate() };
});

function tweakCase(kind: string, { x, tweak, output }: Tweak, outputX: Change = (value) => value) {
  const isInfinite = output.equals(Point.ZERO);
  return {
    scheme: 'tweak',
    kind: `tweak ${kind}`,
    key: bytesOf(x),
    tweak: bytesOf(tweak),
    output: bytesOf(outputX(isInfinite ? 0n : output.x)),
    parity: !isInfinite && parityOf(output) === 1 ? 1 : 0,
  } satisfies SignatureCase;
}

const anyTweak = fc.oneof(
  { weight: 3, arbitrary: tweakWith(scalar) },
  { weight: 1, arbitrary: tweakWith(edgeWord) },
  { weight: 1, arbitrary: tweakToTiny },
);

const tweakCases: readonly fc.Arbitrary<SignatureCase>[] = [
  fc.tuple(fc.oneof(anyTweak, anyTweak, tweakToInfinity), mostly(false, fc.constant(true))).map(([tweak, isOther]) => {
    const plain = tweakCase('computed', tweak);
    return isOther ? { ...plain, parity: plain.parity === 1 ? 0 : 1 } : plain;
  }),
  fc
    .tuple(anyTweak, change, change, change)
    .map(([{ x, tweak, output }, changeX, changeTweak, changeOutput]) =>
      tweakCase('numbers', { x: changeX(x), tweak: changeTweak(tweak), output }, changeOutput),
    ),
  fc.tuple(anyTweak, fewMutations, fewMutations, fewMutations).map(([tweak, ofKey, ofTweak, ofOutput]) => {
    const plain = tweakCase('mutated', tweak);
    const mutatedTweak = mutate(plain.tweak, ofTweak);
    return { ...plain, key: mutate(plain.key, ofKey), tweak: mutatedTweak, output: mutate(plain.output, ofOutput) };
  }),
];

/** Any input of the engines, each kind about equally often. */
export const signatureCase: fc.Arbitrary<SignatureCase> = fc.oneof(...ecdsaCases, ...schnorrCases, ...tweakCases);
