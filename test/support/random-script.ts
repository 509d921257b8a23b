/** Scripts of opcodes and pushes drawn at random, for programs that must agree on what they do. */
import { Op, pushData, pushNumber } from '#script';
import { concatBytes, type Random } from '#util';
import { pick } from './pick.ts';

export function randomPush(random: Random): Uint8Array {
  switch (random.below(8)) {
    case 0:
      return pushData(random.bytes(random.below(90)));
    case 1:
      return pushData(random.bytes(random.below(6)));
    case 2:
      return pushNumber(random.below(2 ** 31) * pick(random, [1, -1]));
    case 3:
      return pushData(Uint8Array.of(1, pick(random, [0, 0x80, 1])));
    default:
      return pushNumber(random.below(19) - 1);
  }
}

const CONDITIONALS = ['636768', '6368', '6468', '51636768'].map((hex) => Buffer.from(hex, 'hex'));

export const OPCODES: readonly number[] = Object.values(Op).filter(
  (opcode) => opcode >= Op.OP_NOP && opcode !== Op.OP_VER && opcode <= Op.OP_CHECKSIGADD,
);

/** Pushes and opcodes in about equal parts, so that a good part of the scripts succeeds. */
export function randomScript(random: Random, opcodes: readonly number[] = OPCODES): Uint8Array {
  const parts = Array.from({ length: 1 + random.below(10) }, () => {
    const kind = random.below(10);
    if (kind < 5) return randomPush(random);
    if (kind === 9) return pick(random, CONDITIONALS);
    return Uint8Array.of(pick(random, opcodes));
  });
  return concatBytes(...parts);
}
