/** The thread of a grinder: tries nonces slice by slice, and takes up the newest search between two slices. */
import { parentPort } from 'node:worker_threads';
import { compactToTarget } from '#consensus';
import { BlockHeader } from '#primitives';
import { assert } from '#util';
import { grindSlice, NONCES } from './grind.ts';

/** Of an 80-byte header; without one the thread rests. */
export type GrindRequest = { readonly id: number; readonly header: Uint8Array | undefined };
/** Of the search that was asked for last only. `header`: undefined when no nonce solves it. */
export type GrindReply = { readonly id: number; readonly header: Uint8Array | undefined };

/** Some 20 ms: what a search goes on after a new tip. */
const SLICE_HASHES = 10_000;

function serve(): void {
  const port = parentPort;
  assert(port !== null, 'this file runs as a worker');
  const reply = (message: GrindReply): void => port.postMessage(message);
  let current = 0;
  const search = (id: number, header: BlockHeader, left: number): void => {
    if (id !== current) return;
    const { target } = compactToTarget(header.bits);
    const slice = grindSlice(header, target, Math.min(SLICE_HASHES, left));
    if (slice.solved) reply({ id, header: slice.header.raw });
    else if (left <= SLICE_HASHES) reply({ id, header: undefined });
    else setImmediate(search, id, slice.header, left - SLICE_HASHES);
  };
  port.on('message', ({ id, header }: GrindRequest) => {
    current = id;
    if (header !== undefined) search(id, new BlockHeader(header), NONCES);
  });
}

serve();
