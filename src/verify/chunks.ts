/**
 * Cuts a batch into chunks of work for workers: in order, of about the same size, small transactions together and
 * large ones in parts. Each part of a transaction carries the whole of it, so there are few parts.
 */
import type { Piece } from './pack.ts';
import type { ScriptJob } from './port.ts';

/** Inputs in a chunk: some 8 ms of the native engine, beside 0.1 ms for the way there and back. */
const CHUNK_INPUTS = 128;
/** Bytes of transactions in a chunk, so that packing does not hold up the caller. */
const CHUNK_BYTES = 256 * 1024;

export type Chunk = readonly Piece[];

/** `maxParts`: into how many parts one transaction may be cut. */
export function cutChunks(jobs: readonly ScriptJob[], maxParts: number): readonly Chunk[] {
  const chunks: Chunk[] = [];
  let pieces: Piece[] = [];
  let inputs = 0;
  let bytes = 0;
  const close = (): void => {
    if (pieces.length > 0) chunks.push(pieces);
    pieces = [];
    inputs = 0;
    bytes = 0;
  };
  for (const [at, job] of jobs.entries()) {
    const count = job.tx.inputs.length;
    const step = Math.max(CHUNK_INPUTS, Math.ceil(count / maxParts));
    for (let from = 0; from < count; from += step) {
      const to = Math.min(count, from + step);
      pieces.push({ at, job, from, to });
      inputs += to - from;
      bytes += job.tx.size;
      if (inputs >= CHUNK_INPUTS || bytes >= CHUNK_BYTES) close();
    }
  }
  close();
  return chunks;
}
