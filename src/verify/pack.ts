/** Script jobs as bytes, to cross to a worker: one buffer a chunk, transferred, nothing shared. */
import { Reader, readTxOutput, Transaction, type TxOutput, txOutputSize, Writer, writeTxOutput } from '#primitives';
import { areOfOneTransaction } from './job-verifier.ts';
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

/** In place of the length of a transaction: it is that of the piece before. */
const SAME = 0;

/** Whether the transaction was written with the piece before. */
function isOfTheLast(pieces: readonly Piece[], at: number): boolean {
  return areOfOneTransaction(pieces[at - 1]?.job, pieces[at]?.job);
}

/** A fresh buffer that the caller owns and may transfer. */
export function packPieces(pieces: readonly Piece[]): Uint8Array<ArrayBuffer> {
  const writer = new Writer(packedSize(pieces)).u32(pieces.length);
  for (const [piece, { at, job, from, to }] of pieces.entries()) {
    writer.u32(at).u32(job.flags).u32(from).u32(to);
    if (isOfTheLast(pieces, piece)) {
      writer.u32(SAME);
      continue;
    }
    writer.u32(job.tx.raw.length).bytes(job.tx.raw);
    for (const output of job.spent) writeTxOutput(writer, output);
  }
  return writer.finish();
}

const NUMBER_BYTES = 4;
const NUMBERS_A_PIECE = 5;

function packedSize(pieces: readonly Piece[]): number {
  let size = NUMBER_BYTES;
  for (const [piece, { job }] of pieces.entries()) {
    size += NUMBERS_A_PIECE * NUMBER_BYTES;
    if (isOfTheLast(pieces, piece)) continue;
    size += job.tx.size;
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
    const bytes = reader.u32();
    const same = bytes === SAME ? pieces.at(-1)?.job : undefined;
    const { tx, spent } = same ?? readSpend(reader, bytes);
    pieces.push({ at, job: { tx, spent, flags }, from, to });
  }
  reader.end();
  return pieces;
}

function readSpend(reader: Reader, txBytes: number): Pick<ScriptJob, 'tx' | 'spent'> {
  const tx = Transaction.fromBytes(reader.take(txBytes));
  const spent: TxOutput[] = [];
  for (let i = 0; i < tx.inputs.length; i++) spent.push(readTxOutput(reader));
  return { tx, spent };
}
