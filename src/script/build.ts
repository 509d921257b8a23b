/** Building scripts: Core's `CScript() << ...`. Each function gives a fresh script that the caller owns. */
import { concatBytes } from '#util';
import { Op } from './opcodes.ts';
import { encodeScriptNum } from './script-num.ts';

/** The push of a byte string by length alone (never OP_1 .. OP_16), as `CScript << vector` does. */
export function pushData(data: Uint8Array): Uint8Array {
  const { length } = data;
  if (length < Op.OP_PUSHDATA1) return concatBytes(Uint8Array.of(length), data);
  if (length <= 0xff) return concatBytes(Uint8Array.of(Op.OP_PUSHDATA1, length), data);
  const header = Buffer.alloc(length <= 0xffff ? 3 : 5);
  header[0] = length <= 0xffff ? Op.OP_PUSHDATA2 : Op.OP_PUSHDATA4;
  if (length <= 0xffff) header.writeUInt16LE(length, 1);
  else header.writeUInt32LE(length, 1);
  return concatBytes(header, data);
}

/** The push of an integer as `CScript << int64_t` does it: OP_0, OP_1NEGATE, OP_1 .. OP_16, else its bytes (BIP34). */
export function pushNumber(value: number): Uint8Array {
  if (value === 0) return Uint8Array.of(Op.OP_0);
  if (value === -1 || (value >= 1 && value <= 16)) return Uint8Array.of(value + Op.OP_1 - 1);
  return pushData(encodeScriptNum(value));
}
