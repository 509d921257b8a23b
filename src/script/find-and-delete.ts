/** Core's FindAndDelete (interpreter.cpp), which takes a signature out of the script that it signs. */
import { asBuffer, concatBytes } from '#util';
import { ScriptReader } from './parse.ts';

/**
 * `script` without each occurrence of `needle` that starts where an instruction starts; `script` itself when there
 * is none.
 */
export function findAndDelete(script: Uint8Array, needle: Uint8Array): Uint8Array {
  // Almost always absent: a byte search settles that without walking the script.
  if (needle.length === 0 || asBuffer(script).indexOf(needle) < 0) return script;
  const kept: Uint8Array[] = [];
  const reader = new ScriptReader(script);
  let from = 0;
  let found = false;
  do {
    kept.push(script.subarray(from, reader.position));
    while (startsWith(script, reader.position, needle)) {
      reader.position += needle.length;
      found = true;
    }
    from = reader.position;
  } while (reader.next());
  if (!found) return script;
  kept.push(script.subarray(from));
  return concatBytes(...kept);
}

function startsWith(script: Uint8Array, at: number, needle: Uint8Array): boolean {
  return Buffer.compare(script.subarray(at, at + needle.length), needle) === 0;
}
