/** A file of messages that are read one by one, as a node reads blocks: nothing of what is sent lies in the cache already. */
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemRandom } from '#util';

const FILE_BYTES = 192 << 20;
const CHUNK_BYTES = 1 << 20;

export async function openMessageFile() {
  const dir = await mkdtemp(join(tmpdir(), 'starling-bench-'));
  const file = await open(join(dir, 'messages'), 'w+');
  for (let written = 0; written < FILE_BYTES; written += CHUNK_BYTES) await file.write(systemRandom.bytes(CHUNK_BYTES));
  return {
    /** The place goes round. */
    read: async (place: number, bytes: number): Promise<Uint8Array> => {
      const { buffer } = await file.read(
        Buffer.allocUnsafeSlow(bytes),
        0,
        bytes,
        (place * bytes) % (FILE_BYTES - bytes),
      );
      return buffer;
    },
    [Symbol.asyncDispose]: async () => {
      await file.close();
      await rm(dir, { recursive: true });
    },
  };
}
