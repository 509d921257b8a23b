/** Shapes of scripts that consensus knows (Core's CScript members, script.cpp). */
import { MAX_SCRIPT_SIZE } from './limits.ts';
import { Op } from './opcodes.ts';
import { ScriptReader } from './parse.ts';

/** DUP, HASH160, a push of 20 bytes, EQUALVERIFY, CHECKSIG: exactly these 25 bytes. */
export function isPayToPubKeyHash(script: Uint8Array): boolean {
  return (
    script.length === 25 &&
    script[0] === Op.OP_DUP &&
    script[1] === Op.OP_HASH160 &&
    script[2] === 0x14 &&
    script[23] === Op.OP_EQUALVERIFY &&
    script[24] === Op.OP_CHECKSIG
  );
}

/** HASH160, a push of 20 bytes, EQUAL: exactly these 23 bytes (BIP16). */
export function isPayToScriptHash(script: Uint8Array): boolean {
  return script.length === 23 && script[0] === Op.OP_HASH160 && script[1] === 0x14 && script[22] === Op.OP_EQUAL;
}

export type WitnessProgram = {
  /** 0 .. 16. */
  readonly version: number;
  /** 2 .. 40 bytes: a view of the script. */
  readonly program: Uint8Array;
};

/** BIP141: OP_0 or OP_1 .. OP_16, then one direct push of 2 to 40 bytes, and nothing else. */
export function witnessProgram(script: Uint8Array): WitnessProgram | undefined {
  const [first, length] = script;
  if (first === undefined || length === undefined || script.length < 4 || script.length > 42) return undefined;
  if (first !== Op.OP_0 && (first < Op.OP_1 || first > Op.OP_16)) return undefined;
  if (length + 2 !== script.length) return undefined;
  return { version: decodeSmallNumber(first), program: script.subarray(2) };
}

/** Pay to anchor: OP_1 and the two bytes 4e73. Anybody spends it, with nothing (Core 28's IsPayToAnchor). */
export function isPayToAnchor({ version, program }: WitnessProgram): boolean {
  return version === 1 && program.length === 2 && program[0] === 0x4e && program[1] === 0x73;
}

/** Core's DecodeOP_N: the number that OP_0 or OP_1 .. OP_16 pushes. */
export function decodeSmallNumber(opcode: number): number {
  return opcode === Op.OP_0 ? 0 : opcode - (Op.OP_1 - 1);
}

/** Only pushes (OP_RESERVED counts as one, as in Core) and no push cut short. */
export function isPushOnly(script: Uint8Array): boolean {
  const reader = new ScriptReader(script);
  while (!reader.atEnd) {
    if (!reader.next() || reader.opcode > Op.OP_16) return false;
  }
  return true;
}

/** Core's IsUnspendable: such outputs never enter the coin database. */
export function isUnspendable(script: Uint8Array): boolean {
  return script[0] === Op.OP_RETURN || script.length > MAX_SCRIPT_SIZE;
}
