/** How high the blocks of each file lie, so that pruning knows the files that hold only old ones. */
export class FileHeights {
  readonly #highest = new Map<number, number>();
  #last = -1;

  /** Number of the last file that has a record which the index knows; -1: none. */
  get last(): number {
    return this.#last;
  }

  /** The index points to a record of the block at `height` in `file`. */
  note(file: number, height: number): void {
    this.#highest.set(file, Math.max(height, this.#highest.get(file) ?? 0));
    this.#last = Math.max(this.#last, file);
  }

  /** Height of the highest block in the file; undefined: the index points to nothing in it. */
  highest(file: number): number | undefined {
    return this.#highest.get(file);
  }

  /** The index points to nothing in the file any more. */
  forget(file: number): void {
    this.#highest.delete(file);
  }
}
