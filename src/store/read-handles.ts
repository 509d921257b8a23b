/** A bounded cache of open files for positional reads; the least recently used is closed first. */
import type { DiskFile } from './disk-file.ts';

export class ReadHandles {
  readonly #open: (file: number) => Promise<DiskFile>;
  readonly #maxOpen: number;
  /** Insertion order is the order of last use. */
  readonly #handles = new Map<number, Promise<DiskFile>>();

  constructor(open: (file: number) => Promise<DiskFile>, maxOpen: number) {
    this.#open = open;
    this.#maxOpen = maxOpen;
  }

  /**
   * Reads up to `target.length` bytes from `offset`; gives how many there were. Reads may run side by side.
   */
  async read(file: number, target: Uint8Array, offset: number): Promise<number> {
    let filled = 0;
    while (filled < target.length) {
      // Taken anew each round. A handle is closed behind its promise, so behind the read that awaited it here
      // first; and close() itself waits for reads that were begun.
      const handle = await this.#take(file);
      const { bytesRead } = await handle.read(target, filled, target.length - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled;
  }

  /** Closes the file's handle, if it is open. */
  async close(file: number): Promise<void> {
    const opening = this.#handles.get(file);
    this.#handles.delete(file);
    if (opening !== undefined) await closeQuietly(opening);
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#handles.keys()].map((file) => this.close(file)));
  }

  #take(file: number): Promise<DiskFile> {
    const known = this.#handles.get(file);
    this.#handles.delete(file);
    const opening = known ?? this.#open(file);
    this.#handles.set(file, opening);
    if (known === undefined) {
      // A failed open is not remembered: the next read tries again.
      opening.catch(() => this.#handles.get(file) === opening && this.#handles.delete(file));
      this.#evict();
    }
    return opening;
  }

  #evict(): void {
    for (const file of this.#handles.keys()) {
      if (this.#handles.size <= this.#maxOpen) return;
      void this.close(file);
    }
  }
}

/** Nothing was written through these handles: a failing close loses nothing. */
async function closeQuietly(opening: Promise<DiskFile>): Promise<void> {
  try {
    await (await opening).close();
  } catch {
    // The open failed, and its reader was told.
  }
}
