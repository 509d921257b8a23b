/** Scripts as people read them: Core's ScriptToAsmStr (core_write.cpp) and GetOpName. */
import { byteAt, toHex } from '#util';
import { checkSignatureEncoding } from './encoding-checks.ts';
import { ScriptFlag } from './flags.ts';
import { Op, opcodeName } from './opcodes.ts';
import { ScriptReader } from './parse.ts';
import { decodeSmallNumber, isUnspendable } from './patterns.ts';
import { decodeScriptNum } from './script-num.ts';
import { sighashTypeName } from './sighash-type.ts';

/** `decodeSighash` shows the hash type behind what looks like a signature; meant for scriptSigs only. */
export function scriptToAsm(script: Uint8Array, { decodeSighash = false } = {}): string {
  // Data behind OP_RETURN may look like a signature by chance.
  const decodes = decodeSighash && !isUnspendable(script);
  const reader = new ScriptReader(script);
  const words: string[] = [];
  while (!reader.atEnd) {
    if (!reader.next()) {
      words.push('[error]');
      break;
    }
    words.push(reader.opcode <= Op.OP_PUSHDATA4 ? pushText(reader.data, decodes) : operatorText(reader.opcode));
  }
  return words.join(' ');
}

function pushText(data: Uint8Array, decodesSighash: boolean): string {
  // Up to four bytes are a number.
  const number = decodeScriptNum(data, false);
  if (number !== undefined) return String(number);
  if (decodesSighash && checkSignatureEncoding(data, ScriptFlag.STRICTENC) === undefined) {
    return `${toHex(data.subarray(0, -1))}[${sighashTypeName(byteAt(data, data.length - 1))}]`;
  }
  return toHex(data);
}

function operatorText(opcode: number): string {
  if (opcode === Op.OP_1NEGATE || (opcode >= Op.OP_1 && opcode <= Op.OP_16)) return String(decodeSmallNumber(opcode));
  return opcodeName(opcode);
}
