/** The key-value store in memory: a map, and its keys sorted when somebody walks them. */
import { asBuffer, NodeError } from '#util';
import type { BatchOp, KeyRange, KeyValueStore } from './ports.ts';

/** Keys are kept as latin1 strings: one character a byte, so string order is memcmp order. */
const toKey = (bytes: Uint8Array): string => asBuffer(bytes).toString('latin1');
const fromKey = (key: string): Uint8Array => new Uint8Array(Buffer.from(key, 'latin1'));

function isIn(range: KeyRange): (key: string) => boolean {
  const gte = range.gte && toKey(range.gte);
  const lt = range.lt && toKey(range.lt);
  return (key) => (gte === undefined || key >= gte) && (lt === undefined || key < lt);
}

export function createMemoryStore(): KeyValueStore {
  return new MemoryStore();
}

class MemoryStore implements KeyValueStore {
  readonly #values = new Map<string, Uint8Array>();
  #sortedKeys: readonly string[] | undefined;
  #closed = false;

  get(key: Uint8Array): Uint8Array | undefined {
    this.#assertOpen();
    return this.#values.get(toKey(key))?.slice();
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return keys.map((key) => this.get(key));
  }

  async write(ops: readonly BatchOp[]): Promise<void> {
    this.#assertOpen();
    for (const op of ops) {
      const key = toKey(op.key);
      if (op.kind === 'del') this.#values.delete(key);
      else this.#values.set(key, new Uint8Array(op.value));
    }
    this.#sortedKeys = undefined;
  }

  async clear(range: KeyRange = {}): Promise<void> {
    this.#assertOpen();
    const isIncluded = isIn(range);
    for (const key of this.#values.keys()) if (isIncluded(key)) this.#values.delete(key);
    this.#sortedKeys = undefined;
  }

  async *entries(range: KeyRange = {}): AsyncGenerator<readonly [Uint8Array, Uint8Array]> {
    this.#assertOpen();
    this.#sortedKeys ??= [...this.#values.keys()].sort((a, b) => (a < b ? -1 : 1));
    const isIncluded = isIn(range);
    const snapshot: (readonly [string, Uint8Array])[] = [];
    for (const key of this.#sortedKeys) {
      const value = this.#values.get(key);
      if (isIncluded(key) && value) snapshot.push([key, value]);
    }
    for (const [key, value] of snapshot) yield [fromKey(key), value.slice()];
  }

  async sizeOnDisk(): Promise<number> {
    return 0;
  }

  async trim(): Promise<void> {
    this.#sortedKeys = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#values.clear();
  }

  #assertOpen(): void {
    if (this.#closed) throw new NodeError('IO', 'cannot use the memory store: it is closed');
  }
}
