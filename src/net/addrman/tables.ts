/**
 * The new and the tried table, and the index over both. Invariants: an entry is in the index exactly while it has a
 * place; in the tried table it has one place; in the new table as many as it has sources, each where the key, its
 * group and that source's group say.
 */
import type { Random } from '#util';
import { BucketTable } from './bucket-table.ts';
import { type AddressSource, type Entry, isTerrible } from './entry.ts';
import { EntryIndex } from './entry-index.ts';
import { NEW_BUCKETS, type Placement, TRIED_BUCKETS } from './placement.ts';

export class AddressTables {
  readonly index = new EntryIndex();
  readonly #placement: Placement;
  readonly #new = new BucketTable<Entry>(NEW_BUCKETS);
  readonly #tried = new BucketTable<Entry>(TRIED_BUCKETS);

  constructor(placement: Placement) {
    this.#placement = placement;
  }

  /** Entries, not places. */
  get triedCount(): number {
    return this.#tried.size;
  }

  get newCount(): number {
    return this.index.size - this.#tried.size;
  }

  draw(table: 'new' | 'tried', random: Random): Entry | undefined {
    return (table === 'new' ? this.#new : this.#tried).draw(random);
  }

  /** Every place that is taken, for checks. */
  places(table: 'new' | 'tried'): IterableIterator<[number, Entry]> {
    return (table === 'new' ? this.#new : this.#tried).entries();
  }

  /**
   * Whether the place that this source gives to the entry is free for it: as Core, who is there goes if it is
   * terrible, or if it has other places and the entry none.
   */
  isOpen(entry: Entry, source: AddressSource, nowMs: number): boolean {
    const there = this.#new.get(this.#placement.inNew(entry, source.group));
    if (there === undefined) return true;
    if (there === entry) return false;
    return isTerrible(there, nowMs) || (there.sources.length > 1 && entry.sources.length === 0);
  }

  /** Gives it that place; who is there loses it. The entry is not tried, and does not have the place. */
  putNew(entry: Entry, source: AddressSource): void {
    const place = this.#placement.inNew(entry, source.group);
    this.#clearNew(place);
    this.#new.put(place, entry);
    entry.sources.push(source);
    if (!this.index.has(entry)) this.index.add(entry);
  }

  /** Who is where the entry would stand in the tried table. */
  rivalOf(entry: Entry): Entry | undefined {
    return this.#tried.get(this.#placement.inTried(entry));
  }

  /** Core's MakeTried. A rival goes back to the new table, to the place that its first source gives it. */
  makeTried(entry: Entry): void {
    this.#clearAllNew(entry);
    entry.sources.length = 1;
    const place = this.#placement.inTried(entry);
    const rival = this.#tried.get(place);
    this.#tried.clear(place);
    this.#tried.put(place, entry);
    entry.isTried = true;
    if (!this.index.has(entry)) this.index.add(entry);
    if (rival === undefined) return;
    const [source] = rival.sources.splice(0);
    rival.isTried = false;
    if (source !== undefined) this.putNew(rival, source);
  }

  remove(entry: Entry): void {
    if (!this.index.has(entry)) return;
    if (entry.isTried) this.#tried.clear(this.#placement.inTried(entry));
    else this.#clearAllNew(entry);
    this.index.remove(entry);
  }

  #clearAllNew(entry: Entry): void {
    if (entry.isTried || !this.index.has(entry)) return;
    for (const { group } of entry.sources) this.#new.clear(this.#placement.inNew(entry, group));
  }

  /** Empties a place; an entry that has no other one is gone. */
  #clearNew(place: number): void {
    const there = this.#new.get(place);
    if (there === undefined) return;
    this.#new.clear(place);
    there.sources = there.sources.filter(({ group }) => this.#placement.inNew(there, group) !== place);
    if (there.sources.length === 0) this.index.remove(there);
  }
}
