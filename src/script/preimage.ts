/**
 * One writer for everything that is hashed here: nothing is allocated a hash. Hashing is synchronous, so whoever takes
 * it writes, hashes and is done; hashes that go into another must be computed before it is taken for that.
 */
import { Writer } from '#primitives';

/** Enough for all but the hashes of large transactions. */
const INITIAL_BYTES = 4096;

const writer = new Writer(INITIAL_BYTES);

/** The writer, empty. */
export function preimage(): Writer {
  return writer.reset();
}
