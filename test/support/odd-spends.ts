/**
 * Scripts of before segwit and what is meant to unlock them, right and wrong: random ones, and the classic templates with
 * odd signatures, keys, orders and opcodes among them. What is right is not said here.
 */
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { Op, pushData, pushNumber, sighash } from '#script';
import { concatBytes, type Random } from '#util';
import { multisigScript, p2shScript, type TestKey, testKey } from './keys.ts';
import { pick } from './pick.ts';
import { OPCODES, randomPush, randomScript } from './random-script.ts';
import { script } from './script.ts';

/** The hash that a signature of the input signs, under that script code and hash type. */
export type HashFor = (scriptCode: Uint8Array, hashType: number) => Uint8Array;

export type OddSpend = {
  readonly kind: string;
  readonly lock: Uint8Array;
  /** To be called once: it draws at random. */
  readonly unlock: (hashFor: HashFor) => Uint8Array;
  /** What the unlocking script shows as the script behind a P2SH lock. */
  readonly redeem?: Uint8Array;
};

const KEYS = 5;
const { Point } = secp256k1;

const concat = (parts: readonly Uint8Array[]): Uint8Array => concatBytes(...parts);
const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

const HASH_TYPES = [
  ...[sighash.SIGHASH_ALL, sighash.SIGHASH_ALL, sighash.SIGHASH_ALL, sighash.SIGHASH_NONE, sighash.SIGHASH_SINGLE],
  ...[0x81, 0x82, 0x83, 0, 4, 0x84, 0x41, 0xff],
];

/** A public key in one of its forms, or nearly one. */
function keyBytes(random: Random, { secret, publicKey }: TestKey): Uint8Array {
  const full = secp256k1.getPublicKey(secret, false);
  const parity = (full[64] ?? 0) & 1;
  switch (random.below(12)) {
    case 0:
    case 1:
      return full;
    case 2:
      return Uint8Array.from(full, (byte, at) => (at === 0 ? 6 + parity : byte));
    case 3:
      return Uint8Array.from(full, (byte, at) => (at === 0 ? 7 - parity : byte));
    case 4:
      return Uint8Array.from(publicKey, (byte, at) => (at === 0 ? byte ^ 1 : byte));
    case 5:
      return pick(random, [
        publicKey.subarray(0, 32),
        concatBytes(publicKey, Uint8Array.of(0)),
        Uint8Array.from(publicKey, (byte, at) => (at === 0 ? 5 : byte)),
        Uint8Array.from(full, (byte, at) => (at === 64 ? byte ^ 1 : byte)),
        full.subarray(0, 64),
        new Uint8Array(0),
      ]);
    default:
      return publicKey;
  }
}

function derInteger(value: bigint, padding: number): Uint8Array {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  const sign = (bytes[0] ?? 0) >= 0x80 ? 1 : 0;
  const content = concatBytes(new Uint8Array(sign + padding), bytes);
  return concatBytes(Uint8Array.of(2, content.length), content);
}

/** DER, or nearly: what BIP66 refuses, what only policy refuses, what does not verify. */
function signatureBytes(random: Random, key: TestKey, hash: Uint8Array): Uint8Array {
  const good = key.sign(hash);
  const { r, s } = secp256k1.Signature.fromBytes(good, 'der');
  const der = (a: Uint8Array, b: Uint8Array): Uint8Array => concatBytes(Uint8Array.of(0x30, a.length + b.length), a, b);
  switch (random.below(16)) {
    case 0:
      return der(derInteger(r, 0), derInteger(Point.Fn.ORDER - s, 0));
    case 1:
      return der(derInteger(r, 1), derInteger(s, 0));
    case 2:
      return der(derInteger(r, 0), derInteger(s, 1 + random.below(2)));
    case 3:
      return Uint8Array.from(good, (byte, at) => (at === random.below(good.length) ? byte ^ 1 : byte));
    case 4:
      return pick(random, [
        new Uint8Array(0),
        good.subarray(0, good.length - 1),
        concatBytes(good, random.bytes(1 + random.below(3))),
        der(derInteger(0n, 0), derInteger(s, 0)),
        der(derInteger(r, 0), derInteger(0n, 0)),
        der(derInteger(Point.Fn.ORDER, 0), derInteger(s, 0)),
        der(derInteger(r, 0), derInteger(2n ** 256n - 1n, 0)),
        // Long form of a length.
        concatBytes(Uint8Array.of(0x30, 0x81, good.length - 2), good.subarray(2)),
        // A negative number.
        Uint8Array.from(good, (byte, at) => (at === 4 ? byte | 0x80 : byte)),
      ]);
    default:
      return good;
  }
}

function signature(random: Random, key: TestKey, scriptCode: Uint8Array, hashFor: HashFor): Uint8Array {
  const hashType = pick(random, HASH_TYPES);
  const bytes = signatureBytes(random, key, hashFor(scriptCode, hashType));
  // Now and then another hash type than was signed.
  const shown = random.below(30) === 0 ? random.below(256) : hashType;
  return random.below(30) === 0 ? bytes : concatBytes(bytes, Uint8Array.of(shown));
}

/** Opcodes that change little or nothing about the script in which they stand. */
function spice(random: Random): Uint8Array {
  return pick(random, [
    ...times(6, () => new Uint8Array(0)),
    script(Op.OP_CODESEPARATOR),
    script(Op.OP_NOP),
    script(Op.OP_1, Op.OP_DROP),
    script(Op.OP_0, Op.OP_IF, Op.OP_CODESEPARATOR, Op.OP_ENDIF),
    script(Op.OP_1, Op.OP_IF, Op.OP_CODESEPARATOR, Op.OP_ENDIF),
    concatBytes(pushNumber(random.below(3)), script(Op.OP_CHECKLOCKTIMEVERIFY, Op.OP_DROP)),
    // What is cut away before it is signed, if it is a signature.
    concatBytes(pushData(random.bytes(9)), script(Op.OP_DROP)),
  ]);
}

function ending(random: Random): Uint8Array {
  return pick(random, [
    ...times(8, () => new Uint8Array(0)),
    script(Op.OP_NOT),
    script(Op.OP_VERIFY, Op.OP_1),
    script(Op.OP_1),
    script(Op.OP_CODESEPARATOR),
  ]);
}

/** What of a script may be signed: the whole of it, or what stands behind one of its separators. */
function scriptCodeOf(random: Random, lock: Uint8Array): Uint8Array {
  const at = lock.lastIndexOf(Op.OP_CODESEPARATOR);
  return at < 0 || random.below(4) === 0 ? lock : lock.subarray(at + 1);
}

type Template = (random: Random) => Pick<OddSpend, 'lock' | 'unlock'>;

const payToKey: Template = (random) => {
  const key = testKey(random.below(KEYS));
  const check = script(random.below(6) === 0 ? Op.OP_CHECKSIGVERIFY : Op.OP_CHECKSIG);
  const tail = check[0] === Op.OP_CHECKSIG ? ending(random) : script(Op.OP_1);
  const lock = concat([spice(random), pushData(keyBytes(random, key)), spice(random), check, tail]);
  return { lock, unlock: (hashFor) => pushData(signature(random, key, scriptCodeOf(random, lock), hashFor)) };
};

const payToKeyHash: Template = (random) => {
  const key = testKey(random.below(KEYS));
  const lock = concat([spice(random), key.p2pkh, ending(random)]);
  return {
    lock,
    unlock: (hashFor) =>
      concatBytes(
        pushData(signature(random, key, scriptCodeOf(random, lock), hashFor)),
        pushData(random.below(8) === 0 ? keyBytes(random, key) : key.publicKey),
      ),
  };
};

const multisig: Template = (random) => {
  const keys = times(1 + random.below(4), () => testKey(random.below(KEYS)));
  const required = random.below(keys.length + 1);
  const publicKeys = keys.map((key) => keyBytes(random, key));
  const lock = concat([spice(random), multisigScript(required, publicKeys), ending(random)]);
  return {
    lock,
    unlock: (hashFor) => {
      const wanted = random.below(12) === 0 ? random.below(keys.length + 1) : required;
      // In the order of the keys, which matters; now and then not.
      const signers = keys.slice(random.below(keys.length - wanted + 1)).slice(0, wanted);
      if (random.below(6) === 0) signers.reverse();
      const code = scriptCodeOf(random, lock);
      const dummy = pick(random, [...times(8, () => script(Op.OP_0)), script(Op.OP_1), new Uint8Array(0)]);
      return concat([dummy, ...signers.map((key) => pushData(signature(random, key, code, hashFor)))]);
    },
  };
};

/** The signature stands in the script that it signs: it is cut away first (FindAndDelete), by its bytes as pushed. */
const signatureInside: Template = (random) => {
  const key = testKey(random.below(KEYS));
  // With fewer outputs than inputs this type signs the number one, whatever the transaction.
  const one = Uint8Array.from({ length: 32 }, (_, at) => (at === 0 ? 1 : 0));
  const signed = concatBytes(key.sign(one), Uint8Array.of(sighash.SIGHASH_SINGLE));
  const inside = pick(random, [pushData(signed), concatBytes(script(0x4c, signed.length), signed), signed]);
  const lock = concat([inside, script(Op.OP_DROP), pushData(key.publicKey), script(Op.OP_CHECKSIG)]);
  return { lock, unlock: () => pushData(random.below(4) === 0 ? concatBytes(signed) : signed) };
};

/** One was a NOP of another rule then, the other had no name. */
export const OLD_OPCODES = OPCODES.filter(
  (opcode) => opcode !== Op.OP_CHECKSEQUENCEVERIFY && opcode !== Op.OP_CHECKSIGADD,
);

const anything: Template = (random) => {
  const lock = randomScript(random, OLD_OPCODES);
  const pushes = times(random.below(6), () => randomPush(random));
  const other = random.below(10) === 0 ? randomScript(random, OLD_OPCODES) : new Uint8Array(0);
  return { lock, unlock: () => concat([...pushes, other]) };
};

/** Close to the sizes and counts that a script may have. */
const bounds: Template = (random) => {
  const count = pick(random, [199, 200, 201, 202]);
  const deep = pick(random, [998, 999, 1000, 1001]);
  const bytes = pick(random, [519, 520, 521]);
  const size = pick(random, [9_999, 10_000, 10_001]);
  const keys = pick(random, [19, 20, 21]);
  const lock = pick(random, [
    concat([...times(count, () => script(Op.OP_NOP)), script(Op.OP_1)]),
    concat([...times(deep, () => script(Op.OP_1))]),
    concat([...times(deep - 1, () => script(Op.OP_1)), script(Op.OP_DUP, Op.OP_TOALTSTACK)]),
    concat([pushData(new Uint8Array(bytes)), script(Op.OP_SIZE, Op.OP_NIP)]),
    concat([script(Op.OP_0, Op.OP_IF), pushData(new Uint8Array(bytes)), script(Op.OP_ENDIF, Op.OP_1)]),
    concat([pushData(new Uint8Array(500)), script(Op.OP_DROP), new Uint8Array(size - 505).fill(Op.OP_1)]),
    concat([
      script(Op.OP_0, Op.OP_0),
      ...times(keys, () => script(Op.OP_0)),
      pushNumber(keys),
      script(Op.OP_CHECKMULTISIG),
    ]),
    // Keys count as operations.
    concat([
      ...times(count - 21, () => script(Op.OP_NOP)),
      ...[script(Op.OP_0, Op.OP_0), ...times(20, () => script(Op.OP_1)), pushNumber(20), script(Op.OP_CHECKMULTISIG)],
    ]),
  ]);
  return { lock, unlock: () => new Uint8Array(0) };
};

const TEMPLATES: Readonly<Record<string, Template>> = {
  anything,
  'pay to key': payToKey,
  'pay to key hash': payToKeyHash,
  multisig,
  'signature inside': signatureInside,
  bounds,
};

/** Half of them in P2SH, unless that is too large for it. */
export function oddSpend(random: Random): OddSpend {
  const kind = pick(random, Object.keys(TEMPLATES));
  const make = TEMPLATES[kind] ?? anything;
  const { lock, unlock } = make(random);
  if (random.below(2) === 0) return { kind, lock, unlock };
  const shown = random.below(20) === 0 ? concatBytes(lock, script(Op.OP_NOP)) : lock;
  return {
    kind: `${kind} in P2SH`,
    lock: p2shScript(lock),
    redeem: shown,
    unlock: (hashFor) => concatBytes(unlock(hashFor), pushData(shown)),
  };
}
