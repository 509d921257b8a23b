/** Script jobs as bytes, to cross to a worker: one buffer a chunk, transferred, nothing shared. */
import { Reader, readTxOutput, Transaction, type TxOutput, txOutputSize, Writer, writeTxOutput } from '#primitives';
import type { ScriptJob } from './port.ts';

/** A run of inputs of one job. */
export type Piece = {
  /** Index of the job in its batch. */
  readonly at: number;
  readonly job: ScriptJob;
  /** Inputs `from` to `to` - 1. */
  readonly from: number;
  readonly to: number;
};

/** A fresh buffer that the caller owns and may transfer. */
export function packPieces(pieces: readonly Piece[]): Uint8Array<ArrayBuffer> {
  const writer = new Writer(packedSize(pieces)).u32(pieces.length);
  for (const { at, job, from, to } of pieces) {
    writer.u32(at).u32(job.flags).u32(from).u32(to).u32(job.tx.raw.length).bytes(job.tx.raw);
    for (const output of job.spent) writeTxOutput(writer, output);
  }
  return writer.finish();
}

const NUMBER_BYTES = 4;
const NUMBERS_A_PIECE = 5;

function packedSize(pieces: readonly Piece[]): number {
  let size = NUMBER_BYTES;
  for (const { job } of pieces) {
    size += NUMBERS_A_PIECE * NUMBER_BYTES + job.tx.size;
    for (const output of job.spent) size += txOutputSize(output);
  }
  return size;
}

/** What was packed; transactions and scripts are views of `bytes`. */
export function unpackPieces(bytes: Uint8Array): Piece[] {
  const reader = new Reader(bytes);
  const pieces: Piece[] = [];
  for (let left = reader.u32(); left > 0; left--) {
    const at = reader.u32();
    const flags = reader.u32();
    const from = reader.u32();
    const to = reader.u32();
    const tx = Transaction.fromBytes(reader.take(reader.u32()));
    const spent: TxOutput[] = [];
    for (let i = 0; i < tx.inputs.length; i++) spent.push(readTxOutput(reader));
    pieces.push({ at, job: { tx, spent, flags }, from, to });
  }
  reader.end();
  return pieces;
}
