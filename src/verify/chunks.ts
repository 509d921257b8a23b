/**
 * Cuts a batch into chunks of work for workers: in order, of about the same size, small transactions together and
 * large ones in parts. Each part of a transaction carries the whole of it, so there are few parts.
 */
import type { TxInput } from '#primitives';
import type { Piece } from './pack.ts';
import type { ScriptJob } from './port.ts';

/** Inputs in a chunk: some 8 ms of the native engine, beside 0.1 ms for the way there and back. */
const CHUNK_INPUTS = 128;
/** Where somebody waits: the last chunk of a slow worker, and the turns of the calling thread, shall be short. */
const URGENT_CHUNK_INPUTS = 32;
/** Bytes of transactions in a chunk, so that packing does not hold up the caller. */
const CHUNK_BYTES = 256 * 1024;

export type Chunk = readonly Piece[];

/**
 * What a calling thread may run that others need as well: no input of it takes more than some 20 ms, whoever made it. Before
 * tapscript 201 operations is the most, in tapscript a signature costs 50 bytes; legacy signatures hash all of the transaction.
 */
const LIGHT_TX_BYTES = 10_000;
const LIGHT_INPUT_BYTES = 2_000;

export function isLight(chunk: Chunk): boolean {
  return chunk.every(({ job: { tx }, from, to }) => {
    const isWhole = from === 0 && to === tx.inputs.length;
    return isWhole && tx.size <= LIGHT_TX_BYTES && tx.inputs.every((input) => scriptBytes(input) <= LIGHT_INPUT_BYTES);
  });
}

function scriptBytes({ scriptSig, witness }: TxInput): number {
  return witness.reduce((sum, item) => sum + item.length, scriptSig.length);
}

/** `maxParts`: into how many parts one transaction may be cut. */
export function cutChunks(jobs: readonly ScriptJob[], maxParts: number, isUrgent = false): readonly Chunk[] {
  const chunkInputs = isUrgent ? URGENT_CHUNK_INPUTS : CHUNK_INPUTS;
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
    const step = Math.max(chunkInputs, Math.ceil(count / maxParts));
    for (let from = 0; from < count; from += step) {
      const to = Math.min(count, from + step);
      pieces.push({ at, job, from, to });
      inputs += to - from;
      bytes += job.tx.size;
      if (inputs >= chunkInputs || bytes >= CHUNK_BYTES) close();
    }
  }
  close();
  return chunks;
}
