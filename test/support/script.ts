/** Scripts for tests, written as a row of opcodes and pieces. */
import { concatBytes } from '#util';

export function script(...parts: readonly (number | Uint8Array)[]): Uint8Array {
  return concatBytes(...parts.map((part) => (typeof part === 'number' ? Uint8Array.of(part) : part)));
}

/** One opcode `count` times. */
export function repeated(opcode: number, count: number): Uint8Array {
  return new Uint8Array(count).fill(opcode);
}
