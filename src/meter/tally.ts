/**
 * Counts by name, from the start. Names are those of our own tables; those that turn up later (reject reasons) are taken up
 * to MAX_NAMES, what is beyond counts as `other`.
 */
const MAX_NAMES = 96;
const OTHER = 'other';

export class Tally<Name extends string = string> {
  readonly #counts = new Map<string, number>();

  /** `names` are shown from the start, with 0: a rate needs a first value. */
  constructor(names: readonly Name[] = []) {
    for (const name of names) this.#counts.set(name, 0);
  }

  add(name: Name, by = 1): void {
    const kept = this.#counts.has(name) || this.#counts.size < MAX_NAMES ? name : OTHER;
    this.#counts.set(kept, (this.#counts.get(kept) ?? 0) + by);
  }

  figures(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }
}
