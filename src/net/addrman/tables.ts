/**
 * The new and the tried table, and the index over both. Invariants: an entry is in the index exactly while it has a
 * place; in the tried table it has one place; in the new table as many as it has sources, each where the key, its
 * group and that source's group say.
 */
import type { Random } from '#util';
import { BucketTable } from './bucket-table.ts';
import { type AddressSource, type Entry, isTerrible } from './entry.ts';
import { EntryIndex } from './entry-index.ts';
import { GroupIndex } from './group-index.ts';
import type { Placement } from './placement.ts';

export class AddressTables {
  readonly index = new EntryIndex();
  readonly #placement: Placement;
  readonly #new = new BucketTable<Entry>();
  readonly #tried = new BucketTable<Entry>();
  readonly #newGroups = new GroupIndex();
  readonly #triedGroups = new GroupIndex();

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

  /** Netgroups with entries in the table. */
  groupCount(table: 'new' | 'tried'): number {
    return (table === 'new' ? this.#newGroups : this.#triedGroups).size;
  }

  /** Any netgroup with entries in the table, each as likely as any other, and any entry of it. */
  draw(table: 'new' | 'tried', random: Random): Entry | undefined {
    return (table === 'new' ? this.#newGroups : this.#triedGroups).draw(random);
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
    // A list that grows by push reserves room for seventeen.
    entry.sources = [...entry.sources, source];
    this.#newGroups.add(entry);
    if (!this.index.has(entry)) this.index.add(entry);
  }

  /** Who is where the entry would stand in the tried table. */
  rivalOf(entry: Entry): Entry | undefined {
    return this.#tried.get(this.#placement.inTried(entry));
  }

  /** Core's MakeTried. A rival goes back to the new table, to the place that its first source gives it. */
  makeTried(entry: Entry): void {
    this.#clearAllNew(entry);
    entry.sources = entry.sources.slice(0, 1);
    const place = this.#placement.inTried(entry);
    const rival = this.#tried.get(place);
    this.#tried.clear(place);
    this.#tried.put(place, entry);
    entry.isTried = true;
    this.#newGroups.remove(entry);
    this.#triedGroups.add(entry);
    if (!this.index.has(entry)) this.index.add(entry);
    if (rival === undefined) return;
    const [source] = rival.sources;
    rival.sources = [];
    rival.isTried = false;
    this.#triedGroups.remove(rival);
    if (source !== undefined) this.putNew(rival, source);
  }

  remove(entry: Entry): void {
    if (!this.index.has(entry)) return;
    if (entry.isTried) this.#tried.clear(this.#placement.inTried(entry));
    else this.#clearAllNew(entry);
    this.#forget(entry);
  }

  /** What contradicts the invariants, for tests (Core's CheckAddrman). */
  violations(): string[] {
    const found: string[] = [];
    let newPlaces = 0;
    for (const entry of this.index.entries()) {
      const { id, sources, isTried } = entry;
      const places = isTried
        ? [this.#placement.inTried(entry)]
        : sources.map(({ group }) => this.#placement.inNew(entry, group));
      const table = isTried ? this.#tried : this.#new;
      if (places.some((place) => table.get(place) !== entry)) found.push(`${id} is not at its places`);
      if (sources.length === 0 || (isTried && sources.length > 1)) found.push(`${id} has ${sources.length} sources`);
      if (this.index.find(entry) !== entry) found.push(`${id} is not found, or stands twice`);
      if (this.#newGroups.has(entry) === isTried || this.#triedGroups.has(entry) !== isTried) {
        found.push(`${id} is drawn from the wrong table`);
      }
      if (!isTried) newPlaces += places.length;
    }
    if (newPlaces !== this.#new.size) found.push(`${this.#new.size} places are taken by ${newPlaces} sources`);
    const tried = [...this.index.entries()].filter(({ isTried }) => isTried).length;
    if (tried !== this.#tried.size) found.push(`${this.#tried.size} places are taken by ${tried} tried`);
    return found;
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
    if (there.sources.length === 0) this.#forget(there);
  }

  #forget(entry: Entry): void {
    this.index.remove(entry);
    this.#newGroups.remove(entry);
    this.#triedGroups.remove(entry);
  }
}
