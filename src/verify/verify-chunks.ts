/** What a worker of the pool does: verifies one chunk after another. Knows nothing of batches, order or time. */
import { parentPort, workerData } from 'node:worker_threads';
import { loadSecp256k1, type Secp256k1, type Secp256k1Name } from '#crypto';
import { assert, errorText } from '#util';
import { JobVerifier } from './job-verifier.ts';
import { unpackPieces } from './pack.ts';
import type { ScriptFailure } from './port.ts';

export type WorkerSettings = { readonly engine: Secp256k1Name | undefined };

export type ChunkRequest = { readonly id: number; readonly bytes: Uint8Array<ArrayBuffer> };

export type ChunkReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly id: number; readonly failure: ScriptFailure | undefined }
  /** A bug, not a verdict. */
  | { readonly kind: 'fault'; readonly id: number; readonly message: string };

function verifyChunk(bytes: Uint8Array, secp: Secp256k1): ScriptFailure | undefined {
  const verifier = new JobVerifier(secp);
  const pieces = unpackPieces(bytes);
  for (const [piece, { at, job, from, to }] of pieces.entries()) {
    verifier.begin(job, pieces[piece + 1]?.job);
    for (let input = from; input < to; input++) {
      const error = verifier.verify(input);
      if (error !== undefined) return { job: at, input, error };
    }
  }
  return undefined;
}

function serve({ engine }: WorkerSettings): void {
  const port = parentPort;
  assert(port !== null, 'this file runs as a worker');
  const secp = loadSecp256k1(engine);
  const reply = (message: ChunkReply): void => port.postMessage(message);
  port.on('message', ({ id, bytes }: ChunkRequest) => {
    try {
      reply({ kind: 'done', id, failure: verifyChunk(bytes, secp) });
    } catch (error) {
      reply({ kind: 'fault', id, message: errorText(error) });
    }
  });
  reply({ kind: 'ready' });
}

serve(workerData as WorkerSettings);
