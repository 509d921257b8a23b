/**
 * Walks over a script's instructions without copying. Mirrors Core's GetScriptOp (script.cpp), including where the
 * position stands after a push that runs over the end: FindAndDelete and the legacy signature hash depend on it.
 */
import { Op } from './opcodes.ts';

export class ScriptReader {
  readonly script: Uint8Array;
  /** Offset of the next instruction. */
  position: number;
  /** The opcode that `next` read. */
  opcode: number = Op.OP_INVALIDOPCODE;
  #dataStart = 0;
  #dataEnd = 0;

  constructor(script: Uint8Array, position = 0) {
    this.script = script;
    this.position = position;
  }

  /** Reads one instruction; false at the end or when its data is cut short (then `atEnd` tells which it was). */
  next(): boolean {
    const { script } = this;
    const opcode = script[this.position];
    this.#dataStart = 0;
    this.#dataEnd = 0;
    if (opcode === undefined) return false;
    this.position++;
    if (opcode <= Op.OP_PUSHDATA4 && opcode !== 0) {
      const length = opcode < Op.OP_PUSHDATA1 ? opcode : this.#readLength(1 << (opcode - Op.OP_PUSHDATA1));
      if (length === undefined || length > script.length - this.position) return false;
      this.#dataStart = this.position;
      this.position += length;
      this.#dataEnd = this.position;
    }
    this.opcode = opcode;
    return true;
  }

  get atEnd(): boolean {
    return this.position >= this.script.length;
  }

  /** What the instruction pushes: a view of the script, empty for all but direct pushes. */
  get data(): Uint8Array {
    return this.script.subarray(this.#dataStart, this.#dataEnd);
  }

  get dataLength(): number {
    return this.#dataEnd - this.#dataStart;
  }

  #readLength(bytes: number): number | undefined {
    if (this.script.length - this.position < bytes) return undefined;
    let length = 0;
    for (let i = bytes - 1; i >= 0; i--) length = length * 256 + (this.script[this.position + i] ?? 0);
    this.position += bytes;
    return length;
  }
}
