/** The ids added last: exact, at most `capacity`, the oldest is forgotten first. About 120 bytes each. */
import type { PackageHash } from '#mempool';
import type { Txid, Wtxid } from '#primitives';

type Id = Txid | Wtxid | PackageHash;

export class RecentIds {
  readonly #capacity: number;
  readonly #ids = new Set<Id>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  has(id: Id): boolean {
    return this.#ids.has(id);
  }

  add(id: Id): void {
    this.#ids.delete(id);
    this.#ids.add(id);
    const [oldest] = this.#ids;
    if (this.#ids.size > this.#capacity && oldest !== undefined) this.#ids.delete(oldest);
  }

  clear(): void {
    this.#ids.clear();
  }
}
